"""What the threads of a kernel did in one call, and what that comes to: busy and idle time, and why there was idle time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from tewb.runtime import ThreadTrace, TracedLoop, TracedTask, shown
from tewb.workbench.journal.timeline import Journal
from tewb.workbench.looks.sizes import bytes_shown
from tewb.workbench.measure.thread_bars import LoopSpan, ThreadBar, loop_spans, thread_bars

Where = Literal["heap", "stack", "registers"]

WORTH_SAYING = 0.03  # of the time of all threads


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
    tasks, `waited`, after their last one, and `absent`, where they had none. `waits` is what each of them waited, and `last`
    the thread that ended last where most was waited. Memory is what all tasks took from the heap.
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
    waits: tuple[float, ...]
    last: int
    bytes: int
    allocations: int


@dataclass(frozen=True, repr=False, eq=False)
class ThreadTimes:
    """One call of a kernel, the middle one of several by its time. `facts` are those of its loops, by their lines in the
    low-level IR, `threads` is the size of the pool, `processors` how many this process may use, `plain` the seconds of a
    call of the same kernel that is not traced."""

    trace: ThreadTrace
    facts: Mapping[int, LoopFacts]
    threads: int
    processors: int
    plain: float
    journal: Journal

    @cached_property
    def loops(self) -> tuple[LoopTimes, ...]:
        """The parallel loops in the order in which they began; those of one name are one."""
        return _loop_times(self.facts, self.trace, self.threads)

    @cached_property
    def bars(self) -> tuple[ThreadBar, ...]:
        """The timeline, with the loops by their numbers in `loops`."""
        return thread_bars(self.trace, [self._number(t) for t in self.trace.tasks])

    @cached_property
    def spans(self) -> tuple[LoopSpan, ...]:
        """When the loops ran, by their numbers in `loops`."""
        return loop_spans(self.trace, [self._number(t) for t in self.trace.loops])

    def _number(self, of: TracedTask | TracedLoop) -> int | None:
        """The number of a loop in `loops`; None for a task whose loop was not kept."""
        return self._numbers.get((self.facts[of.line].name, of.depth))

    @cached_property
    def _numbers(self) -> dict[tuple[str, int], int]:
        return {(loop.facts.name, loop.depth): n for n, loop in enumerate(self.loops)}

    @property
    def seconds(self) -> float:
        """The time of the call."""
        return self.trace.seconds

    @property
    def serial(self) -> float:
        """The seconds in which no parallel loop ran: the calling thread is busy then, and no other is."""
        return max(self.seconds - self.trace.in_loops, 0.0)

    @property
    def busy(self) -> tuple[float, ...]:
        """The seconds that each thread of the pool was in tasks, thread 0 also between parallel loops."""
        took_part = [t.busy for t in self.trace.threads]
        took_part[0] += self.serial
        return (*took_part, *[0.0] * (self.threads - len(took_part)))

    @property
    def idle(self) -> tuple[float, ...]:
        """The other seconds of each thread."""
        return tuple([max(self.seconds - b, 0.0) for b in self.busy])

    @property
    def share(self) -> float:
        """The share of the time of all threads in which they were busy, from 0 to 1."""
        return min(sum(self.busy) / (len(self.busy) * self.seconds), 1.0) if self.seconds > 0 else 1.0

    @property
    def imbalance(self) -> float:
        """The time in tasks of the busiest thread over the mean of all: 1 is even."""
        busy = [t.busy for t in self.trace.threads]
        return max(busy) * len(self.busy) / sum(busy) if sum(busy) > 0 else 1.0

    @property
    def tasks(self) -> int:
        """The tasks of all threads that stand in no other task."""
        return sum(t.tasks for t in self.trace.threads)

    @property
    def sentence(self) -> str:
        """How busy the threads were, and what cost most."""
        took = shown(self.seconds)
        if not self.loops:
            return f"No parallel loop ran: one thread did all of it in {took}."
        if self.threads == 1:
            return f"One thread ran all {counted(self.tasks, 'task')} in {took}: {_more_threads(self.processors)}."
        busy = f"{self.threads} threads were busy {self.share:.0%} of {took}".replace("%", " %")
        reasons = self.reasons
        return f"{busy}; {reasons[0]}." if reasons else f"{busy}: little was lost."

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why threads were idle, what cost most first."""
        if not self.loops or self.threads == 1:
            return ()
        whole = self.threads * self.seconds
        lost = sorted(self._losses(), key=lambda loss: -loss[0])
        return (*[text for seconds, text in lost if seconds > WORTH_SAYING * whole], *self._conditions())

    def _losses(self) -> Iterator[tuple[float, str]]:
        """What idle time there was, in seconds of all threads, and where it came from."""
        if self.serial:
            yield (
                self.serial * (self.threads - 1),
                f"{shown(self.serial)} went by outside of parallel loops, on one thread",
            )
        for loop in self.loops:
            if not loop.depth:
                yield loop.waited, self._waiting(loop)
                yield loop.absent, self._absence(loop)
                yield loop.late, _lateness(loop)
                yield loop.between, _overhead(loop)

    def _waiting(self, loop: LoopTimes) -> str:
        thread = max(range(len(loop.waits)), key=lambda n: loop.waits[n])
        name, tasks = loop.facts.name, counted(loop.tasks, "task")
        if loop.longest - loop.shortest > 0.25 * loop.mean:
            why = f"its {tasks} are of unequal time ({shown(loop.shortest)} to {shown(loop.longest)})"
        else:
            why = f"its {tasks} of about {shown(loop.mean)} are not shared evenly"
        return (
            f"thread {thread} waited {shown(loop.waits[thread])} for thread {loop.last} at the end of {name}: {why}; "
            "smaller tasks would end nearer together: more iterations, by a finer split or by fusing it with the loop inside"
        )

    def _absence(self, loop: LoopTimes) -> str:
        each = loop.iterations / max(loop.runs, 1)
        if each < self.threads:
            count = counted(round(each), "iteration")
            return (
                f"{loop.facts.name} has {count} for {self.threads} threads: fuse it with the loop inside, or split it "
                "into more"
            )
        came = (
            f"{loop.facts.name} was over, in {shown(loop.seconds / loop.runs)}, before all threads had come"
        )
        if loop.runs > 1:
            return f"{came}, {loop.runs:,} times: a parallel loop further outside begins less often"
        return f"{came}: it is too short to be shared"

    def _conditions(self) -> Iterator[str]:
        """What holds threads up inside of tasks."""
        for loop in self.loops:
            if loop.facts.calls_python:
                yield f"{loop.facts.name} calls Python, where one thread is at a time while the others wait in their tasks"
        if self.threads > self.processors:
            on = counted(self.processors, "processor")
            yield f"{self.threads} threads share {on}, so that tasks stand still in between"

    def __str__(self) -> str:
        lines = [self.sentence, *(f"  {reason}" for reason in self.reasons[1:])]
        lines += [f"  {loop_text(loop)}" for loop in self.loops]
        lines += [self._thread_text(n) for n in range(min(len(self.busy), 8))]
        return "\n".join(lines)

    __repr__ = __str__

    def _thread_text(self, n: int) -> str:
        full = round(20 * self.busy[n] / self.seconds) if self.seconds > 0 else 20
        tasks = self.trace.threads[n].tasks if n < len(self.trace.threads) else 0
        bar = "█" * min(full, 20) + "·" * max(20 - full, 0)
        return f"  thread {n} {bar} {shown(self.busy[n])} busy, {counted(tasks, 'task')}"


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


