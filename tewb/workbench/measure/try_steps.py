"""Trying steps: the program after them beside the program before, checked first and then timed in turn."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tewb.base import ScheduleError, Stop, Stopped, TewbError, stopped_by
from tewb.driver import build_ir
from tewb.ir import script
from tewb.lowering import lower_schedule
from tewb.runtime import Kernel, Timing
from tewb.schedule import Schedule, Step, steps_of
from tewb.workbench.journal.timeline import Journal
from tewb.workbench.measure.counts import least_bytes, operations
from tewb.workbench.measure.interruptible import interruptible
from tewb.workbench.measure.measure import EQUAL, check, filled_like, in_order, prepare, sizes_now, workers_of
from tewb.workbench.measure.measurement import Measurement
from tewb.workbench.measure.trials import Progress, in_turn
from tewb.workbench.session_view import SessionView

SECONDS = 20.0  # that trying may take
FASTER = 1.03  # less than this is no gain: times differ as much by themselves
ROUNDS = 7
FEW_ROUNDS = 3
LONG = 0.5  # seconds to build and run the program as it is, from which on few rounds are enough


@dataclass(frozen=True, slots=True)
class Tried:
    """Steps that were tried from a journal: how many times as fast the program is after them (None when its result was
    wrong, or it could not be timed, which `message` says). `others` were tried beside them, and were no better;
    `loops_before` are the loops of the journal as text, and `timing` are the times after the steps, on `workers` threads."""

    steps: tuple[Step, ...]
    journal: Journal
    gain: float | None
    message: str = ""
    others: tuple[tuple[Step, ...], ...] = ()
    loops_before: str = ""
    timing: Timing | None = None
    workers: int = 1

    @property
    def all_steps(self) -> tuple[tuple[Step, ...], ...]:
        return (self.steps, *self.others)

    @property
    def is_faster(self) -> bool:
        """Whether the steps are worth keeping."""
        return self.gain is not None and self.gain >= FASTER

    def __str__(self) -> str:
        steps = ", then ".join(map(str, self.steps))
        if self.gain is None:
            return f"{steps}: {self.message}; taken back"
        how = f"{self.gain:.3g} times as fast" if self.gain >= 0.995 else f"{1 / self.gain:.3g} times as slow"
        return f"{steps}: {how}{'' if self.is_faster else ', taken back'}"


class Rig:
    """What schedules of one program are run with: its inputs, and what the outputs should be, which is computed once by
    the reference, or by the definition."""

    def __init__(self, session: SessionView) -> None:
        self.session = session
        self.inputs, self.outputs, self.expected = interruptible(lambda: prepare(session))
        self.sizes = sizes_now(session)

    def kernel(self, schedule: Schedule) -> Kernel:
        """The kernel of a schedule of the program."""
        return build_ir(lower_schedule(schedule, self.session.args, self.session.name))

    def runner(self, kernel: Kernel) -> tuple[str | None, Callable[[], Any]]:
        """What is wrong with the result of a kernel (None: nothing), and a function that calls it."""
        outputs = {t: filled_like(a) for t, a in self.outputs.items()}
        arguments = in_order(self.session.args, self.inputs, outputs, self.sizes)
        wrong = check(kernel, arguments, outputs, self.expected)
        return wrong, lambda: kernel(*arguments)


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
    at most. Raises ScheduleError when `steps` are refused, and Stopped when `stop()` is true."""
    hint = "the steps of session.advise().next[0]"
    wanted, *rest = [steps_of(some, hint) for some in (steps, *others)]
    contest = _Contest(session, [wanted, *rest], progress or (lambda done, what: None))
    until = time.monotonic() + seconds

    def is_late() -> bool:
        return time.monotonic() > until

    try:
        with stopped_by(lambda: is_late() or (stop is not None and stop())):
            return contest.result(is_late)
    except Stopped:
        if not is_late():
            raise
        return Tried(
            wanted, contest.journal, None, f"not timed within {seconds:g} s", tuple(rest), contest.loops
        )


class _Contest:
    """Several continuations of one journal, of which the fastest is wanted."""

    def __init__(self, session: SessionView, all_steps: list[tuple[Step, ...]], tell: Progress) -> None:
        self.session, self.journal, self.all_steps, self.tell = session, session.journal, all_steps, tell
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

    def result(self, is_late: Stop) -> Tried:
        self.tell(0.0, "computing what the result should be")
        rig = Rig(self.session)
        began = time.perf_counter()
        _, old = rig.runner(rig.kernel(self.before))
        rounds = ROUNDS if time.perf_counter() - began < LONG else FEW_ROUNDS
        runs: dict[int, Callable[[], Any]] = {}
        problems: list[str] = []
        workers: dict[int, int] = {}
        for i, schedule in self.after.items():
            self.tell(0.1 + 0.4 * i / len(self.after), "building and checking")
            try:
                kernel = rig.kernel(schedule)
                wrong, runs[i] = rig.runner(kernel)
                workers[i] = workers_of(kernel)
            except TewbError as e:
                wrong = e.message
            if wrong:
                problems.append(wrong if i not in runs else f"the result is wrong: {wrong}")
                runs.pop(i, None)
        if not runs:
            return Tried(
                self.all_steps[0], self.journal, None, problems[0], tuple(self.all_steps[1:]), self.loops
            )

        def told(done: float, what: str) -> None:
            self.tell(0.5 + done / 2, what)

        base, *rest = in_turn([old, *runs.values()], rounds, is_late, told, cold=False)
        times = {i: t.warm for i, t in zip(runs, rest, strict=True)}
        gains = {i: faster(base.warm, t) for i, t in times.items()}
        # The first is the simplest: another must be clearly better.
        best = max(gains, key=lambda i: gains[i] * (FASTER if i == 0 else 1.0))
        others = tuple([s for i, s in enumerate(self.all_steps) if i != best])
        return Tried(
            self.all_steps[best],
            self.journal,
            gains[best],
            "",
            others,
            self.loops,
            times[best],
            workers[best],
        )


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
    )
