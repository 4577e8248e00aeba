"""Loops are told apart, also those of one name, and lose what their threads lost."""

from __future__ import annotations

import pytest

from tests.workbench.measure.traces import MS, UNEVEN, loop, task, times


def test_loops_of_one_name_are_told_apart_and_one_that_begins_again_is_one() -> None:
    t = times(
        8.0,
        [loop(2, 0, 2), loop(4, 2, 4, run=1, line=11), loop(3, 4, 6, run=2, line=9), loop(5, 6, 8, run=3)],
        [
            task(0, 0, 2, 0, 2), task(1, 0, 4, 2, 4, run=1, line=11), task(0, 0, 3, 4, 6, run=2, line=9),
            task(0, 0, 5, 6, 8, run=3),
        ],
    )  # fmt: skip
    found = [(x.facts.name, x.facts.stage, x.runs, x.iterations) for x in t.loops]
    assert found == [("C.i #1", "C", 2, 7), ("C.i #2", "C", 1, 4), ("D.j", "D", 1, 3)]
    assert t.loops[0].absent == pytest.approx(4 * MS) and t.loops[1].absent == pytest.approx(2 * MS)
    assert [b.loop for b in t.bars] == [0, 2, 0, 1] and [s.loop for s in t.spans] == [0, 1, 2, 0]


def test_threads_that_help_with_loops_inside_are_not_idle() -> None:
    """Thread 1 has no iteration of the outer loop; it takes most of the inner one."""
    t = times(
        4.0,
        [loop(1, 0, 4), loop(8, 1, 4, run=1, line=9, depth=1)],
        [
            task(0, 0, 1, 0, 4), task(0, 0, 2, 1, 2, run=1, line=9, depth=1), task(1, 2, 5, 1, 2.5, run=1, line=9, depth=1),
            task(1, 5, 8, 2.5, 3.5, run=1, line=9, depth=1),
        ],
    )  # fmt: skip
    outer, inner = t.loops
    assert (outer.absent, outer.late, outer.between, outer.waited) == pytest.approx((0, MS, 0, 0.5 * MS))
    assert outer.waits == pytest.approx((0, 0.5 * MS)) and outer.last == 0
    assert (inner.tasks, inner.absent, inner.waited) == (3, 0, 0)


def test_loops_inside_of_others_lose_nothing_by_themselves() -> None:
    t = times(
        1.0,
        [loop(1, 0, 1), loop(5, 0.1, 0.9, run=1, line=9, depth=1)],
        [task(0, 0, 1, 0, 1), task(0, 0, 5, 0.1, 0.9, run=1, line=9, depth=1)],
    )
    inner = t.loops[1]
    assert inner.depth == 1 and inner.waits == (0.0, 0.0)
    assert (inner.late, inner.between, inner.waited, inner.absent) == (0, 0, 0, 0)
    assert t.busy == pytest.approx((MS, 0)) and t.tasks == 1


def test_time_is_lost_before_between_and_after_tasks() -> None:
    (found,) = UNEVEN.loops
    assert (found.runs, found.iterations, found.tasks, found.smallest, found.largest) == (1, 3, 3, 1, 1)
    assert (found.shortest, found.mean, found.longest) == pytest.approx((1 * MS, 4 / 3 * MS, 2 * MS))
    assert (found.late, found.between, found.waited, found.absent) == pytest.approx(
        (0.1 * MS, 0, 1.9 * MS, 0), abs=1e-12
    )
    assert found.waits == pytest.approx((0, 1.9 * MS), abs=1e-12) and found.last == 0
