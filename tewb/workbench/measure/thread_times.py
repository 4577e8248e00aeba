"""What the threads of a kernel did in one call: who was busy for how long, and what cost most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tewb.base import lazy
from tewb.runtime import ThreadTrace, TracedLoop, TracedTask, shown
from tewb.workbench.journal.timeline import Journal
from tewb.workbench.measure.thread_bars import LoopSpan, ThreadBar, loop_spans, thread_bars
from tewb.workbench.measure.thread_loops import LoopFacts, LoopTimes, loop_times
from tewb.workbench.measure.thread_words import counted, loop_text, losses

WORTH_SAYING = 0.03  # of the time of all threads


@dataclass(frozen=True, repr=False, eq=False)
class ThreadTimes:
    """One call of a kernel, the middle one of several by its time. `facts` are those of its loops, by their lines in the
    low-level IR, `threads` is the size of the pool, `processors` how many this process may use, `plain` the seconds of a
    call of the same kernel that is not traced. It is of the schedule `journal`, with `sizes`."""

    trace: ThreadTrace
    facts: Mapping[int, LoopFacts]
    threads: int
    processors: int
    plain: float
    journal: Journal
    sizes: str = ""

    @lazy
    def loops(self) -> tuple[LoopTimes, ...]:
        """The parallel loops in the order in which they began."""
        return loop_times(self.facts, self.trace, self.threads)

    @lazy
    def bars(self) -> tuple[ThreadBar, ...]:
        """The timeline, with the loops by their numbers in `loops`."""
        return thread_bars(self.trace, [self._number(t) for t in self.trace.tasks])

    @lazy
    def spans(self) -> tuple[LoopSpan, ...]:
        """When the loops ran, by their numbers in `loops`."""
        return loop_spans(self.trace, [self._number(t) for t in self.trace.loops])

    def _number(self, of: TracedTask | TracedLoop) -> int | None:
        """The number of a loop in `loops`; None for a task whose loop was not kept."""
        return self._numbers.get((of.line, of.depth))

    @lazy
    def _numbers(self) -> dict[tuple[int, int], int]:
        kinds = dict.fromkeys((loop.line, loop.depth) for loop in self.trace.loops)
        return {kind: n for n, kind in enumerate(kinds)}

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
        alone = f"{shown(self.serial)} went by outside of parallel loops, on one thread"
        yield self.serial * (self.threads - 1), alone
        for loop in self.loops:
            if not loop.depth:
                yield from losses(loop)

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


def _more_threads(processors: int) -> str:
    if processors == 1:
        return "this process may use one processor"
    return f"set_num_threads or TEWB_NUM_THREADS gives more, of {processors} processors"
