"""Measuring loops: a kernel with timers around its loops and stages, timed beside the one without."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from tewb.base import ArgumentError, InternalError, Stop, Stopped, check_given, here, stopped_by
from tewb.driver import build_ir
from tewb.ir import AttrStmt, ExternRegion, IRModule, PrimFunc, walk
from tewb.lowering import LoopPart, Pass, Share, loop_parts, time_loops
from tewb.runtime import Kernel, calls_for, sample, shown
from tewb.workbench.journal.timeline import Journal
from tewb.workbench.measure.counts import value_of
from tewb.workbench.measure.interruptible import interruptible, wait_for_given_up
from tewb.workbench.measure.loop_times import LoopTimes, timers_cost, times_of_loops
from tewb.workbench.measure.measure import (
    STOPPED,
    Arrays,
    difference,
    empty_outputs,
    in_order,
    inputs_of,
    sizes_now,
    sizes_text,
    workers_of,
)
from tewb.workbench.measure.timer_cost import timer_cost
from tewb.workbench.measure.trials import Progress
from tewb.workbench.session_view import SessionView

T = TypeVar("T")

ROUNDS = 9  # samples
FEW = 4  # samples after which it is known that a kernel is too slow
TRIES = 4  # kernels that are built, each with fewer timers, until one is slowed down little enough
SAMPLE = 0.02  # seconds of calls
LONG = 0.2  # seconds of one call, which is not repeated without need


def measure_loops(
    session: SessionView,
    seconds: float = 10.0,
    slowdown: float = 0.1,
    stop: Stop | None = None,
    progress: Progress | None = None,
) -> LoopTimes:
    """How long each stage and loop of a session's kernel takes, by timers in the kernel.

    A timer takes about 20 ns for each entry. So they stand around outer loops first, and around inner ones while all of
    them together take less than `slowdown` of the time of the kernel; by how much it is slowed down is measured, and
    where it is more, the innermost are left out. Results must be those of the kernel without timers. After `seconds` no
    more is begun than one result needs; `stop()` ends the work within a second, whatever it is. `progress(done, what)` is
    told what goes on.
    Raises TewbError for what keeps the kernel from being built or run.
    """
    for name, number in (("seconds", seconds), ("slowdown", slowdown)):
        if isinstance(number, bool) or not isinstance(number, int | float) or not number > 0:
            raise ArgumentError(
                f"{name}={number!r} is no number above 0", hint="measure_loops(seconds=10, slowdown=0.1)", span=here()
            )  # fmt: skip
    for name, given in (("stop", stop), ("progress", progress)):
        is_right, hint = given is None or callable(given), f"leave {name} out, or give a function"
        check_given(is_right, name, given, "a function", hint, ArgumentError)
    with stopped_by(stop):
        try:
            return _Measuring(session, seconds, slowdown, stop, progress or (lambda done, what: None)).run()
        except Stopped:
            return LoopTimes((), None, None, None, 1, STOPPED, session.journal)


class _Measuring:
    """One measurement of a session as it is now."""

    def __init__(
        self, session: SessionView, seconds: float, slowdown: float, stop: Stop | None, tell: Progress
    ) -> None:
        self.session, self.slowdown, self.stop, self.tell = session, slowdown, stop, tell
        self.ends = time.monotonic() + seconds
        self.journal, self.scheduled, self.function = _program_now(session)
        self.sizes = sizes_now(session)
        tell(0.0, "building")
        self.kernel = build_ir(self.module)
        self.inputs = inputs_of(session, self.sizes)
        self.parts: LoopPart | None = None

    @property
    def module(self) -> IRModule:
        return IRModule({self.session.name: self.function})

    def run(self) -> LoopTimes:
        wait_for_given_up(self.tell)
        expected = empty_outputs(self.session, self.sizes)
        plain = self.call(self.kernel, expected)
        self.tell(0.1, "timing the kernel as it is")
        once = self.sample(plain, 1)
        calls = 1 if once > SAMPLE else calls_for(plain, SAMPLE)
        once = min(once, *self.samples(lambda: self.sample(plain, calls), 1 if once > LONG else 3))
        few = 1 if once > LONG else FEW
        budget = self.slowdown * once / (timer_cost().entry * timer_cost().tick)  # entries of timers
        for attempt in range(TRIES):
            self.tell(0.2 + 0.2 * attempt, "timing loops")
            timed, parts = self.with_timers(budget)
            self.check(timed, parts, expected)
            take = self.sampler(timed, parts, calls)
            samples = self.samples(take, few)
            if not self.is_slow(samples) or len(parts) == 1:
                samples += self.samples(take, ROUNDS - few, least=0)
            if not self.is_slow(samples) or len(parts) == 1 or time.monotonic() > self.ends:
                break
            for p, entries in zip(parts, samples[-1].counters[1::2], strict=True):
                p.entries = float(entries)  # what was guessed before
            budget = min(budget, sum(_cost(p) for p in parts)) / 2
        return self.times(parts, samples)

    def is_slow(self, samples: Sequence[_Sample]) -> bool:
        """Whether timers slow the kernel down by more than they may, give or take what cannot be measured."""
        return min(s.timed for s in samples) > (1 + 1.1 * self.slowdown) * min(s.plain for s in samples)

    def call(self, kernel: Kernel, outputs: Arrays, *more: Any) -> Callable[[], Any]:
        """A call of a kernel."""
        arguments = [*in_order(self.session.args, self.inputs, outputs, self.sizes), *more]
        return lambda: kernel(*arguments)

    def sample(self, call: Callable[[], Any], calls: int) -> float:
        """Seconds for one of several calls of a kernel. Python in it may take as long as it likes: it can be given up."""
        if not self.kernel.signature.packed:
            return sample(call, calls)
        return interruptible(lambda: sample(call, calls))

    def samples(self, take: Callable[[], T], most: int, least: int = 1) -> list[T]:
        """What `take` returns, `most` times, or only `least` times where there is no more time. Raises Stopped."""
        taken: list[T] = []
        while len(taken) < (most if time.monotonic() < self.ends else least):
            if self.stop is not None and self.stop():
                raise Stopped
            taken.append(take())
        return taken

    def with_timers(self, budget: float) -> tuple[Kernel, list[LoopPart]]:
        """The kernel with timers that are entered `budget` times in a call, and the parts around which they stand."""
        chosen: list[LoopPart] = []

        def timed(f: PrimFunc) -> PrimFunc:
            if self.parts is None:
                self.parts = loop_parts(f, self.scheduled, lambda v: float(value_of(v, self.sizes)))
            chosen[:] = chosen_parts(self.parts, budget)
            return time_loops(f, self.scheduled, self.parts, chosen)

        timers = Pass(timed, "timers around loops", named="time_loops")
        return build_ir(self.module, more=(timers,)), chosen

    def check(self, timed: Kernel, parts: list[LoopPart], expected: Arrays) -> None:
        """Raise InternalError where the kernel with timers gives other results than the one without. Foreign code may give
        others each time, or leave some unwritten: then there is nothing to compare."""
        found = empty_outputs(self.session, self.sizes)
        self.sample(self.call(timed, found, _counters(parts)), 1)
        if any(
            isinstance(n, AttrStmt) and isinstance(n.node, ExternRegion) for n in walk(self.function.body)
        ):
            return
        for t, want in expected.items():
            wrong = difference(t, found[t], want)
            if wrong:
                raise InternalError(
                    f"with timers around its loops the kernel computes another {t.name}: {wrong}"
                )

    def sampler(self, kernel: Kernel, parts: list[LoopPart], calls: int) -> Callable[[], _Sample]:
        """A function that times the kernel with timers, and then the one without."""
        counters, outputs = _counters(parts), empty_outputs(self.session, self.sizes)
        timed, plain = self.call(kernel, outputs, counters), self.call(self.kernel, outputs)

        def take() -> _Sample:
            counters[:] = 0
            return _Sample(self.sample(timed, calls), counters / calls, self.sample(plain, calls))

        return take

    def times(self, parts: list[LoopPart], samples: list[_Sample]) -> LoopTimes:
        """What timers say, in the fastest sample of their kernel: what else the machine does is least in it."""
        fastest = min(samples, key=lambda s: s.timed)
        counted = {
            p: (float(fastest.counters[2 * i]), float(fastest.counters[2 * i + 1]))
            for i, p in enumerate(parts)
        }
        whole, plain = parts[0], min(s.plain for s in samples)
        own, workers = timers_cost(whole, counted, timer_cost()), workers_of(self.kernel)
        lines = times_of_loops(whole, counted, timer_cost())
        message = _summary(plain, fastest.timed, own, workers, len(parts))
        sizes = sizes_text(self.session, self.sizes)
        return LoopTimes(lines, plain, fastest.timed, own, workers, message, self.journal, sizes)


@dataclass(frozen=True, slots=True)
class _Sample:
    """Seconds of a call with timers, what they counted in it, and the seconds of a call without."""

    timed: float
    counters: Any
    plain: float


def _counters(parts: Sequence[LoopPart]) -> Any:
    """The counters of timers around so many parts, at 0."""
    return np.zeros(2 * len(parts), np.int64)


def chosen_parts(kernel: LoopPart, budget: float) -> list[LoopPart]:
    """The parts of `kernel` to time, from the outside in: those that are entered `budget` times together. What is all of the
    part around it needs no timer, and what has no loop in it takes less time than one."""
    chosen, spent = [kernel], 0.0
    reached = {kernel}
    for part in sorted(kernel.all()[1:], key=_cost):
        if part.parent not in reached:
            continue
        if part.share_of_parent() is Share.ALL:
            reached.add(part)
        elif part.runs and spent + _cost(part) <= budget:
            spent += _cost(part)
            chosen.append(part)
            reached.add(part)
    return chosen


def _cost(part: LoopPart) -> float:
    """How often the timer of a part is entered in one call; each task hands its counters over, which takes as long."""
    task = part.parent
    while task is not None and task.kind != "tasks":
        task = task.parent
    return part.entries + (0.0 if task is None else task.entries)


def _program_now(session: SessionView) -> tuple[Journal, PrimFunc, PrimFunc]:
    """The journal, the function as scheduled and the lowered one, although the schedule may be edited meanwhile."""
    while True:
        journal = session.journal
        function, passes = session.function, session.passes
        if session.journal == journal:
            return journal, passes[0][1], function


def _summary(plain: float, timed: float, own: float, workers: int, timers: int) -> str:
    """What the timers did to the kernel."""
    threads = "" if workers == 1 else f" on {workers} threads"
    none = "; none but the whole could be timed without slowing it down more" if timers == 1 else ""
    return (
        f"{shown(plain)} a call{threads}; with {timers} timer{'' if timers == 1 else 's'} {shown(timed)} "
        f"({100 * (timed / plain - 1):+.1f} %), of which they themselves take about {shown(own)}{none}"
    )
