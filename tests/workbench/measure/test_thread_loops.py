"""Loops of one name are one, and lose what their threads lost."""

from __future__ import annotations

import pytest

from tests.workbench.measure.traces import MS, UNEVEN, loop, task, times


def test_loops_of_one_name_are_one_and_others_stand_beside_it() -> None:
    t = times(
        6.0,
        [loop(2, 0, 2), loop(4, 2, 4, run=1, line=11), loop(3, 4, 6, run=2, line=9)],
        [task(0, 0, 2, 0, 2), task(1, 0, 4, 2, 4, run=1, line=11), task(0, 0, 3, 4, 6, run=2, line=9)],
    )
    first, second = t.loops
    assert (first.facts.name, first.runs, first.iterations) == ("C.i", 2, 6)
    assert (second.facts.name, second.runs, second.iterations) == ("D.j", 1, 3)
    assert first.absent == pytest.approx(4 * MS)


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