def _more_threads(processors: int) -> str:
    if processors == 1:
        return "this process may use one processor"
    return f"set_num_threads or TEWB_NUM_THREADS gives more, of {processors} processors"


def _lateness(loop: LoopTimes) -> str:
    came = f"threads came {shown(loop.late)} late to {loop.facts.name}, all together"
    if loop.runs > 1:
        return (
            f"{came}, which was begun {loop.runs:,} times: a parallel loop further outside begins less often"
        )
    return f"{came}: to wake one takes a moment, and the loop is over in {shown(loop.seconds)}"


def _overhead(loop: LoopTimes) -> str:
    return (
        f"{shown(loop.between)} went by between the {counted(loop.tasks, 'task')} of {loop.facts.name}, of about "
        f"{shown(loop.mean)} each: fewer and longer ones cost less"
    )


# ---------------------------------------------------------------- from a trace


def _loop_times(facts: Mapping[int, LoopFacts], trace: ThreadTrace, threads: int) -> tuple[LoopTimes, ...]:
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
    late, between, waited, absent, waits, last = _losses_of(loops, by_run, threads)
    return LoopTimes(
        facts, loops[0].depth, len(loops), sum(loop.iterations for loop in loops), len(tasks), min(sizes), max(sizes),
        min(lasted), sum(lasted) / len(lasted), max(lasted), sum(loop.end - loop.begin for loop in loops), late, between,
        waited, absent, waits, last, sum(t.bytes for t in tasks), sum(t.allocations for t in tasks),
    )  # fmt: skip


def _losses_of(
    loops: list[TracedLoop], by_run: dict[int, list[TracedTask]], threads: int
) -> tuple[float, float, float, float, tuple[float, ...], int]:
    """`late`, `between`, `waited`, `absent`, `waits` and `last` of a LoopTimes."""
    late = between = waited = absent = most = 0.0
    waits, last = [0.0] * threads, 0
    for loop in () if loops[0].depth else loops:
        own: dict[int, list[TracedTask]] = {}
        for task in by_run.get(loop.run, ()):
            own.setdefault(task.thread, []).append(task)
        ends = {n: max(task.end for task in mine) for n, mine in own.items()}
        for n, mine in own.items():
            begin = min(task.begin for task in mine)
            late += begin - loop.begin
            between += max(ends[n] - begin - sum(task.end - task.begin for task in mine), 0.0)
            waits[n] += loop.end - ends[n]
        here = sum(loop.end - end for end in ends.values())
        waited += here
        absent += (threads - len(own)) * (loop.end - loop.begin)
        if own and here >= most:
            most, last = here, max(ends, key=lambda n: ends[n])
    return late, between, waited, absent, tuple(waits), last
