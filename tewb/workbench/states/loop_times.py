"""The times of loops and stages, as timers in the kernel told them, to be laid on the tree and on the code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tewb.workbench.measure.loop_times import LoopTimes
from tewb.workbench.measure.measure import sizes_text
from tewb.workbench.session import Session


@dataclass(frozen=True, slots=True)
class LoopTimeLine:
    """The seconds of a stage or loop in one call of the kernel, with all that runs in it; `own` are those in which nothing
    runs that is inside of it and timed. `known` says what they are: its own ("timed"), those of what is around it and does
    nothing else ("around"), those of some of its pieces ("some"), or nobody knows ("not"); they are `most` at most. `tasks` are those of all
    iterations of a parallel loop together. `part` is its number in the links of code, `key` its name in the tree.
    `entries` is how often it began."""

    key: str
    part: int
    seconds: float | None
    own: float | None
    entries: float
    tasks: float | None
    known: Literal["timed", "around", "some", "not"]
    most: float


@dataclass(frozen=True, slots=True)
class LoopTimesState:
    """The times that were measured last. `steps` is how many steps the schedule had that was measured, None before the
    first measurement; `stale` says that it, or the sizes, are others by now. `whole` are the seconds of the kernel, `slowdown` says
    how much longer it takes with timers (0.05 is 5 %), and `said` all of this in words."""

    lines: tuple[LoopTimeLine, ...]
    whole: float | None
    slowdown: float | None
    steps: int | None
    stale: bool
    said: str


def loop_times_state(session: Session) -> LoopTimesState:
    """The times of loops that a session measured last."""
    found = session.loop_times
    if found is None:
        return LoopTimesState((), None, None, None, False, "the loops were not measured yet")
    part = session.code_forms.loop_numbers.number
    lines = tuple(
        [
            LoopTimeLine(
                t.stage if t.loop is None else f"{t.stage}/{t.loop}", part(t.stage, t.loop), t.seconds, t.own, t.entries,
                t.tasks, t.known, t.most,
            )
            for t in found.lines
            if t.stage and not t.is_call
        ]
    )  # fmt: skip
    whole = found.lines[0].seconds if found.lines else None
    steps = len(found.journal)
    stale = found.journal != session.journal or found.sizes != sizes_text(session)
    return LoopTimesState(lines, whole, found.slowdown, steps, stale, _said(found, steps, stale))


def _said(found: LoopTimes, steps: int, stale: bool) -> str:
    sizes = f" with {found.sizes}" if found.sizes else ""
    when = f"as of step {steps}{sizes}: " if stale else ""
    return when + found.message
