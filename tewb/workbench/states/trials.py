"""Searching, as states: the values of the journal that can be knobs, and the table of trials."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tewb.schedule import steps_of
from tewb.tuning import Trial
from tewb.tuning.board import (
    NO_OPTUNA,
    NO_OPTUNA_HINT,
    Board,
    Found,
    board_of,
    can_recall,
    differences,
    fate,
    knob_texts,
    pressed,
    recall,
)
from tewb.tuning.database import has_optuna
from tewb.tuning.journal_knobs import turnable, values_text
from tewb.tuning.search import FEW
from tewb.workbench.background import running_loop
from tewb.workbench.session import Session

MOST_ROWS = 300


@dataclass(frozen=True, slots=True)
class KnobLine:
    """A value of the journal that can be a knob: its name in a space ("2.factor"), the number of its step, its parameter, what it is
    called, its kind ("factor", "order", "choice" or "flag"), what it is now, and, where it is a knob, its candidates in words."""

    name: str
    step: int
    param: str
    text: str
    kind: str
    now: str
    values: str
    pressed: bool


@dataclass(frozen=True, slots=True)
class Knobs:
    """All values of the journal that can be knobs, in its order. `points` is how many ways the knobs can stand; `can_tune` says
    whether there can be a search over them, and `text` why not, or what it would be."""

    lines: tuple[KnobLine, ...]
    points: int
    can_tune: bool
    text: str


@dataclass(frozen=True, slots=True)
class TrialLine:
    """A trial: its state ("ok", "slow", "same", "refused", "over budget", "wrong", "hung", "killed", "failed", "predicted"), in
    `text` in words, with "best" and "mine" (the schedule of the session) where it is that. `seconds` and `spread` are of a
    call that was timed to the end, `time` says them, or why there are none; `times` is how many times as fast as mine it is, where both were timed. `twin` is the
    trial whose text it has. `values` stand under the columns."""

    number: int
    state: str
    text: str
    seconds: float | None
    spread: float | None
    time: str
    times: float | None
    twin: int | None
    values: tuple[str, ...]
    pinned: bool


@dataclass(frozen=True, slots=True)
class TrialColumn:
    """What was turned: its name in a space, what it is called, and how much of the spread of times it explains (0 to 1)."""

    name: str
    text: str
    importance: float | None


@dataclass(frozen=True, slots=True)
class Lead:
    """A trial that was faster than all before it."""

    number: int
    seconds: float


@dataclass(frozen=True, slots=True)
class StepChange:
    """A step that only one of two journals has: sign "-" is one of mine, "+" one of the other."""

    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A trial, the best or one that is pinned, beside the schedule of the session: how many times as fast it is, in words, and
    the steps that are different."""

    number: int
    is_best: bool
    text: str
    changes: tuple[StepChange, ...]


@dataclass(frozen=True, slots=True)
class Trials:
    """The last search: `kind` is "knobs", "autoschedule", or "" where there was none. `rows` are its trials, `left_out` how many
    more there are; `leads` is how the best time fell, in words `fall`; `compared` has the best and what is pinned beside the
    schedule of the session. `text` says all in a line, with the sizes that it was timed with."""

    kind: str
    text: str
    fall: str
    columns: tuple[TrialColumn, ...]
    rows: tuple[TrialLine, ...]
    left_out: int
    leads: tuple[Lead, ...]
    compared: tuple[Compared, ...]


def knobs_state(session: Session) -> Knobs:
    """The values of the journal that can be knobs, and those that are."""
    journal, chosen = session.journal, pressed(session)
    texts = knob_texts(journal)
    lines = tuple(
        [
            KnobLine(
                t.name, t.step, t.param, texts[t.name], t.kind, values_text(t, (t.value,)),
                values_text(t, chosen[t.name]) if t.name in chosen else "", t.name in chosen,
            )
            for t in turnable(journal)
        ]
    )  # fmt: skip
    points = math.prod(map(len, chosen.values()))
    can_tune = any(k.pressed or k.kind == "factor" for k in lines) and has_optuna()
    return Knobs(lines, points, can_tune, _outlook(lines, points, _tried(session, chosen)))


def _tried(session: Session, chosen: Mapping[str, tuple[Any, ...]]) -> int:
    """How many ways that the knobs can stand were tried: also by a trial that was refused before it came to all of them."""
    found = board_of(session).found
    if found.kind != "knobs" or not chosen or math.prod(map(len, chosen.values())) >= FEW:
        return 0
    points = {tuple(t.point.items()) for t in found.trials if t.point and t.point.keys() <= chosen.keys()}
    ways = (dict(zip(chosen, way, strict=True)).items() for way in itertools.product(*chosen.values()))
    return sum(any(way >= set(p) for p in points) for way in ways)


