"""A timeline of threads as bars: a task each, or several short ones that follow each other where no eye could tell them apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tewb.runtime import ThreadTrace, TracedTask

FINE, MOST_BARS = (
    300,
    1000,
)  # shares of the whole time, below which tasks are put together; of all threads, about


@dataclass(frozen=True, slots=True)
class ThreadBar:
    """A bar of the timeline: `tasks` of one loop (by its number; of several when None) on one thread, from `begin` to
    `end`, in seconds since the call began, of which it was `busy`. They have `iterations`, between `first` and `last`;
    `depth` parallel loops are around this one. What they took from the heap is `bytes`, in so many `allocations`."""

    thread: int
    loop: int | None
    depth: int
    begin: float
    end: float
    busy: float
    first: int
    last: int
    iterations: int
    tasks: int
    bytes: int
    allocations: int


@dataclass(frozen=True, slots=True)
class LoopSpan:
    """From the begin of a parallel loop to its end, or of `runs` that follow each other closely, of several loops when
    `loop` is None."""

    loop: int | None
    begin: float
    end: float
    runs: int


def thread_bars(trace: ThreadTrace, loop_of: Sequence[int | None]) -> tuple[ThreadBar, ...]:
    """The bars of a trace, by thread and then by time. `loop_of` is the number of the loop of each task."""
    threads = len({task.thread for task in trace.tasks}) or 1
    short = trace.seconds / min(FINE, max(MOST_BARS // threads, 32))
    open_bars: dict[tuple[int, int], ThreadBar] = {}  # by thread and depth: the next task may go on with it
    bars: list[ThreadBar] = []
    for task, loop in zip(trace.tasks, loop_of, strict=True):
        key = task.thread, task.depth
        bar, before = _bar(task, loop), open_bars.get(key)
        if before is not None and _goes_on(before, bar, short):
            bar = _joined(before, bar)
        elif before is not None:
            bars.append(before)
        open_bars[key] = bar
    bars += open_bars.values()
    return tuple(sorted(bars, key=lambda b: (b.thread, b.begin)))


def _bar(t: TracedTask, loop: int | None) -> ThreadBar:
    count, took = t.past - t.first, t.end - t.begin
    return ThreadBar(
        t.thread, loop, t.depth, t.begin, t.end, took, t.first, t.past - 1, count, 1, t.bytes, t.allocations
    )


def _goes_on(a: ThreadBar, b: ThreadBar, short: float) -> bool:
    """Whether two bars are too short, and too near, to be seen as two."""
    return b.end - b.begin < short and a.busy < a.tasks * short and b.begin - a.end < short


def _joined(a: ThreadBar, b: ThreadBar) -> ThreadBar:
    return replace(
        a, loop=a.loop if a.loop == b.loop else None, end=b.end, busy=a.busy + b.busy, first=min(a.first, b.first), last=max(a.last, b.last),
        iterations=a.iterations + b.iterations, tasks=a.tasks + b.tasks, bytes=a.bytes + b.bytes,
        allocations=a.allocations + b.allocations,
    )  # fmt: skip


def loop_spans(trace: ThreadTrace, loop_of: Sequence[int | None]) -> tuple[LoopSpan, ...]:
    """The spans of the loops that stand in no other one; `loop_of` is the number of each loop of the trace."""
    short = trace.seconds / FINE
    spans: list[LoopSpan] = []
    for run, loop in zip(trace.loops, loop_of, strict=True):
        if run.depth:
            continue
        before = spans[-1] if spans else None
        is_short = run.end - run.begin < short
        if before is not None and is_short and run.begin - before.end < short:
            of = before.loop if before.loop == loop else None
            spans[-1] = replace(before, loop=of, end=run.end, runs=before.runs + 1)
        else:
            spans.append(LoopSpan(loop, run.begin, run.end, 1))
    return tuple(spans)
