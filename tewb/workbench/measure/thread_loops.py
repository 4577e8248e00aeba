"""Parallel loops in one call of a kernel: their tasks, and the time that threads lost in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    parallel loops are around it; those inside of another run on the thread that comes to them.

    Tasks have `smallest` to `largest` iterations, and take `shortest` to `longest` seconds. `seconds` are from its begin to
    its end. In these the threads of the pool lost, all together: `late`, until they took their first tasks, `between`
    tasks, `waited`, after their last one for the last of all, `absent`, where they had none, and `closing`, after the last
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
    """The loops of a trace in the order in which they began, those of one name together. `facts` are by line."""
    loops: dict[tuple[str, int], list[TracedLoop]] = {}
    for loop in trace.loops:
        loops.setdefault((facts[loop.line].name, loop.depth), []).append(loop)
    tasks: dict[int, list[TracedTask]] = {}
    for task in trace.tasks:
        tasks.setdefault(task.run, []).append(task)
    return tuple([_times_of(facts[of[0].line], of, tasks, threads) for of in loops.values()])


def _times_of(
    facts: LoopFacts, loops: list[TracedLoop], by_run: dict[int, list[TracedTask]], threads: int
) -> LoopTimes:
    tasks = [task for loop in loops for task in by_run.get(loop.run, ())]
    lasted = [task.end - task.begin for task in tasks] or [0.0]
    sizes = [task.past - task.first for task in tasks] or [0]
    late, between, waited, absent, closing, waits, last = _losses_of(loops, by_run, threads)
    return LoopTimes(
        facts, loops[0].depth, len(loops), sum(loop.iterations for loop in loops), len(tasks), min(sizes), max(sizes),
        min(lasted), sum(lasted) / len(lasted), max(lasted), sum(loop.end - loop.begin for loop in loops), late, between,
        waited, absent, closing, waits, last, sum(t.bytes for t in tasks), sum(t.allocations for t in tasks),
    )  # fmt: skip


def _losses_of(
    loops: list[TracedLoop], by_run: dict[int, list[TracedTask]], threads: int
) -> tuple[float, float, float, float, float, tuple[float, ...], int]:
    """`late`, `between`, `waited`, `absent`, `closing`, `waits` and `last` of a LoopTimes."""
    late = between = waited = absent = closing = most = 0.0
    waits, last = [0.0] * threads, 0
    for loop in () if loops[0].depth else loops:
        own: dict[int, list[TracedTask]] = {}
        for task in by_run.get(loop.run, ()):
            own.setdefault(task.thread, []).append(task)
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