def _outlook(lines: tuple[KnobLine, ...], points: int, tried: int) -> str:
    if not has_optuna():
        return f"{NO_OPTUNA}: {NO_OPTUNA_HINT}"
    if not lines:
        return "no step has a value that could be a knob: split or tile a loop"
    if not any(k.pressed for k in lines):
        others = "; without any, all factors are" if any(k.kind == "factor" for k in lines) else ""
        return f"press a value to make it a knob, here or in the journal{others}"
    count = f"{points:,} point{'' if points == 1 else 's'}"
    if 0 < tried < points:
        return f"{count}, of which {tried} were tried; tuning again goes on with the others"
    return count + (", all are tried" if points < FEW else "")


def trials_state(session: Session) -> Trials:
    """The trials of the last search, of another day too."""
    if running_loop() is None and can_recall(session):  # in a notebook the desk does it in the background
        recall(session)
    board = board_of(session)
    found, mine = board.found, board.trial_with(session.journal)
    names = list(dict.fromkeys(name for t in found.trials for name in t.point))
    columns = tuple([TrialColumn(n, found.texts.get(n, n), found.importances.get(n)) for n in names])
    shown = _shown(board, found, mine)
    rows = tuple([_line(t, names, board, found, mine) for t in shown])
    leads = tuple([Lead(n, found.trial(n).seconds or 0.0) for n in found.leads])
    fall = ", ".join(f"{found.trial(n).time} by trial {n}" for n in found.leads)
    return Trials(
        found.kind, _text(found), f"The best so far: {fall}", columns, rows, len(found.trials) - len(rows), leads,
        tuple(_compared(session, board, found, mine)),
    )  # fmt: skip


def _text(found: Found) -> str:
    if not found.kind:
        return ""
    sizes = f" ({found.sizes})" if found.sizes else ""
    more = len(found.trials) - MOST_ROWS
    return f"{found}{', of another day' if found.is_of_another_day else ''}{sizes}" + (
        "; the fastest and the last are shown" if more > 0 else ""
    )


def _shown(board: Board, found: Found, mine: Trial | None) -> list[Trial]:
    """The trials that the table has: of many the fastest and the last, with what is pinned and mine."""
    if len(found.trials) <= MOST_ROWS:
        return list(found.trials)
    timed = sorted((t for t in found.trials if t.seconds is not None), key=lambda t: t.seconds or 0.0)
    kept = {t.number for t in (*timed[: MOST_ROWS // 2], *found.trials[-MOST_ROWS // 3 :])}
    kept |= {*board.pinned, *found.leads, *([] if mine is None else [mine.number])}
    return [t for t in found.trials if t.number in kept]


def _line(t: Trial, names: list[str], board: Board, found: Found, mine: Trial | None) -> TrialLine:
    values = tuple([_value(t.point[n]) if n in t.point else "" for n in names])
    state = fate(t)
    said = [
        f"same text as {t.twin}" if state == "same" else state,
        *(["best"] if found.leads[-1:] == (t.number,) else []),
        *(["mine"] if mine is not None and mine.number == t.number else []),
    ]
    spread = None if t.time is None or t.seconds is None else t.time.spread
    return TrialLine(
        t.number, state, ", ".join(said), t.seconds, spread, _time_text(t), _times(t, mine), t.twin, values,
        t.number in board.pinned,
    )  # fmt: skip


def _time_text(t: Trial) -> str:
    """How long a call took, or why that is not known; of what was given up only that it was slow is."""
    return t.message if t.time is None or t.seconds is None else str(t.time)


def _times(t: Trial, mine: Trial | None) -> float | None:
    if mine is None or not mine.seconds or not t.seconds:
        return None
    return mine.seconds / t.seconds


def _value(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _compared(session: Session, board: Board, found: Found, mine: Trial | None) -> list[Compared]:
    best = found.leads[-1:] or tuple([t.number for t in found.trials if t.state == "predicted"])
    listed = []
    for number in dict.fromkeys((*best, *board.pinned)):
        t = found.trial(number)
        steps = session.journal if t.state == "refused" else steps_of(t.steps, "session.journal")
        changes = tuple([StepChange(*c) for c in differences(session.journal, steps)])
        is_best = number in best
        what = "Pinned" if not is_best else "The best and pinned" if number in board.pinned else "The best"
        text = f"{what}, trial {number}: {_beside(session, t, mine, bool(changes))}"
        listed.append(Compared(number, is_best, text, changes))
    return listed


def _beside(session: Session, t: Trial, mine: Trial | None, is_different: bool) -> str:
    """How many times as fast a trial is as the schedule of the session, in words."""
    if t.state == "refused":
        return f"refused, {t.message}"
    if not is_different:
        return "this is the schedule as it is"
    if t.seconds is None:
        return _time_text(t) if t.state == "slow" else ", ".join(filter(None, [fate(t), t.message]))
    times = _times(t, mine)
    if times is not None:
        return f"{times:.3g} times as fast as the schedule as it is"
    measured = session.timings.get(session.journal) if session.timings else None
    kernel = None if measured is None else measured.kernel
    if kernel is not None and t.seconds:
        return f"{kernel.median / t.seconds:.3g} times as fast as the schedule as it was measured"
    slow = board_of(session).given_up_with(session.journal)
    return f"the schedule as it is was {'not timed' if slow is None else _time_text(slow)}"
