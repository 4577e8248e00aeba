"""Trying steps: the program after them beside the program before, checked first and then timed in turn."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tewb.base import ArgumentError, ScheduleError, Stop, Stopped, TewbError, here, stopped_by
from tewb.driver import build_ir
from tewb.ir import script
from tewb.lowering import lower_schedule
from tewb.runtime import Kernel, Timing
from tewb.schedule import Schedule, Step, steps_of
from tewb.workbench.journal.timeline import Journal
from tewb.workbench.measure.counts import least_bytes, operations
from tewb.workbench.measure.interruptible import LONG as MOMENT
from tewb.workbench.measure.interruptible import interruptible, wait_for_given_up
from tewb.workbench.measure.measure import (
    EQUAL,
    filled_like,
    in_order,
    prepare,
    sizes_now,
    sizes_text,
    workers_of,
    wrong_output,
)
from tewb.workbench.measure.measurement import Measurement
from tewb.workbench.measure.trials import Progress, in_turn
from tewb.workbench.session_view import SessionView

SECONDS = 20.0  # that trying may take
FASTER = 1.03  # less than this is no gain: times differ as much by themselves
ROUNDS = 7
LONG = 0.3  # seconds of a call that is not repeated without need
CLEAR = 1.5  # times as long: that is no noise


@dataclass(frozen=True, slots=True)
class Tried:
    """Steps that were tried from a journal: how many times as fast the program is after them (None when its result was
    wrong, or it could not be timed, which `message` says). `others` were tried beside them, and were no better;
    `loops_before` are the loops of the journal as text, and `timing` are the times after the steps, on `workers` threads,
    with `sizes`. `was_edited`: the schedule, or a size, was another when they were to be done, so they were not."""

    steps: tuple[Step, ...]
    journal: Journal
    gain: float | None
    message: str = ""
    others: tuple[tuple[Step, ...], ...] = ()
    loops_before: str = ""
    timing: Timing | None = None
    workers: int = 1
    sizes: str = ""
    was_edited: bool = field(default=False, compare=False)

    @property
    def all_steps(self) -> tuple[tuple[Step, ...], ...]:
        return (self.steps, *self.others)

    @property
    def is_faster(self) -> bool:
        """Whether the steps are worth keeping."""
        return self.gain is not None and self.gain >= FASTER

    @property
    def is_kept(self) -> bool:
        """Whether the steps are done when the session has settled this."""
        return self.is_faster and not self.was_edited

    def __str__(self) -> str:
        steps = ", then ".join(map(str, self.steps))
        if self.gain is None:
            return f"taken back ({self.message}): {steps}"
        how = f"{self.gain:.3g} times as fast" if self.gain >= 0.995 else f"{1 / self.gain:.3g} times as slow"
        if self.is_faster and self.was_edited:
            return f"{how}, but not done, as the schedule was edited meanwhile: {steps}"
        return f"{how}, {'kept' if self.is_faster else 'taken back'}: {steps}"


class Rig:
    """What schedules of one program are run with: its inputs, and what the outputs should be, which is computed once by
    the reference, or by the definition."""

    def __init__(self, session: SessionView) -> None:
        self.session = session
        wait_for_given_up(lambda done, what: None)
        self.sizes = sizes_now(session)
        self.inputs, self.outputs, self.expected = interruptible(lambda: prepare(session, self.sizes))

    def kernel(self, schedule: Schedule) -> Kernel:
        """The kernel of a schedule of the program."""
        return build_ir(lower_schedule(schedule, self.session.args, self.session.name))

    def checked(self, kernel: Kernel) -> Checked:
        """A kernel that was run once, and its result looked at."""
        outputs = {t: filled_like(a) for t, a in self.outputs.items()}
        arguments = in_order(self.session.args, self.inputs, outputs, self.sizes)

        def run() -> Any:
            return kernel(*arguments)

        def run_python() -> Any:  # its functions may take as long as they like: they can be given up
            return interruptible(run)

        call = run_python if kernel.signature.packed else run
        began = time.perf_counter()
        call()
        seconds = time.perf_counter() - began
        wrong = wrong_output(outputs, self.expected)
        return Checked(wrong, run if seconds < MOMENT else call, seconds, workers_of(kernel))


@dataclass(frozen=True, slots=True)
class Checked:
    """A kernel that was run once: what is wrong with its result (None: nothing), a function that calls it, the seconds of
    that first call, and on how many threads it runs."""

    wrong: str | None
    run: Callable[[], Any]
    seconds: float
    workers: int


def timed(
    kernels: Sequence[Checked],
    rounds: int,
    stop: Stop,
    progress: Progress | None = None,
) -> list[Timing]:
    """The times of kernels that were checked, the first of which is what the others are compared with. Of those that take
    long, and are not alike, the first call says enough."""
    base, *others = kernels
    differ = all(o.seconds > CLEAR * base.seconds or base.seconds > CLEAR * o.seconds for o in others)
    if differ and max(k.seconds for k in kernels) > LONG:
        return [Timing((k.seconds,)) for k in kernels]
    rounds = rounds if base.seconds < LONG else 1
    try:
        many = any(k.workers > 1 for k in kernels)
        trials = in_turn([k.run for k in kernels], rounds, stop, progress, cold=False, threads=many)
        return [t.warm for t in trials]
    except Stopped:
        if not stop():
            raise
        return [Timing((k.seconds,)) for k in kernels]  # the time is over, and this is what is known


def try_steps(
    session: SessionView,
    steps: Sequence[Step | Mapping[str, Any]],
    others: Sequence[Sequence[Step | Mapping[str, Any]]] = (),
    seconds: float = SECONDS,
    stop: Stop | None = None,
    progress: Progress | None = None,
) -> Tried:
    """How much faster the program is after `steps`, or after the best of `others`: they are done to copies, and the session
    stays as it is. Each is checked against the reference, or the definition, and then all are timed in turn, for `seconds`
    at most. Raises ScheduleError when `steps` are refused, the session's problem when it has one, and Stopped when `stop()` is true."""
    check_seconds(seconds)
    hint = "the steps of session.advise().next[0]"
    wanted, *rest = [steps_of(some, hint) for some in (steps, *others)]
    contest = _Contest(session, [wanted, *rest], progress or (lambda done, what: None))
    began = time.monotonic()

    def is_late(share: float = 1.0) -> bool:
        return time.monotonic() - began > share * seconds

    try:
        with stopped_by(lambda: is_late() or (stop is not None and stop())):
            tried = contest.result(is_late, lambda: is_late(0.5))
        if stop is not None and stop():  # samples of before it are no result that anybody wants
            raise Stopped
        return tried
    except Stopped:
        if not is_late() or (stop is not None and stop()):
            raise
        return Tried(
            wanted, contest.journal, None, f"not timed within {seconds:g} s", tuple(rest), contest.loops,
            sizes=contest.sizes,
        )  # fmt: skip


