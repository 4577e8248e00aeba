"""A sweep: other factors and orders in the steps of a journal, built, checked and timed one at a time.

A walk up the hill: neighbours of the best schedule so far (a factor doubled, halved, or half as large again; two loops of a
reorder exchanged) are tried until none is faster or the time is over. The session stays as it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tewb.base import Stop, Stopped, TewbError, stopped_by
from tewb.ir import script
from tewb.lowering import lower_schedule
from tewb.schedule import Schedule, Step
from tewb.workbench.journal.timeline import Journal
from tewb.workbench.judge.next_steps import Advisable, advise
from tewb.workbench.measure.measure import sizes_text
from tewb.workbench.measure.trials import Progress
from tewb.workbench.measure.try_steps import FASTER, Rig, check_seconds, faster, timed

SECONDS = 20.0
ROUNDS = 5
FACTORS = ("factor", "x_factor", "y_factor", "nparts")


@dataclass(frozen=True, slots=True)
class SweepTrial:
    """A schedule that was tried: what is different in it from the schedule of the session, its journal, its median in
    seconds with the spread, and how many times as fast as the schedule of the session, timed beside it, it is; None where
    its result was wrong or it could not be timed. `base` is the median of the session's schedule at that moment."""

    label: str
    journal: Journal
    seconds: float | None
    spread: float | None
    gain: float | None
    message: str = ""
    base: float | None = None


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep found: the trials in their order, how many were left out (refused, or the same program as another), the
    journal that it began with, whether the time was enough for all, and the sizes that it was timed with."""

    trials: tuple[SweepTrial, ...]
    left_out: int
    journal: Journal
    complete: bool
    sizes: str = ""

    @property
    def best(self) -> SweepTrial | None:
        """The fastest trial, if one is faster than the schedule that the sweep began with."""
        good = [t for t in self.trials if t.gain is not None and t.gain >= FASTER]
        return max(good, key=lambda t: t.gain or 0.0, default=None)

    def __str__(self) -> str:
        best = self.best
        said = "none is faster" if best is None else f"{best.label}: {best.gain:.3g} times as fast"
        rest = "" if self.complete else " (the time was not enough to try all)"
        return f"{len(self.trials)} tried; {said}{rest}"


def sweep(
    session: Advisable,
    seconds: float = SECONDS,
    stop: Stop | None = None,
    progress: Progress | None = None,
    on_trial: Callable[[SweepTrial], None] | None = None,
) -> Sweep:
    """Try other factors and orders in the session's steps for `seconds` at most; without steps that have any, what `advise`
    would try next. `stop()` ends it, with what was found so far; `on_trial` is given each trial.

    `session.take_steps(sweep.best.journal)` takes what was found.
    """
    check_seconds(seconds)
    if session.problem is not None:
        raise session.problem
    walk = _Walk(session, time.monotonic() + seconds, stop, progress or (lambda done, what: None), on_trial)
    return walk.result(seconds)


class _Walk:
    """The walk: the best journal so far, and the programs that were seen."""

    def __init__(
        self,
        session: Advisable,
        until: float,
        stop: Stop | None,
        tell: Progress,
        on_trial: Callable[[SweepTrial], None] | None,
    ) -> None:
        self.session, self.until, self.stop, self.tell, self.on_trial = session, until, stop, tell, on_trial
        self.journal, self.sizes = session.journal, sizes_text(session)
        self.trials: list[SweepTrial] = []
        self.seen: set[str] = set()
        self.left_out = 0

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self.until or (self.stop is not None and self.stop())

    def result(self, seconds: float) -> Sweep:
        begins = time.monotonic()
        complete = False
        try:
            with stopped_by(lambda: self.is_over):
                self.tell(0.0, "computing what the result should be")
                self.rig = Rig(self.session)
                self.seen.add(self._text(self.session.schedule))
                kernel = self.rig.kernel(self.session.schedule.copy())
                self.base = self.rig.checked(kernel)
                if self.base.wrong:
                    raise TewbError(f"the schedule as it is gives a wrong result: {self.base.wrong}")
                self._climb(lambda: (time.monotonic() - begins) / seconds)
                complete = not self.is_over
        except Stopped:
            pass
        return Sweep(tuple(self.trials), self.left_out, self.journal, complete, self.sizes)

    def _climb(self, share: Callable[[], float]) -> None:
        best, gain, journal = None, FASTER, self.journal
        pending = list(neighbours(journal))
        start, idea = journal, ""  # what labels compare with
        if not pending:
            pending = self._ideas()
            start = ()
        while pending:
            for label, candidate in pending:
                if self.is_over:
                    return
                self.tell(min(share(), 1.0), label)
                trial = self._try(label, candidate)
                if trial is not None and trial.gain is not None and trial.gain > gain:
                    best, gain = trial, trial.gain
            if best is None or best.journal == journal:
                return
            journal = best.journal
            if not start:  # an idea was faster: from here on its factors are others
                start, idea = journal, f"{best.label}, "
            pending = [(idea + changes(start, other), other) for _, other in neighbours(journal)]

    def _ideas(self) -> list[tuple[str, Journal]]:
        return [(n.kind, (*self.journal, *n.steps)) for n in advise(self.session).next]

    def _try(self, label: str, journal: Journal) -> SweepTrial | None:
        """Time a journal beside the session's; None when it is refused, or was seen."""
        schedule = self.session.schedule.untouched()
        try:
            schedule.restore(journal)
            text = self._text(schedule)
            if text in self.seen:
                raise TewbError("seen")
        except TewbError:
            self.left_out += 1
            return None
        self.seen.add(text)
        trial = self._timed(label, schedule)
        self.trials.append(trial)
        if self.on_trial is not None:
            self.on_trial(trial)
        return trial

    def _timed(self, label: str, schedule: Schedule) -> SweepTrial:
        journal = schedule.journal
        try:
            checked = self.rig.checked(self.rig.kernel(schedule))
        except TewbError as e:
            return SweepTrial(label, journal, None, None, None, e.message)
        if checked.wrong:
            return SweepTrial(label, journal, None, None, None, f"the result is wrong: {checked.wrong}")
        base, mine = timed([self.base, checked], ROUNDS, lambda: self.is_over)
        return SweepTrial(label, journal, mine.median, mine.spread, faster(base, mine), base=base.median)

    def _text(self, schedule: Schedule) -> str:
        return script(lower_schedule(schedule, self.session.args, self.session.name)[self.session.name])


