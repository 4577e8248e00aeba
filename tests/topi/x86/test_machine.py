"""What the schedules know of the processor."""

from tewb import te
from tewb.topi.x86 import machine


def test_registers_and_sizes() -> None:
    assert machine.vector_lanes("float32") == 2 * machine.vector_lanes("float64")
    assert machine.vector_registers() in (16, 32)
    assert machine.is_streamed(te.placeholder((2048, 2048))) and not machine.is_streamed(
        te.placeholder((8, 8))
    )
    assert machine.is_worth_threads(te.placeholder((te.var("n"),)))
    assert machine.is_worth_threads(te.placeholder((8, 8)), 1000) and not machine.is_worth_threads(
        te.placeholder((8, 8))
    )


def test_rows_that_share_lines_do_not_go_past_the_caches() -> None:
    assert not machine.is_streamed(te.placeholder((64, 512, 58)))
    assert machine.is_streamed(te.placeholder((64, 512, 64))) and machine.is_streamed(
        te.placeholder((2048, 2001))
    )