def check_seconds(seconds: object) -> None:
    """Raise ArgumentError for what is no limit of time."""
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not is_number or not seconds > 0:  # type: ignore[operator]
        raise ArgumentError(f"seconds={seconds!r} is no time", hint="seconds=20", span=here())


class _Contest:
    """Several continuations of one journal, of which the fastest is wanted."""

    def __init__(self, session: SessionView, all_steps: list[tuple[Step, ...]], tell: Progress) -> None:
        self.session, self.journal, self.tell = session, session.journal, tell
        self.all_steps, self.sizes = tuple(all_steps), sizes_text(session)
        if session.problem is not None:
            raise session.problem
        self.before, self.loops = session.schedule.copy(), script(session.passes[0][1])
        self.after = {0: self._after(all_steps[0])}
        for i, steps in enumerate(all_steps[1:], 1):
            with contextlib.suppress(ScheduleError):  # the others are a choice, no wish
                self.after[i] = self._after(steps)

    def _after(self, steps: tuple[Step, ...]) -> Schedule:
        schedule = self.before.copy()
        for step in steps:
            schedule.apply(step)
        return schedule

    def result(self, is_late: Stop, is_half: Stop) -> Tried:
        self.tell(0.0, "computing what the result should be")
        rig = Rig(self.session)
        old = rig.checked(rig.kernel(self.before))
        checked: dict[int, Checked] = {}
        problems: list[str] = []
        for i, schedule in self.after.items():
            if checked and is_half():
                break
            self.tell(0.1 + 0.4 * i / len(self.all_steps), "building and checking")
            try:
                new = rig.checked(rig.kernel(schedule))
            except TewbError as e:
                problems.append(e.message)
                continue
            if new.wrong is None:
                checked[i] = new
            else:
                problems.append(f"the result is wrong: {new.wrong}")
        if not checked:
            message, others = problems[0], self.all_steps[1:]
            return Tried(self.all_steps[0], self.journal, None, message, others, self.loops, sizes=self.sizes)

        def told(done: float, what: str) -> None:
            self.tell(0.5 + done / 2, what)

        base, *rest = timed([old, *checked.values()], ROUNDS, is_late, told)
        times = dict(zip(checked, rest, strict=True))
        gains = {i: faster(base, t) for i, t in times.items()}
        # The first is the simplest: another must be clearly better.
        best = max(gains, key=lambda i: gains[i] * (FASTER if i == 0 else 1.0))
        others = tuple([s for i, s in enumerate(self.all_steps) if i != best])
        return Tried(
            self.all_steps[best], self.journal, gains[best], "", others, self.loops, times[best], checked[best].workers,
            self.sizes,
        )  # fmt: skip


def faster(old: Timing, new: Timing) -> float:
    """How many times as fast the second is: the median of the ratios of samples that were taken in turn."""
    return statistics.median(a / b for a, b in zip(old.results, new.results, strict=True))


def measured_by_trial(session: SessionView, tried: Tried) -> Measurement:
    """What a trial says of the schedule that it led to, which is the session's now."""
    return Measurement(
        True,
        EQUAL,
        tried.timing,
        operations=operations(session.schedule.outputs, session.sizes),
        bytes=least_bytes(session.args, session.sizes),
        workers=tried.workers,
        journal=session.journal,
        sizes=tried.sizes,
    )
