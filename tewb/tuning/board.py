"""The board of a session: the knobs that were pressed in its journal, and the trials of the last search, with what was pinned.

What the workbench shows of searching is a function of it. Searches are kept in files of this user, for each program with its sizes,
processor and versions, so that a board of another day begins with the last one: those over knobs in a database, what
autoschedule tried and what was pinned in `board_file`.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from tewb.base import ArgumentError, Stop, TewbError, check_given, here, one_of
from tewb.schedule import Step, journal_json, steps_of
from tewb.tuning.auto import IN_TURN, AutoTrial, autoschedule
from tewb.tuning.board_file import BoardFile, Kept, read
from tewb.tuning.database import begins_as_database, has_optuna, optuna_version
from tewb.tuning.importance import importances
from tewb.tuning.journal_knobs import Turnable, candidates, check_choices, given_values, places, turnable
from tewb.tuning.result import TuneResult
from tewb.tuning.search import name_of, tune
from tewb.tuning.study import Recalled, Trial, recalled
from tewb.tuning.subject import FromJournal, key_of_search
from tewb.tuning.task import GIVEN_UP
from tewb.workbench.measure.measure import sizes_text
from tewb.workbench.session import Session

MOST_TRIALS = 100_000  # the time is what ends a search here
RUN_LIMIT = 10.0  # seconds that one trial may run
PAUSE = 0.25  # seconds between two looks at what was found
IDEAS, IDEAS_TEXT = "ideas", "what was done"  # what is different in the trials of autoschedule

Progress = Callable[[float, str], None]
Run = Callable[[Progress, Stop, Callable[[], None]], str]


@dataclass(frozen=True)
class Found:
    """What a search has found so far: `kind` is how it was searched, `leads` the numbers of the trials that were faster than all
    before, `texts` what knobs are called, by name, and `sizes` those that it was timed with, in words. `file` keeps what is pinned."""

    kind: Literal["", "knobs", "autoschedule"] = ""
    trials: tuple[Trial, ...] = ()
    leads: tuple[int, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    sizes: str = ""
    importances: Mapping[str, float] = field(default_factory=dict)
    is_of_another_day: bool = False
    file: BoardFile | None = field(default=None, compare=False)

    @property
    def best(self) -> Trial | None:
        """The fastest trial."""
        return self.trial(self.leads[-1]) if self.leads else None

    def trial(self, number: int) -> Trial:
        """A trial by its number. Raises ArgumentError."""
        found = next((t for t in self.trials if t.number == number), None)
        if found is None:
            raise ArgumentError(
                f"there is no trial {number}", hint="the table has their numbers" if self.trials else "nothing was searched yet", span=here()
            )  # fmt: skip
        return found

    def __str__(self) -> str:
        count = len(self.trials)
        best = "none was timed" if self.best is None else f"the best {self.best.time}"
        return f"{count} trial{'' if count == 1 else 's'}, {best}{self._why_not_the_fastest()}"

    def _why_not_the_fastest(self) -> str:
        """Why the best is not the one with the least time, where it is not."""
        least = min((t.seconds for t in self.trials if t.seconds is not None), default=0.0)
        is_fastest = self.best is None or self.best.seconds is None or self.best.seconds <= least
        return "" if is_fastest else f" ({IN_TURN})"


class Board:
    """`knobs` are the values that were pressed: where they stand (a place of the journal, a parameter) and their candidates;
    `found` is what was searched last, `pinned` the numbers of trials to keep in view."""

    def __init__(self) -> None:
        self.knobs: dict[tuple[str, str], tuple[Any, ...]] = {}
        self.found = Found()
        self.pinned: tuple[int, ...] = ()
        self.was_recalled = False
        self._known: dict[int, tuple[Trial, str]] = {}

    def show(self, found: Found) -> None:
        """Put what was found on the board: a search that has found nothing takes nothing away. Pins stay while their trials are
        there as they were; where others of a search were pinned before, these are again."""
        self.was_recalled = True
        if self.found.trials and not found.trials:
            return
        there = {t.number: t for t in found.trials}
        if found.file is not None and found.file != self.found.file:
            kept = read(found.file.path, found.file.search)
            self.pinned = tuple([n for n in (kept[1].pinned if kept is not None else ()) if n in there])
        else:
            self.pinned = tuple([t.number for t in self._pinned_now() if there.get(t.number) == t])
        self.found = found

    def _pinned_now(self) -> list[Trial]:
        return [self.found.trial(n) for n in self.pinned]

    def pin(self, number: int, is_pinned: bool = True) -> None:
        """Keep a trial in view, or not any more. Raises ArgumentError where there is no such trial."""
        self.found.trial(number)
        others = tuple([n for n in self.pinned if n != number])
        self.pinned = (*others, number) if is_pinned else others
        if self.found.file is not None:
            self.found.file.pin(self.pinned)

    def trial_with(self, journal: Sequence[Step]) -> Trial | None:
        """The timed trial whose steps are those of a journal."""
        return self._of(
            journal, [t for t in self.found.trials if t.seconds is not None and t.state != "same"]
        )

    def given_up_with(self, journal: Sequence[Step]) -> Trial | None:
        """The trial with the steps of a journal that was given up as slow."""
        return self._of(journal, [t for t in self.found.trials if t.state == "slow"])

    def _of(self, journal: Sequence[Step], trials: Sequence[Trial]) -> Trial | None:
        wanted = steps_text(journal_json(journal))
        return next((t for t in trials if self._text(t) == wanted), None)

    def _text(self, t: Trial) -> str:
        known = self._known.get(t.number)
        if known is None or known[0] is not t:
            known = self._known[t.number] = t, steps_text(t.steps)
        return known[1]


def board_of(session: Session) -> Board:
    """The board of a session: the same one always."""
    if session.board is None:
        session.board = Board()
    return session.board


def steps_text(steps: Sequence[Mapping[str, Any]]) -> str:
    """What steps do, as one text, whoever made them and whatever a person calls them."""
    return "\n".join(
        steps_text(s["steps"])
        if "recipe" in s
        else json.dumps([s["primitive"], s["stage"], s["args"]], sort_keys=True, default=str)
        for s in steps
    )


# ---------------------------------------------------------------- knobs


def pressed(session: Session) -> dict[str, tuple[Any, ...]]:
    """The knobs of the journal as it is now, as a space of `tune`."""
    board = board_of(session)
    if not board.knobs:
        return {}
    where = places(session.journal)
    found = ((t.name, board.knobs.get((where[t.step - 1], t.param))) for t in turnable(session.journal))
    return {name: values for name, values in found if values is not None}


def press(session: Session, name: str, values: Sequence[Any] | str | None = None) -> str:
    """Make a value of the journal a knob, with candidates; those that are usual if none are given. Returns them in words."""
    t = _turnable(session, name)
    if values is None:
        chosen = candidates(session.schedule, session.journal, t)
    else:
        chosen = given_values(t, values)
        check_choices(session.schedule, session.journal, t, chosen)
    board_of(session).knobs[places(session.journal)[t.step - 1], t.param] = chosen
    return f"{knob_texts(session.journal)[name]} is a knob with {len(chosen)} value{'' if len(chosen) == 1 else 's'}"


def release(session: Session, name: str) -> str:
    """Make a value of the journal no knob any more."""
    t = _turnable(session, name)
    board_of(session).knobs.pop((places(session.journal)[t.step - 1], t.param), None)
    return f"{knob_texts(session.journal)[name]} is no knob"


def _turnable(session: Session, name: str) -> Turnable:
    known = {t.name: t for t in turnable(session.journal)}
    if not known:
        raise ArgumentError(
            "the journal has no value that could be a knob", hint="split or tile a loop first", span=here()
        )
    return known[one_of("value of the journal", name, known, ArgumentError)]


def knob_texts(journal: Sequence[Step]) -> dict[str, str]:
    """What each value that can be a knob is called in a table: "step 2: tile(C) x_factor"."""
    return {
        t.name: f"step {t.step}: {journal[t.step - 1].primitive}({journal[t.step - 1].stage}) {t.param}"
        for t in turnable(journal)
    }


# ---------------------------------------------------------------- searches


def search_knobs(session: Session, seconds: float, knobs: Mapping[str, Any] | None = None) -> Run:
    """A search over knobs, those that were pressed if none are given, or all factors where there are none. What is wrong
    with them is raised here; what is returned searches, beside the notebook as well, on a copy of the session."""
    _check_seconds(seconds)
    if not has_optuna():
        raise TewbError(NO_OPTUNA, hint=NO_OPTUNA_HINT)
    copy = _copy_of(session)
    for name, values in (knobs or {}).items():
        press(session, name, values)
    space = pressed(session) if knobs is None else {n: pressed(session)[n] for n in knobs}
    about = FromJournal(copy, space or None).about
    file, board = trials_file(session), board_of(session)
    first = Found(
        "knobs", texts=knob_texts(session.journal), sizes=sizes_text(session), file=_pins(session, about)
    )
    board.was_recalled = True  # nobody reads the file while it is made

    def run(progress: Progress, stop: Stop, changed: Callable[[], None]) -> str:
        tell = _Teller(board, seconds, progress, changed)

        def told(_: Trial, result: TuneResult) -> None:
            tell(_with_trials(first, result.trials))

        progress(0.0, "preparing the trials")
        result = tune(
            copy, space or None, trials=MOST_TRIALS, seconds=seconds, database=file, run_limit=RUN_LIMIT,
            progress=told, stop=stop,
        )  # fmt: skip
        said = tell.last(replace(_with_trials(first, result.trials), importances=result.importances))
        return said + (": there is more to try, search again to go on" if result.was_stopped else "")

    return run


def search_freely(session: Session, seconds: float) -> Run:
    """A search without knobs; what is returned does it, on a copy of the session."""
    _check_seconds(seconds)
    copy, board, path = _copy_of(session), board_of(session), board_path(session)
    first = Found("autoschedule", texts={IDEAS: IDEAS_TEXT}, sizes=sizes_text(session))
    board.was_recalled = True

    def run(progress: Progress, stop: Stop, changed: Callable[[], None]) -> str:
        tell = _Teller(board, seconds, progress, changed)
        trials: list[Trial] = []
        leads: list[int] = []
        file: BoardFile | None = None

        def add(t: Trial, is_lead: bool) -> None:
            nonlocal file
            trials.append(t)
            if is_lead:
                leads.append(t.number)
            if file is None and path is not None:
                file = BoardFile.begun(path)
            if file is not None:
                file.add(t, is_lead)

        def found() -> Found:
            return replace(first, trials=tuple(trials), leads=tuple(leads), file=file)

        def told(t: AutoTrial) -> None:
            add(_as_trial(len(trials), t), t.is_kept)
            tell(found())

        progress(0.0, "the model looks at schedules")
        result = autoschedule(copy, seconds, progress=told, stop=stop)
        if not trials:  # there was time for the model only
            add(_as_trial(0, result.best, "predicted"), False)
        return tell.last(found())

    return run


class _Teller:
    """Puts what was found so far on the board, and says how far the search is; not more often than a person can see."""

    def __init__(self, board: Board, seconds: float, progress: Progress, changed: Callable[[], None]) -> None:
        self._board, self._seconds, self._progress, self._changed = board, seconds, progress, changed
        self._began, self._told = time.monotonic(), 0.0

    def __call__(self, found: Found) -> None:
        now = time.monotonic()
        if now - self._told > PAUSE:
            self._told = now
            self._board.show(found)
            self._progress(min((now - self._began) / self._seconds, 1.0), str(found))
            self._changed()

    def last(self, found: Found) -> str:
        self._board.show(found)
        self._changed()
        return f"{found}{'' if self._board.found is found else '; the table is that of before'}"


NO_OPTUNA = "searching over knobs needs Optuna, which is not installed; autoschedule does without"
NO_OPTUNA_HINT = "pip install 'tewb[tune]'"


def _check_seconds(seconds: float) -> None:
    is_time = seconds > 0 and seconds < float("inf")
    check_given(is_time, "seconds", seconds, "a time", "seconds=20", ArgumentError)


def _copy_of(session: Session) -> Session:
    if session.problem is not None:
        raise session.problem
    copy = session.copy()
    copy.budget.lines.extend(session.budget.lines)
    return copy


def _with_trials(found: Found, trials: Sequence[Trial]) -> Found:
    """What was found, with trials in the order of their numbers, those that were faster than all before as leads: of trials
    that went on side by side it does not matter which ended first."""
    ordered = tuple(sorted(trials, key=lambda t: t.number))
    leads: list[int] = []
    least = float("inf")
    for t in ordered:
        if t.seconds is not None and t.seconds < least:
            least = t.seconds
            leads.append(t.number)
    return replace(found, trials=ordered, leads=tuple(leads))


def _as_trial(number: int, t: AutoTrial, state: str = "") -> Trial:
    """A trial of autoschedule as one of a search over knobs."""
    said: dict[str, Any] = {"the result is wrong": "wrong", GIVEN_UP: "slow"}
    without = next((known for words, known in said.items() if t.message.startswith(words)), "failed")
    how: Any = state or ("timed" if t.time is not None else without)
    return Trial(number, {IDEAS: t.label}, how, t.time, t.message, steps=tuple(journal_json(t.journal)))


# ---------------------------------------------------------------- another day


def trials_file(session: Session) -> Path | None:
    """The file of a program's searches over knobs with the Optuna that is installed; None where this user has no place for it."""
    file = _file(f"{name_of(session)} {optuna_version()}", "db")
    try:
        is_ours = file is None or not file.exists() or begins_as_database(file)
    except OSError:
        return None
    return file if is_ours else None


