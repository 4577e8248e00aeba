"""Traces of threads, written by hand: a few loops and tasks with their times in milliseconds."""

from __future__ import annotations

from tewb.runtime import ThreadTrace, TracedLoop, TracedTask, TracedThread
from tewb.workbench.measure.thread_loops import LoopFacts
from tewb.workbench.measure.thread_times import ThreadTimes

FACTS = {
    7: LoopFacts("C.i", "C", "i", (), False),
    9: LoopFacts("D.j", "D", "j", (), False),
    11: LoopFacts("C.i", "C", "i", (), False),
    12: LoopFacts("X.k", "X", "k", (), True),
}
MS = 1e-3


def task(
    thread: int, first: int, past: int, begin: float, end: float, run: int = 0, line: int = 7, **more: int
) -> TracedTask:
    """A task, with its times in milliseconds."""
    memory = more.get("bytes", 0), more.get("allocations", 0)
    return TracedTask(line, run, thread, more.get("depth", 0), first, past, begin * MS, end * MS, *memory)


def loop(n: int, begin: float, end: float, run: int = 0, line: int = 7, depth: int = 0) -> TracedLoop:
    return TracedLoop(line, run, 0, depth, n, begin * MS, end * MS)


def times(
    ms: float, loops: list[TracedLoop], tasks: list[TracedTask], threads: int = 2, processors: int = 8
) -> ThreadTimes:
    """What a trace of these loops and tasks comes to."""
    outer = [t for t in tasks if not t.depth]
    took_part = max([0, *(t.thread for t in tasks)]) + 1
    rows = [
        TracedThread(sum(t.end - t.begin for t in mine), len(mine), 0, 0)
        for mine in ([t for t in outer if t.thread == n] for n in range(took_part))
    ]
    in_loops = sum(x.end - x.begin for x in loops if not x.depth)
    trace = ThreadTrace(ms * MS, in_loops, tuple(rows), tuple(loops), tuple(tasks), len(loops), 0)
    return ThreadTimes(trace, FACTS, threads, processors, 0.9 * ms * MS, ())


UNEVEN = times(
    3.0,
    [loop(3, 0.0, 3.0)],
    [task(0, 0, 1, 0.0, 1.0), task(0, 2, 3, 1.0, 3.0), task(1, 1, 2, 0.1, 1.1)],
)
