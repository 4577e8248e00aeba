"""Parallel loops in one call of a kernel: their tasks, and the time that threads lost in them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from tewb.runtime import ThreadTrace, TracedLoop, TracedTask

Where = Literal["heap", "stack", "registers"]


@dataclass(frozen=True, slots=True)
class TaskMemory:
    """An intermediate that each iteration of a parallel loop has for itself: bytes of one, and how often it is taken in an
    iteration; None where that is not known before the kernel runs."""

    buffer: str
    bytes: int | None
    times: float | None
    where: Where


@dataclass(frozen=True, slots=True)
class LoopFacts:
    """What is known of a parallel loop without running it. `stage` and `loop` are None for loops that no step made."""

    name: str
    stage: str | None
    loop: str | None
    memory: tuple[TaskMemory, ...]
    calls_python: bool


@dataclass(frozen=True, slots=True)
class LoopTimes:
    """A parallel loop in one call: how often it was begun, and all of its iterations and tasks. `depth` is how many
    parallel loops are around it; idle threads help with those inside of another.

    Tasks have `smallest` to `largest` iterations, and take `shortest` to `longest` seconds. `seconds` are from its begin to
    its end. In these the threads of the pool lost, all together: `late`, until they took their first tasks, `between`
    tasks (of it, or of loops inside of it), `waited`, after their last one for the last of all, `absent`, where they had none, and `closing`, after the last
    of all. `waits` is what each of them waited, and `last` the thread that ended last where most was waited. Memory is
    what all tasks took from the heap.
    """

    facts: LoopFacts
    depth: int
    runs: int
    iterations: int
    tasks: int
    smallest: int
    largest: int
    shortest: float
    mean: float
    longest: float
    seconds: float
    late: float
    between: float
    waited: float
    absent: float
    closing: float
    waits: tuple[float, ...]
    last: int
    bytes: int
    allocations: int


def loop_times(facts: Mapping[int, LoopFacts], trace: ThreadTrace, threads: int) -> tuple[LoopTimes, ...]:
    """The loops of a trace in the order in which they began. `facts` are by line; loops of one name are numbered."""
    loops: dict[tuple[int, int], list[TracedLoop]] = {}
    for loop in trace.loops:
        loops.setdefault((loop.line, loop.depth), []).append(loop)
    tasks: dict[int, list[TracedTask]] = {}
    for task in trace.tasks:
        tasks.setdefault(task.run, []).append(task)
    named, by_thread = _numbered(facts, list(dict.fromkeys(line for line, _ in loops))), _outermost(trace)
    return tuple([_times_of(named[line], of, tasks, by_thread, threads) for (line, _), of in loops.items()])


def _numbered(facts: Mapping[int, LoopFacts], lines: list[int]) -> dict[int, LoopFacts]:
    """What is known of the loops in some lines, where those of one name are `C.i #1` and `C.i #2`."""
    of_name: dict[str, list[int]] = {}
    for line in lines:
        of_name.setdefault(facts[line].name, []).append(line)
    return {
        line: facts[line] if len(same) == 1 else replace(facts[line], name=f"{name} #{n}")
        for name, same in of_name.items()
        for n, line in enumerate(same, 1)
    }


def _outermost(trace: ThreadTrace) -> dict[int, list[TracedTask]]:
    """The tasks of each thread that stand in no other task of it, by time."""
    found: dict[int, list[TracedTask]] = {}
    for task in sorted(trace.tasks, key=lambda t: (t.begin, t.depth)):
        mine = found.setdefault(task.thread, [])
        if not mine or task.begin >= mine[-1].end:
            mine.append(task)
    return found


def _times_of(
    facts: LoopFacts,
    loops: list[TracedLoop],
    by_run: dict[int, list[TracedTask]],
    by_thread: dict[int, list[TracedTask]],
    threads: int,
) -> LoopTimes:
    tasks = [task for loop in loops for task in by_run.get(loop.run, ())]
    lasted = [task.end - task.begin for task in tasks] or [0.0]
    sizes = [task.past - task.first for task in tasks] or [0]
    late, between, waited, absent, closing, waits, last = _losses_of(loops, by_thread, threads)
    return LoopTimes(
        facts, loops[0].depth, len(loops), sum(loop.iterations for loop in loops), len(tasks), min(sizes), max(sizes),
        min(lasted), sum(lasted) / len(lasted), max(lasted), sum(loop.end - loop.begin for loop in loops), late, between,
        waited, absent, closing, waits, last, sum(t.bytes for t in tasks), sum(t.allocations for t in tasks),
    )  # fmt: skip


def _losses_of(
    loops: list[TracedLoop], by_thread: dict[int, list[TracedTask]], threads: int
) -> tuple[float, float, float, float, float, tuple[float, ...], int]:
    """`late`, `between`, `waited`, `absent`, `closing`, `waits` and `last` of a LoopTimes."""
    late = between = waited = absent = closing = most = 0.0
    waits, last = [0.0] * threads, 0
    for loop in () if loops[0].depth else loops:
        own = {n: _within(tasks, loop) for n, tasks in by_thread.items()}
        own = {n: mine for n, mine in own.items() if mine}
        ends = {n: max(task.end for task in mine) for n, mine in own.items()}
        end = max(ends.values(), default=loop.end)
        for n, mine in own.items():
            begin = min(task.begin for task in mine)
            late += begin - loop.begin
            between += max(ends[n] - begin - sum(task.end - task.begin for task in mine), 0.0)
            waits[n] += end - ends[n]
        here = sum(end - its_end for its_end in ends.values())
        waited += here
        absent += (threads - len(own)) * (end - loop.begin)
        closing += threads * (loop.end - end)
        if own and here >= most:
            most, last = here, max(ends, key=lambda n: ends[n])
    return late, between, waited, absent, closing, tuple(waits), last


def _within(tasks: list[TracedTask], loop: TracedLoop) -> list[TracedTask]:
    """Those of a thread's tasks that began in a loop."""
    first, past = (bisect_left(tasks, at, key=lambda t: t.begin) for at in (loop.begin, loop.end))
    return tasks[first:past]