def board_path(session: Session) -> Path | None:
    """The file of what else is kept of a program's searches; None where this user has no place for it."""
    return _file(name_of(session), "jsonl")


def _file(about: str, kind: str) -> Path | None:
    """A file of this user's trials. A kernel may have any name, and a file may not."""
    home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "tewb" / "trials"
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    name = hashlib.sha256(about.encode(errors="replace")).hexdigest()[:32]
    return home / f"{name}.{kind}" if os.access(home, os.W_OK) else None


def _pins(session: Session, about: Mapping[str, Any]) -> BoardFile | None:
    """Where it is kept which trials of a search over knobs are pinned; `about` is what that is of."""
    path = board_path(session)
    search = hashlib.sha256(key_of_search(about).encode()).hexdigest()[:20]
    return None if path is None else BoardFile(path, search)


def can_recall(session: Session) -> bool:
    """Whether the board is empty, and there is a search of another day that it could begin with."""
    board = board_of(session)
    if board.was_recalled:
        return False
    file, other = trials_file(session) if has_optuna() else None, board_path(session)
    found = any(f is not None and f.exists() for f in (file, other))
    board.was_recalled = not found
    return found


def recall(session: Session) -> None:
    """Fill an empty board with the last search of another day: its trials, what was pinned, and its knobs where the journal has
    them."""
    board = board_of(session)
    board.was_recalled = True
    knobs, other = _last_over_knobs(session), _last_without(session)
    if board.found.trials or (knobs is None and other is None):
        return
    if knobs is None or (other is not None and other[1].when > knobs.when):
        assert other is not None
        file, kept = other
        leads, texts = tuple(kept.leads), {IDEAS: IDEAS_TEXT}
        then = Found(
            "autoschedule", tuple(kept.trials.values()), leads, texts, sizes_text(session), {}, True, file
        )
        board.show(then)
    else:
        _recall_knobs(session, knobs)