def changes(start: Sequence[Step], journal: Sequence[Step]) -> str:
    """What is different in a journal from one with the same steps and other factors and orders."""
    said = []
    for old, new in zip(start, journal, strict=True):
        parts = [_factor(old, n, new.args[n]) for n in FACTORS if old.args.get(n) != new.args.get(n)]
        if old.args.get("axes") != new.args.get("axes"):
            swaps = dict(_swaps(old))
            axes = tuple(new.args["axes"])
            parts.append(swaps.get(axes, f"order {', '.join(axes)}"))
        if parts:
            said.append(f"{new.primitive}({new.stage}): {', '.join(parts)}")
    return "; ".join(said)


def _factor(step: Step, name: str, other: int) -> str:
    of = step.args.get("axis") or step.args.get(name[0]) or name
    return f"{of} by {other} instead of {step.args[name]}"


def _swaps(step: Step) -> Iterator[tuple[tuple[str, ...], str]]:
    """The orders of a reorder with two neighbours exchanged, each with what is different in it."""
    axes = step.args["axes"]
    for i in range(len(axes) - 1):
        yield (*axes[:i], axes[i + 1], axes[i], *axes[i + 2 :]), f"{axes[i + 1]} outside of {axes[i]}"


def neighbours(journal: Sequence[Step]) -> Iterator[tuple[str, Journal]]:
    """The journals in which one factor, or the order of two loops, is another, each with what is different in it."""
    for i, step in enumerate(journal):
        for args, said in _other_arguments(step):
            changed = replace(step, args=args)
            yield f"{step.primitive}({step.stage}): {said}", (*journal[:i], changed, *journal[i + 1 :])


def _other_arguments(step: Step) -> Iterator[tuple[dict[str, Any], str]]:
    for name in FACTORS:
        now = step.args.get(name)
        if isinstance(now, int) and now > 0:
            for other in dict.fromkeys((2 * now, now // 2, now + now // 2, now - now // 4)):
                if other > 1 and other != now:
                    yield {**step.args, name: other}, _factor(step, name, other)
    axes = step.args.get("axes")
    if step.primitive == "reorder" and isinstance(axes, list | tuple):
        for order, said in _swaps(step):
            yield {**step.args, "axes": list(order)}, said
