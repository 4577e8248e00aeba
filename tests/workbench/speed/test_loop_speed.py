"""The numbers of a loop: overlapping entries, remainders, lines that are shared out."""

from __future__ import annotations

import pytest

from tests.workbench.speed import programs
from tewb.workbench.speed.cache_misses import Cache, Fetched
from tewb.workbench.speed.latency_chain import Chain
from tewb.workbench.speed.loop_speed import add_memory, overlapped, share_of_remainders
from tewb.workbench.speed.memory_levels import MemoryLevels, Source
from tewb.workbench.speed.processors import GOLDEN_COVE
from tewb.workbench.speed.why_fast import why_this_fast

LEVELS = MemoryLevels((Cache("L1", 512),), (Source("memory", 1e-9, 2e-9),), 2.0)


@pytest.mark.parametrize(("terms", "measured"), [(64, 0.41), (128, 0.54), (256, 0.70), (1024, 0.88)])
def test_a_short_chain_overlaps_with_the_next_as_it_was_measured(terms: int, measured: float) -> None:
    """Sums of so many terms took this part of their chain, on Golden Cove."""
    chain = Chain(32.0, tuple(range(8)), False)
    assert overlapped(chain, terms / 8, 1000, GOLDEN_COVE) / 32 == pytest.approx(measured, abs=0.04)


def test_what_is_entered_once_or_goes_through_memory_overlaps_with_nothing() -> None:
    assert overlapped(Chain(32.0, (1,), False), 10, 1, GOLDEN_COVE) == 32
    assert overlapped(Chain(9.0, (1,), True), 10, 1000, GOLDEN_COVE) == 9


def test_loops_that_do_the_rest_run_less_often() -> None:
    """A loop of 1003 numbers does most of them by vectors."""
    session = programs.add(1003)
    for x in why_this_fast(session, "llvm -mcpu=haswell").loops:
        assert x.iterations * x.steps <= 1003 + x.steps
    loops = list(why_this_fast(session, "llvm -mcpu=haswell").loops)
    wide = max(loops, key=lambda x: x.steps)
    wide.is_counted = False
    wide.iterations = 1003 / wide.steps
    share_of_remainders(loops)
    assert wide.iterations == 1003 / wide.steps


def test_lines_are_shared_out_to_the_loops_that_fetch_them() -> None:
    loops = list(why_this_fast(programs.matmul(64), "llvm -mcpu=haswell").loops)
    (x,) = loops
    mine = Fetched("B", (("C", None), ("C", "i"), ("C", "j"), ("C", "k")), 4096, 256, {"L1": 1000.0})
    other = Fetched(
        "C", (("C", None), ("C", "i")), 256, 256, {"L1": 10.0}, is_sequential=False, is_store=True
    )
    rest = add_memory(loops, [mine, other], LEVELS)
    assert rest == pytest.approx(10 * 2e-9 * 2)
    assert x.memory == pytest.approx(1000 * 1e-9 * 2e9 / x.iterations, rel=1e-3)
    assert x.fetched == [mine]
