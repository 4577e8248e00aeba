"""A measurement: rates, ratios, rows, and no number beside a wrong result."""

from __future__ import annotations

import pytest

from tewb.runtime import Timing
from tewb.workbench import Measurement
from tewb.workbench.measure.measurement import per_second

KERNEL, NUMPY, PINNED = Timing((0.002,)), Timing((0.004,)), Timing((0.001,))


def test_rates_are_amounts_per_median() -> None:
    m = Measurement(True, "", Timing((2.0, 4.0, 1.0)), operations=6 * 10**9, bytes=10**9)
    assert (m.gflops, m.gbytes, m.ratio) == (3.0, 0.5, None)


def test_ratios_are_above_one_where_the_kernel_or_the_schedule_is_faster() -> None:
    m = Measurement(True, "fine", KERNEL, NUMPY, pinned=PINNED)
    assert (m.ratio, m.pinned_ratio) == (2.0, 0.5)
    assert Measurement(True, "fine", KERNEL).ratio is None is Measurement(False, "wrong").pinned_ratio


def test_rows_are_of_those_that_took_part() -> None:
    m = Measurement(
        True,
        "fine",
        KERNEL,
        NUMPY,
        "mine",
        pinned=PINNED,
        pinned_message="fine too",
        operations=4 * 10**6,
        bytes=10**6,
    )
    rows = m.rows
    assert [(r.name, r.ok, r.check) for r in rows] == [
        ("tewb", True, "fine"),
        ("mine", True, "the reference"),
        ("pinned", True, "fine too"),
    ]
    assert [(r.gflops, r.gbytes) for r in rows] == [(2.0, 0.5), (1.0, 0.25), (4.0, 1.0)]
    assert [r.name for r in Measurement(True, "fine", KERNEL).rows] == ["tewb"]


def test_a_wrong_result_has_no_numbers() -> None:
    m = Measurement(False, "C differs", pinned_message="differs too", operations=10)
    assert str(m) == "✗ C differs" and m.gflops is None and m.gbytes is None
    assert [(r.ok, r.warm, r.gflops) for r in m.rows] == [(False, None, None)] * 2


@pytest.mark.parametrize(
    ("operations", "pinned", "text"),
    [
        (None, None, "✓ fine; tewb 2 ms ± 0 ns, numpy 4 ms ± 0 ns, ratio 2.00"),
        (
            4 * 10**6,
            PINNED,
            "✓ fine; tewb 2 ms ± 0 ns (2 GFLOP/s), numpy 4 ms ± 0 ns, pinned 1 ms ± 0 ns, ratio 2.00",
        ),
    ],
)
def test_as_text(operations: int | None, pinned: Timing | None, text: str) -> None:
    assert str(Measurement(True, "fine", KERNEL, NUMPY, pinned=pinned, operations=operations)) == text


@pytest.mark.parametrize("which", ["kernel", "numpy", "pinned"])
def test_times_that_vary_a_lot_are_in_doubt(which: str) -> None:
    steady, varying = Timing((1.0, 1.0, 1.1, 1.1, 1.1)), Timing((1.0, 1.0, 2.0, 3.0, 3.0))
    times = {"kernel": steady, "numpy": steady, "pinned": steady}
    assert "busy" not in str(Measurement(True, "fine", **times))  # type: ignore[arg-type]
    doubtful = Measurement(True, "fine", **times | {which: varying})  # type: ignore[arg-type]
    assert str(doubtful).endswith("; the machine is busy: the times differ by 100 % of their median")


def test_amounts_per_second() -> None:
    assert per_second(3 * 10**9, Timing((1.5,))) == 2.0
    assert per_second(None, KERNEL) is None is per_second(1, None)
