"""A timeline has a bar for each task that can be seen, and few bars however many tasks there are."""

from __future__ import annotations

import pytest

from tewb.runtime import ThreadTrace, TracedLoop, TracedTask
from tewb.workbench.measure.thread_bars import FINE, LoopSpan, loop_spans, thread_bars


def trace(seconds: float, tasks: list[TracedTask], loops: list[TracedLoop] | None = None) -> ThreadTrace:
    return ThreadTrace(seconds, 0.0, (), tuple(loops or ()), tuple(tasks), 0, 0)


def task(thread: int, first: int, begin: float, end: float, depth: int = 0) -> TracedTask:
    return TracedTask(5, 0, thread, depth, first, first + 2, begin, end, 64, 1)


def test_long_tasks_have_a_bar_each() -> None:
    bars = thread_bars(
        trace(1.0, [task(0, 0, 0.0, 0.5), task(1, 2, 0.1, 0.4), task(0, 4, 0.5, 1.0)]), [0, 0, 1]
    )
    assert [(b.thread, b.loop, b.first, b.last, b.iterations, b.tasks) for b in bars] == [
        (0, 0, 0, 1, 2, 1), (0, 1, 4, 5, 2, 1), (1, 0, 2, 3, 2, 1),
    ]  # fmt: skip
    assert [(b.begin, b.end, b.busy) for b in bars] == [
        (0.0, 0.5, 0.5), (0.5, 1.0, 0.5), (0.1, 0.4, pytest.approx(0.3)),
    ]  # fmt: skip


def test_short_tasks_that_follow_each_other_are_one_bar() -> None:
    tiny = 1 / (10 * FINE)
    tasks = [task(0, 2 * n, n * 2 * tiny, n * 2 * tiny + tiny) for n in range(100)]
    (bar,) = thread_bars(trace(1.0, tasks), [0] * 100)
    assert (bar.tasks, bar.iterations, bar.first, bar.last, bar.bytes, bar.allocations) == (
        100,
        200,
        0,
        199,
        6400,
        100,
    )
    assert bar.busy == pytest.approx(100 * tiny) and bar.end == pytest.approx(199 * tiny)


def test_a_pause_begins_a_new_bar_and_so_does_a_long_task() -> None:
    tiny = 1 / (10 * FINE)
    paused = [task(0, 0, 0.0, tiny), task(0, 2, 0.5, 0.5 + tiny)]
    assert len(thread_bars(trace(1.0, paused), [0, 0])) == 2
    long = [task(0, 0, 0.0, tiny), task(0, 2, tiny, 0.5), task(0, 4, 0.5, 0.5 + tiny)]
    assert [b.tasks for b in thread_bars(trace(1.0, long), [0, 0, 0])] == [1, 1, 1]


def test_tasks_inside_of_others_have_bars_of_their_own() -> None:
    tasks = [task(0, 0, 0.0, 1.0), task(0, 0, 0.1, 0.4, depth=1), task(0, 2, 0.5, 0.9, depth=1)]
    bars = thread_bars(trace(1.0, tasks), [0, 1, 1])
    assert [(b.depth, b.loop) for b in bars] == [(0, 0), (1, 1), (1, 1)]


def test_there_are_few_bars_however_many_loops_take_turns() -> None:
    n = 20_000
    each = 1 / n
    tasks = [task(0, 0, i * each, (i + 0.9) * each) for i in range(n)]
    loops = [TracedLoop(5, i, 0, 0, 2, i * each, (i + 0.95) * each) for i in range(n)]
    turns = [i % 2 for i in range(n)]
    found = trace(1.0, tasks, loops)
    bars, spans = thread_bars(found, turns), loop_spans(found, turns)
    assert len(bars) <= 2 * FINE and len(spans) <= 2 * FINE
    assert {b.loop for b in bars} <= {None, 0, 1} and sum(b.tasks for b in bars) == n
    assert sum(s.runs for s in spans) == n


def test_spans_are_of_the_outermost_loops() -> None:
    loops = [
        TracedLoop(5, 0, 0, 0, 8, 0.0, 0.4),
        TracedLoop(6, 1, 1, 1, 8, 0.1, 0.2),
        TracedLoop(7, 2, 0, 0, 8, 0.5, 0.9),
    ]
    assert loop_spans(trace(1.0, [], loops), [0, 1, 2]) == (
        LoopSpan(0, 0.0, 0.4, 1),
        LoopSpan(2, 0.5, 0.9, 1),
    )


def test_nothing_has_no_bars() -> None:
    assert thread_bars(trace(0.0, []), []) == () and loop_spans(trace(0.0, []), []) == ()
