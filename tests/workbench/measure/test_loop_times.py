"""From counters to times: what is known of each loop, and what timers took."""

from __future__ import annotations

import pytest

from tewb.lowering import LoopPart, Share
from tewb.workbench.measure.loop_times import LoopTime, LoopTimes, timers_cost, times_of_loops
from tewb.workbench.measure.timer_cost import TimerCost

FREE = TimerCost(tick=1.0, entry=0.0, inside=0.0)


def part(
    around: LoopPart | None, kind: str, name: str = "", share: Share = Share.SOME, entries: float = 1.0
) -> LoopPart:
    """A part of `around`; each has as many statements as its share says."""
    stage, _, loop = name.partition("/")
    statements = 64 if around is None else around.statements // (2 if share is Share.SOME else 1)
    p = LoopPart(kind, stage, loop or None, around, entries, statements, share, True)
    if around is not None:
        around.inside[kind, (stage, loop or None)] = p
    return p


def by_name(lines: tuple[LoopTime, ...]) -> dict[str, LoopTime]:
    return {line.name: line for line in lines}


def test_own_time_is_what_timed_parts_inside_leave() -> None:
    kernel = part(None, "kernel")
    a, b = part(kernel, "stage", "A"), part(kernel, "stage", "B")
    i = part(b, "loop", "B/i", Share.ALL)
    j = part(i, "loop", "B/j", entries=10)
    lines = by_name(times_of_loops(kernel, {kernel: (100, 1), a: (30, 1), b: (60, 1), j: (45, 10)}, FREE))
    assert [lines[n].seconds for n in ("the kernel", "A", "B", "B/i", "B/j")] == [100, 30, 60, 60, 45]
    assert [lines[n].own for n in ("the kernel", "A", "B", "B/i", "B/j")] == [10, 30, 0, 15, 45]
    assert (lines["B/i"].known, lines["B/j"].entries, lines["B/j"].depth) == ("timed", 10, 3)


def test_without_a_timer_a_loop_takes_at_most_what_is_around_it() -> None:
    kernel = part(None, "kernel")
    i = part(part(kernel, "stage", "A"), "loop", "A/i", Share.ALL)
    part(i, "loop", "A/j", Share.BODY, 8)
    part(i, "loop", "A/k", entries=8)
    lines = by_name(times_of_loops(kernel, {kernel: (100, 1), i: (80, 1)}, FREE))
    assert (lines["A/j"].known, lines["A/j"].seconds, lines["A/j"].own) == ("around", 80, None)
    assert (lines["A/k"].known, lines["A/k"].seconds, lines["A/k"].most) == ("not", None, 80)
    assert (lines["A"].known, lines["A"].own) == ("not", None) and lines["A/i"].own == 80


def test_what_timers_take_is_in_no_time() -> None:
    cost = TimerCost(tick=0.5, entry=10, inside=4)
    kernel = part(None, "kernel")
    i = part(part(kernel, "stage", "A"), "loop", "A/i", Share.ALL)
    j = part(i, "loop", "A/j", entries=20)
    counted = {kernel: (1000.0, 1.0), i: (900.0, 1.0), j: (480.0, 20.0)}
    lines = by_name(times_of_loops(kernel, counted, cost))
    assert lines["A/j"].seconds == 0.5 * (480 - 20 * 4)
    assert lines["A/i"].seconds == 0.5 * (900 - 4 - 20 * 10)
    assert lines["the kernel"].seconds == 0.5 * (1000 - 4 - 10 - 20 * 10)
    assert timers_cost(kernel, counted, cost) == 0.5 * (1 * 10 + 1 * 10 + 20 * 10)


def test_seconds_of_tasks_become_seconds_that_pass() -> None:
    kernel = part(None, "kernel")
    i = part(part(kernel, "stage", "A", Share.ALL), "loop", "A/i", Share.ALL)
    tasks = part(part(i, "parallel", "A/i", Share.ALL), "tasks", "A/i", Share.BODY, 16)
    j = part(tasks, "loop", "A/j", entries=16)
    lines = by_name(times_of_loops(kernel, {kernel: (100, 1), tasks: (200, 16), j: (150, 16)}, FREE))
    assert (lines["A/i"].seconds, lines["A/i"].tasks, lines["A/i"].own) == (100, 200, 25)
    assert (lines["A/j"].seconds, lines["A/j"].own, lines["A/j"].entries) == (75, 75, 16)
    assert "A/i" in lines and len(lines) == 4  # tasks are no lines of their own


def test_pieces_of_a_loop_at_several_places_are_one_line() -> None:
    kernel = part(None, "kernel")
    main = part(kernel, "loop", "A/i")
    tail = part(part(kernel, "loop", "A/o"), "loop", "A/i")
    lines = by_name(times_of_loops(kernel, {kernel: (100, 1), main: (70, 1), tail: (20, 2)}, FREE))
    assert (lines["A/i"].seconds, lines["A/i"].own, lines["A/i"].entries) == (90, 90, 3)


def test_a_line_stands_where_most_of_it_runs() -> None:
    kernel = part(None, "kernel")
    first = part(kernel, "loop", "A/i")
    outer = part(kernel, "loop", "A/k")
    inside = part(outer, "loop", "A/i")
    lines = times_of_loops(kernel, {kernel: (100, 1), first: (1, 1), outer: (90, 1), inside: (80, 9)}, FREE)
    assert [(line.name, line.depth) for line in lines] == [("the kernel", 0), ("A/k", 1), ("A/i", 2)]


@pytest.mark.parametrize(("most", "known", "own"), [(0.5, "timed", 70), (60.0, "some", None)])
def test_a_piece_without_a_timer_counts_where_it_may_take_long(
    most: float, known: str, own: float | None
) -> None:
    timed = LoopTime("A", "i", False, 70.0, 70.0, 1, None, "timed", 70.0, 1)
    unknown = LoopTime("A", "i", False, None, None, 1, None, "not", most, 2)
    for both in (timed + unknown, unknown + timed):
        assert (both.known, both.seconds, both.own, both.most) == (known, 70, own, 70 + most)


def test_the_text_is_a_table() -> None:
    lines = (
        LoopTime("", None, False, 2e-3, 1e-3, 1, None, "timed", 2e-3, 0),
        LoopTime("E", None, True, 1e-3, None, 1000, 2e-3, "around", 1e-3, 1),
        LoopTime("E", "i", False, None, None, 5, None, "not", 1e-3, 2),
    )
    times = LoopTimes(lines, 2e-3, 2.1e-3, 1e-5, 1, "with timers", ())
    assert str(times).splitlines() == [
        "                    time           its own  entries  all tasks",
        "the kernel          2 ms  100.0 %     1 ms        1",
        "  E, the call       1 ms   50.0 %             1,000       2 ms",
        "    E/i        not timed                          5",
        "with timers",
    ]
    assert times.slowdown == pytest.approx(0.05) and repr(times) == str(times)
    assert str(LoopTimes((), None, None, None, 1, "stopped", ())) == "stopped"
