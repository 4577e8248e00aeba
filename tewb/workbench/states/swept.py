"""What a sweep found: other factors and orders, with their times."""

from __future__ import annotations

import statistics
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
    """What a sweep found. Trials are timed at different moments, each beside the schedule that the sweep began with; their
    seconds are shown as if that had taken as long as it did in the middle one, so that they compare as the gains do."""
    rows = sorted(found.trials, key=lambda t: -(t.gain or 0.0))
    bases = [t.base for t in found.trials if t.base is not None]
    base = statistics.median(bases) if bases else None
    shown = tuple([_row(t, base) for t in rows])
    return Swept(shown, str(found), found.left_out, found.complete, is_current)


def _row(t: SweepTrial, base: float | None) -> TrialRow:
    seconds, spread = t.seconds, t.spread
    if base and t.base and t.gain and seconds and spread is not None:
        seconds, spread = base / t.gain, spread * base / t.gain / seconds
    return TrialRow(t.label, seconds, spread, t.gain, t.message, tuple(journal_json(t.journal)))
