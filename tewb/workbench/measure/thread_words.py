"""Parallel loops in words: what they did, and what idle time they had, and why."""

from __future__ import annotations

from collections.abc import Iterator

from tewb.runtime import shown
from tewb.workbench.looks.sizes import bytes_shown
from tewb.workbench.measure.thread_loops import LoopTimes, TaskMemory

WAKING = 2e-4  # seconds that are more than enough to wake a thread where a processor is free
TRACING = 1e-7  # seconds that it takes to look at the clock around a task, about
BUSY_MACHINE = "so late is a thread for which no processor is free, as when other programs run"


def loop_text(loop: LoopTimes) -> str:
    """A loop in words: "C.i: 64 iterations in 8 tasks of 8 iterations, 1.1 ms to 2 ms; 4 KiB of the heap in 1 piece a task;
    an iteration has X (512 B, stack)"."""
    begun = "" if loop.runs == 1 else f", begun {loop.runs:,} times"
    inside = ", inside of a parallel loop" if loop.depth else ""
    text = f"{loop.facts.name}{inside}{begun}: {counted(loop.iterations, 'iteration')} in {counted(loop.tasks, 'task')}"
    if not loop.tasks:
        return text
    sizes = f"{loop.smallest:,} to " if loop.smallest < loop.largest else ""
    text += f" of {sizes}{counted(loop.largest, 'iteration')}, {_range(loop.shortest, loop.longest)}"
    if loop.allocations:
        pieces = f"{loop.allocations / loop.tasks:.3g}"
        text += f"; {bytes_shown(loop.bytes // loop.tasks)} of the heap in {pieces} piece{'s' * (pieces != '1')} a task"
    own = ", ".join(map(_memory_text, loop.facts.memory))
    return f"{text}; an iteration has {own}" if own else text


def _range(low: float, high: float) -> str:
    return shown(low) if shown(low) == shown(high) else f"{shown(low)} to {shown(high)}"


def _memory_text(m: TaskMemory) -> str:
    size = "a size that is not known" if m.bytes is None else bytes_shown(m.bytes)
    times = "" if m.times == 1 else ", several times" if m.times is None else f", {m.times:,.0f} times"
    return f"{m.buffer} ({size}{times}, {m.where})"


def counted(n: int, what: str) -> str:
    """1 task, 1,024 tasks."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


# ---------------------------------------------------------------- why threads were idle


def losses(loop: LoopTimes) -> Iterator[tuple[float, str]]:
    """The idle time of all threads in a loop, in seconds, by its reasons."""
    if not loop.tasks:
        return
    yield loop.waited, _waiting(loop)
    yield loop.absent, _absence(loop)
    yield loop.late, _lateness(loop)
    yield loop.between - loop.tasks * TRACING, _overhead(loop)
    yield loop.closing, _closing(loop)


def _waiting(loop: LoopTimes) -> str:
    thread = max(range(len(loop.waits)), key=lambda n: loop.waits[n])
    name, tasks = loop.facts.name, counted(loop.tasks, "task")
    why = f"its {tasks} of about {shown(loop.mean)} are not shared evenly"
    if loop.longest - loop.shortest > 0.25 * loop.mean:
        why = f"its {tasks} are of unequal time ({shown(loop.shortest)} to {shown(loop.longest)})"
    return (
        f"thread {thread} waited {shown(loop.waits[thread])} for thread {loop.last} at the end of {name}: {why}; "
        "smaller tasks would end nearer together: more iterations, by a finer split or by fusing it with the loop inside"
    )


def _absence(loop: LoopTimes) -> str:
    name, threads = loop.facts.name, len(loop.waits)
    each = round(loop.iterations / loop.runs)
    if each < threads:
        count = counted(each, "iteration")
        return (
            f"{name} has {count} for {threads} threads: fuse it with the loop inside, or split it into more"
        )
    came = f"{name} was over, in {shown(loop.seconds / loop.runs)}, before all threads had come"
    if loop.runs > 1:
        return f"{came}, {loop.runs:,} times: {_OUTSIDE}"
    return f"{came}: {'it is too short to be shared' if loop.seconds < WAKING else BUSY_MACHINE}"


_OUTSIDE = "a parallel loop further outside begins less often"


def _lateness(loop: LoopTimes) -> str:
    came = f"threads came {shown(loop.late)} late to {loop.facts.name}, all together"
    if loop.runs > 1:
        return f"{came}, which was begun {loop.runs:,} times: {_OUTSIDE}"
    if loop.late > WAKING:
        return f"{came}: {BUSY_MACHINE}"
    return f"{came}: to wake one takes a moment, and the loop is over in {shown(loop.seconds)}"


def _overhead(loop: LoopTimes) -> str:
    tasks = f"the {counted(loop.tasks, 'task')} of {loop.facts.name}, of about {shown(loop.mean)} each"
    return f"{shown(loop.between)} went by between {tasks}: longer iterations cost less"


def _closing(loop: LoopTimes) -> str:
    after = loop.closing / len(loop.waits)
    why = "to end a parallel loop takes a moment" if after < WAKING * loop.runs else BUSY_MACHINE
    return f"{loop.facts.name} ended {shown(after)} after its last task: {why}"
