"""The trials of a search and what is known of them, kept by Optuna in one SQLite file.

Only one process writes: the one that searches. A study is found again by what was searched: the program, its sizes, the
processor, and the versions of tewb and LLVM. What was tried then is known.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tewb.runtime import Timing
from tewb.tuning import owners
from tewb.tuning.database import in_words, load_optuna, quiet, storage_in
from tewb.tuning.importance import importances
from tewb.tuning.knobs import Chooser, Knob

State = Literal["timed", "slow", "same", "refused", "over budget", "wrong", "failed", "stopped", "predicted"]


@dataclass(frozen=True, slots=True)
class Trial:
    """A point of the space and what became of it: its time, or why it has none.

    "same" is one that lowers to the text of trial `twin`, whose time it has. `steps` are those of its journal, as JSON.
    """

    number: int
    point: Mapping[str, Any]
    state: State
    time: Timing | None = None
    message: str = ""
    twin: int | None = None
    steps: tuple[Mapping[str, Any], ...] = ()

    @property
    def seconds(self) -> float | None:
        """The median, when it was timed to the end."""
        return self.time.median if self.time is not None and self.state in ("timed", "same") else None


class Study:
    """The trials of one search: `ask` begins one, `tell` ends it, `trials` are those that ended. `about` is what the search
    is of, as JSON, for `recalled`.

    Other processes may search the same at the same time, in the same file: `news` has what they did. `lost` are the points that
    were begun and never ended, because their process was killed.
    """

    def __init__(
        self, name: str, path: Path | None, seed: int | None, about: Mapping[str, Any] | None = None
    ) -> None:
        optuna = load_optuna()
        self._path, self._owner, self._read = path, owners.begin(), set[int]()
        self._values: dict[str, Hashable] = {}
        self.trials: list[Trial] = []
        self.lost: list[Mapping[str, Any]] = []
        self.elsewhere: list[Mapping[str, Any]] = []
        with quiet(), in_words(path):
            self._sampler = optuna.samplers.TPESampler(
                seed=seed, multivariate=True, group=True, n_startup_trials=12, constant_liar=True
            )
            self._study: Any = optuna.create_study(
                storage=None if path is None else storage_in(path),
                study_name=name,
                sampler=self._sampler,
                load_if_exists=True,
            )
            if about:
                self._study.set_user_attr("about", dict(about))
            if path is not None:
                self._study.set_user_attr("when", time.time())
        self.news()

    def close(self) -> None:
        """No trial goes on any more: what has not ended is lost."""
        owners.end(self._owner)

    def news(self) -> list[Trial]:
        """The trials of other processes that ended since the last time, which are among `trials` now; `elsewhere` are the points
        that they are trying."""
        ended: list[Trial] = []
        self.elsewhere = []
        with quiet(), in_words(self._path):
            for t in self._study.get_trials(deepcopy=False):
                if t.number in self._read:
                    continue
                if t.state.is_finished():
                    self._read.add(t.number)
                    if (trial := _trial_of(t)) is not None:
                        ended.append(trial)
                elif _is_at_work(t):
                    self.elsewhere += _begun(t)
                else:
                    self._lose(t)
                self._note_values(t)
        if ended:
            self.trials = newest([*self.trials, *ended])
        return ended

    def forget(self, trials: Sequence[Trial]) -> None:
        """Trials of before that are tried again: they are not among `trials` any more."""
        self.trials = [t for t in self.trials if t not in trials]

    def _lose(self, t: Any) -> None:
        """A trial whose process is gone ends, and its point is for others."""
        self._read.add(t.number)
        with contextlib.suppress(Exception):  # another process was first
            self._study.tell(t.number, state=load_optuna().trial.TrialState.FAIL)
            self.lost += _begun(t)

    def ask(self) -> tuple[Any, Chooser]:
        """A new trial, and who chooses the knobs for it."""
        with quiet(), in_words(self._path):
            asked = self._study.ask()
        self._read.add(asked.number)

        def choose(knob: Knob) -> int:
            with quiet(), in_words(self._path):
                return self._suggested(asked, knob)

        return asked, choose

    def ask_at(self, point: Mapping[str, Any], knobs: Sequence[Knob]) -> Any:
        """A new trial of a point, whose knobs are given."""
        values = {self._name(k): _label(point[k.name]) for k in knobs if k.name in point}
        with quiet(), in_words(self._path):
            self._study.sampler = _given(values)
            try:
                asked, _ = self.ask()
                for knob in knobs:
                    if knob.name in point:
                        self._suggested(asked, knob)
            finally:
                self._study.sampler = self._sampler
        return asked

    def drop(self, asked: Any) -> None:
        """A trial that was asked for is none: nothing is known of it."""
        with quiet(), in_words(self._path), _unless_ended():
            self._study.tell(asked, state=load_optuna().trial.TrialState.FAIL)

    def _suggested(self, asked: Any, knob: Knob) -> int:
        name = self._name(knob)
        self._values.setdefault(name, _values_of(knob))
        if _is_range(knob):
            low, high = min(knob.values), max(knob.values)
            return _nearest(knob, asked.suggest_int(name, low, high, log=low > 0))
        labels = [_label(v) for v in knob.values]
        return labels.index(asked.suggest_categorical(name, labels))

    def _name(self, knob: Knob) -> str:
        """What Optuna calls a knob: of one that had other values before, which it does not take, another name."""
        values = _values_of(knob)
        names = itertools.chain([knob.name], (f"{knob.name} #{n}" for n in itertools.count(2)))
        return next(n for n in names if self._values.get(n, values) == values)

    def _note_values(self, t: Any) -> None:
        """What values knobs had in a trial."""
        for name, d in t.distributions.items():
            self._values.setdefault(name, tuple(d.choices) if hasattr(d, "choices") else ("range", d.log))

    def begin(self, asked: Any, point: Mapping[str, Any]) -> bool:
        """Say that a trial is at work now, and whose it is: the search goes on from it when this process is killed. False, and
        the trial is none, where another process said so of this point before."""
        if self._path is None:
            return True
        with quiet(), in_words(self._path), _unless_ended():
            asked.set_user_attr("begun", {"owner": self._owner, "point": _plain(point)})
            others = [t for t in self._study.get_trials(deepcopy=False) if t.number < asked.number]
            if any(not t.state.is_finished() and _begun(t) == [point] and _is_at_work(t) for t in others):
                self._study.tell(asked, state=load_optuna().trial.TrialState.FAIL)
                return False
        return True

    def tell(self, asked: Any, trial: Trial) -> None:
        """End a trial with what became of it."""
        state = load_optuna().trial.TrialState
        self.trials.append(trial)
        about = {
            "state": trial.state,
            "point": _plain(trial.point),
            "message": trial.message,
            "samples": list(trial.time.results) if trial.time else [],
            "twin": trial.twin,
            "steps": list(trial.steps),
        }
        value = trial.time.median if trial.time is not None else None
        with quiet(), in_words(self._path), _unless_ended():
            asked.set_user_attr("trial", about)
            if value is None:
                self._study.tell(asked, state=state.FAIL)
            else:  # one that was given up as slow is known to be no better than what was seen of it
                self._study.tell(asked, value)

    def importances(self) -> dict[str, float]:
        """How much of the spread of times each knob explains (0 to 1), the largest first; empty where too few were timed."""
        return importances(self.trials)


def newest(trials: Sequence[Trial]) -> list[Trial]:
    """The last trial of each point: one that is tried again takes the place of the one before."""
    last = {key_of(t.point): t for t in trials}
    return [t for t in trials if last[key_of(t.point)] is t]


def key_of(point: Mapping[str, Any]) -> str:
    """Equal for points that are the same, in whatever order their knobs were met."""
    return repr(sorted((name, type(v).__name__, v) for name, v in point.items()))


@contextlib.contextmanager
def _unless_ended() -> Iterator[None]:
    """A trial that another process took for lost, since this one slept, has ended already."""
    try:
        yield
    except load_optuna().exceptions.UpdateFinishedTrialError:
        pass


@dataclass(frozen=True, slots=True)
class Recalled:
    """A search of another day: what it was of, its trials, and when it began (seconds since 1970)."""

    about: Mapping[str, Any]
    trials: tuple[Trial, ...]
    when: float


def recalled(path: Path) -> Recalled | None:
    """The search that a file was written for last, if it has one that says what it is of; the file is not changed. Raises
    TewbError where Optuna is not installed."""
    optuna = load_optuna()
    with quiet(), in_words(path):
        storage = storage_in(path, is_read_only=True)
        all_studies = [s for s in storage.get_all_studies() if "about" in s.user_attrs]
        if not all_studies:
            return None
        latest = max(all_studies, key=lambda s: s.user_attrs.get("when", 0.0))
        study = optuna.load_study(study_name=latest.study_name, storage=storage)
        ended = [_trial_of(t) for t in study.get_trials(deepcopy=False) if t.state.is_finished()]
    about = latest.user_attrs
    return Recalled(
        about["about"], tuple(newest([t for t in ended if t is not None])), about.get("when", 0.0)
    )


def _trial_of(t: Any) -> Trial | None:
    """What became of a trial of Optuna; None where it was lost, or is of a version that said it otherwise."""
    a = t.user_attrs.get("trial", {})
    try:
        time = Timing(tuple(a["samples"])) if a["samples"] else None
        return Trial(
            t.number, _point(a["point"]), a["state"], time, a["message"], a["twin"], tuple(a["steps"])
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _is_at_work(t: Any) -> bool:
    """Whether the search that began a trial goes on."""
    return owners.is_at_work(t.user_attrs.get("begun", {}).get("owner"), t.datetime_start)


def _begun(t: Any) -> list[Mapping[str, Any]]:
    """The point of a trial that was at work."""
    begun = t.user_attrs.get("begun")
    return [_point(begun["point"])] if begun else []


def _plain(point: Mapping[str, Any]) -> dict[str, Any]:
    """A point as JSON has it, where tuples are lists."""
    return dict(point)


def _point(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _tuples(v) for k, v in plain.items()}


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _given(values: Mapping[str, Any]) -> Any:
    """A sampler of Optuna that says what is given."""

    def none(*_: Any) -> dict[str, Any]:
        return {}

    def one(self: Any, study: Any, trial: Any, name: str, distribution: Any) -> Any:
        return values[name]

    methods = {"infer_relative_search_space": none, "sample_relative": none, "sample_independent": one}
    return type("Given", (load_optuna().samplers.BaseSampler,), methods)()


def _is_range(knob: Knob) -> bool:
    """Whether a search may go up and down in the values of a knob."""
    return knob.is_ordered and all(type(v) is int for v in knob.values)


def _values_of(knob: Knob) -> Hashable:
    """What Optuna takes for the same knob."""
    return ("range", min(knob.values) > 0) if _is_range(knob) else tuple(map(_label, knob.values))


def _label(value: Any) -> Any:
    """A value as Optuna keeps it: numbers, words and truths as they are."""
    return value if isinstance(value, bool | int | float | str) else repr(value)


def _nearest(knob: Knob, value: int) -> int:
    """The number of the value that is nearest, by ratio, to one that was suggested; of values from 0 down by difference."""

    def distance(v: int) -> float:
        return max(v, value) / min(v, value) if min(knob.values) > 0 else abs(v - value)

    return min(range(len(knob.values)), key=lambda i: distance(knob.values[i]))