def _last_over_knobs(session: Session) -> Recalled | None:
    file = trials_file(session)
    try:
        return recalled(file) if file is not None and file.exists() and has_optuna() else None
    except Exception:  # a file of other versions, or a broken one, is no reason to show nothing
        return None


def _last_without(session: Session) -> tuple[BoardFile, Kept] | None:
    path = board_path(session)
    found = None if path is None else read(path)
    return found if found is not None and found[1].trials else None


def _recall_knobs(session: Session, found: Recalled) -> None:
    """Show a search over knobs of another day."""
    board = board_of(session)
    try:
        base = tuple(map(_with_values, steps_of(found.about["steps"], "the steps of a search")))
    except Exception:  # of other versions
        return
    file = _pins(session, found.about)
    of_then = Found(
        "knobs", (), (), knob_texts(base), sizes_text(session), importances(found.trials), True, file
    )
    board.show(_with_trials(of_then, found.trials))
    where = places(base)
    for name, values in (found.about["space"] or {}).items():
        step, _, param = name.partition(".")
        key = where[int(step) - 1], param
        board.knobs.setdefault(key, tuple([tuple(v) if isinstance(v, list) else v for v in values]))


def _with_values(step: Step) -> Step:
    """A step of which a value that was turned is left open, with any value: its places are those of all."""
    return Step(step.primitive, step.stage, {k: _any(k) if v is None else v for k, v in step.args.items()})


def _any(param: str) -> Any:
    return ["", " "] if param == "axes" else 1 if "factor" in param or param in ("nparts", "parallel") else ""


# ---------------------------------------------------------------- what is different


def differences(mine: Sequence[Step], other: Sequence[Step]) -> list[tuple[str, str]]:
    """The steps that only one of two journals has, in their order: ("-", a step of mine) and ("+", one of the other)."""
    a, b = list(map(str, mine)), list(map(str, other))
    found: list[tuple[str, str]] = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag != "equal":
            found += [("-", text) for text in a[i:j]] + [("+", text) for text in b[k:m]]
    return found


def fate(t: Trial) -> str:
    """What became of a trial, in a word: as its state says, but "ok" where it was timed, and of those that failed "hung" and
    "killed" where their process took too long or ended."""
    if t.state == "timed":
        return "ok"
    if t.state == "failed" and "took more than" in t.message:
        return "hung"
    if t.state == "failed" and "process ended" in t.message:
        return "killed"
    return t.state
