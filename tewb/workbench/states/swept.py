"""What a sweep found: other factors and orders, with their times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tewb.schedule import journal_json
from tewb.workbench.judge.sweep import Sweep, SweepTrial


@dataclass(frozen=True, slots=True)
class TrialRow:
    """A schedule that was tried: what is different in it, its median and the spread in seconds, and how many times as fast
    as the schedule that the sweep began with it is (None: its result was wrong, or it could not be timed, as `message`
    says). `steps` is its journal, with the recipes that made some of its steps."""

    label: str
    seconds: float | None
    spread: float | None
    gain: float | None
    message: str
    steps: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Swept:
    """The trials of a sweep, the fastest first. `is_current` says whether the schedule and the sizes are
    still those that it began with."""

    rows: tuple[TrialRow, ...]
    text: str
    left_out: int
    complete: bool
    is_current: bool


def swept_state(found: Sweep, is_current: bool = True) -> Swept:
    """What a sweep found."""
    rows = sorted(found.trials, key=lambda t: -(t.gain or 0.0))
    return Swept(tuple(map(_row, rows)), str(found), found.left_out, found.complete, is_current)


def _row(t: SweepTrial) -> TrialRow:
    return TrialRow(t.label, t.seconds, t.spread, t.gain, t.message, tuple(journal_json(t.journal)))
