"""The shortest journal that still shows something: a wrong result, an error, or a slow kernel.

Delta debugging on the steps (A. Zeller and R. Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002): runs of
steps are left out, and what still shows it goes on; a step that others need takes them with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tewb.base import TewbError, one_of
from tewb.lowering import lower_schedule
from tewb.schedule import Schedule, Step
from tewb.workbench.journal.replay import replay
from tewb.workbench.measure.verify import verify
from tewb.workbench.session_view import ProgramView

Still = Callable[[Schedule], bool]

SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Minimal:
    """The steps that are left, how many there were, how many schedules were tried, and whether the time was enough to
    know that none of them can be left out."""

    steps: tuple[Step, ...]
    before: int
    tried: int
    complete: bool

    def __str__(self) -> str:
        steps = "; ".join(map(str, self.steps)) or "no step is needed"
        rest = "" if self.complete else " (the time was not enough to try all)"
        return f"{len(self.steps)} of {self.before} steps: {steps}{rest}"


def minimise(program: ProgramView, still: str | Still = "different", seconds: float = SECONDS) -> Minimal:
    """The shortest journal found that still shows what the whole one does.

    `still` is "different" (results differ from the definition on small sizes), "fails" (lowering raises), or a function
    of a schedule. Nothing changes in the session. Raises TewbError when the whole journal does not show it.
    """
    shows = (
        _questions(program)[one_of("question", still, _NAMES, TewbError)] if isinstance(still, str) else still
    )
    journal = program.journal
    search = _Search(program, journal, shows, time.monotonic() + seconds)
    everything = list(range(len(journal)))
    if search.shown(everything) is None:
        what = still if isinstance(still, str) else "so"
        raise TewbError(
            f"the schedule as it is now is not {what}", hint="minimise looks for the steps that make it so"
        )
    kept = search.shortest(everything)
    steps = search.shown(kept)
    assert steps is not None
    return Minimal(steps, len(journal), search.tried, not search.is_late)


_NAMES = ("different", "fails")


def _questions(program: ProgramView) -> dict[str, Still]:
    def differs(schedule: Schedule) -> bool:
        return verify(schedule, program.args).ok is False

    def fails(schedule: Schedule) -> bool:
        return _stuck(program, schedule) is not None

    return {"different": differs, "fails": fails}


def _stuck(program: ProgramView, schedule: Schedule) -> TewbError | None:
    try:
        lower_schedule(schedule, program.args, program.name)
    except TewbError as e:
        return e
    return None


class _Search:
    """Tries parts of a journal, each once, until the time is over."""

    def __init__(self, program: ProgramView, journal: Sequence[Step], shows: Still, until: float) -> None:
        self.program, self.journal, self.shows, self.until = program, tuple(journal), shows, until
        self.known: dict[tuple[int, ...], tuple[Step, ...] | None] = {}
        self.tried = 0

    @property
    def is_late(self) -> bool:
        return time.monotonic() > self.until

    def shown(self, order: Sequence[int]) -> tuple[Step, ...] | None:
        """The steps that are left of these, if they show it."""
        key = tuple(order)
        if key not in self.known:
            self.known[key] = self._try(order)
        return self.known[key]

    def _try(self, order: Sequence[int]) -> tuple[Step, ...] | None:
        self.tried += 1
        steps, _ = replay(self.program.schedule, self.journal, order, lambda schedule: None)
        trial = Schedule(self.program.schedule.outputs)
        try:
            trial.restore(steps)
            return steps if self.shows(trial) else None
        except TewbError:
            return None

    def shortest(self, order: list[int]) -> list[int]:
        """Leaves out halves, quarters, ... of the steps, down to single ones, as long as that makes it shorter."""
        parts = 2
        while len(order) > 1 and not self.is_late:
            size = -(-len(order) // parts)
            chunks = [order[i : i + size] for i in range(0, len(order), size)]
            shorter = next(
                (
                    rest
                    for rest in map(_without(order), chunks)
                    if not self.is_late and self.shown(rest) is not None
                ),
                None,
            )
            if shorter is not None:
                order, parts = shorter, max(parts - 1, 2)
            elif size == 1:
                break
            else:
                parts = min(2 * parts, len(order))
        if len(order) == 1 and not self.is_late and self.shown([]) is not None:
            return []
        return order


def _without(order: Sequence[int]) -> Callable[[Sequence[int]], list[int]]:
    return lambda chunk: [i for i in order if i not in chunk]
