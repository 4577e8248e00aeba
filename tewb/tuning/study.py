"""The trials of a search and what is known of them, kept by Optuna in one SQLite file.

Only one process writes: the one that searches. A study is found again by what was searched: the program, its sizes, the
processor, and the versions of tewb and LLVM. What was tried then is known.
"""

from __future__ import annotations

import contextlib
import importlib.util
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from tewb.base import ArgumentError, TewbError, here
from tewb.runtime import Timing
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


def load_optuna() -> Any:
    """The module optuna. Raises TewbError where it is not installed."""
    try:
        import optuna
    except ImportError as e:
        raise TewbError(
            "searching needs Optuna, which is not installed", hint="pip install 'tewb[tune]'", span=here()
        ) from e
    return optuna


def has_optuna() -> bool:
    """Whether Optuna is installed, which takes a while to load."""
    return importlib.util.find_spec("optuna") is not None


def optuna_version() -> str:
    """The version of Optuna, whose files others may not read; "" where it is not installed."""
    try:
        return metadata.version("optuna")
    except metadata.PackageNotFoundError:
        return ""


class Study:
    """The trials of one search: `ask` begins one, `tell` ends it, `trials` are those that ended. `about` is what the search
    is of, as JSON, for `recalled`.

    Trials that were begun and never ended, because their process was killed, are asked for again first.
    """

    def __init__(
        self, name: str, path: Path | None, seed: int | None, about: Mapping[str, Any] | None = None
    ) -> None:
        optuna = load_optuna()
        storage = None if path is None else f"sqlite:///{path}"
        with _quiet():
            sampler = optuna.samplers.TPESampler(
                seed=seed, multivariate=True, group=True, n_startup_trials=12, constant_liar=True
            )
            self._study: Any = optuna.create_study(
                storage=storage, study_name=name, sampler=sampler, load_if_exists=True
            )
            if about:
                self._study.set_user_attr("about", dict(about))
            if path is not None:
                self._study.set_user_attr("when", time.time())
        self.trials: list[Trial] = []
        for t in self._study.get_trials(deepcopy=False):
            if t.state == optuna.trial.TrialState.RUNNING:
                with _quiet():
                    self._study.tell(t.number, state=optuna.trial.TrialState.FAIL)
                    if t.user_attrs.get("point") is None:
                        self._study.enqueue_trial(t.params)
            elif t.state.is_finished() and "state" in t.user_attrs:
                self.trials.append(_trial_of(t))

    def enqueue(self, point: Mapping[str, Any]) -> None:
        """Have a point tried before others; knobs that it does not name are at their defaults."""
        with _quiet():
            self._study.enqueue_trial(
                {name: _label(v) for name, v in point.items()}, user_attrs={"given": list(point)}
            )

    def ask(self) -> tuple[Any, Chooser]:
        """A new trial, and who chooses the knobs for it."""
        with _quiet():
            asked = self._study.ask()
        fixed = asked.user_attrs.get("given")

        def choose(knob: Knob) -> int:
            if fixed is not None and knob.name not in fixed:
                return knob.default
            labels = [_label(v) for v in knob.values]
            with _quiet():
                if knob.is_ordered and all(type(v) is int for v in knob.values):
                    return _nearest(
                        knob,
                        asked.suggest_int(
                            knob.name, min(knob.values), max(knob.values), log=min(knob.values) > 0
                        ),
                    )
                try:
                    return labels.index(asked.suggest_categorical(knob.name, labels))
                except ValueError as e:
                    raise ArgumentError(
                        f"knob {knob.name} has other values than in trials before",
                        hint="knobs with other values have other names",
                    ) from e

        return asked, choose

    def tell(self, asked: Any, trial: Trial) -> None:
        """End a trial with what became of it."""
        optuna = load_optuna()
        asked.set_user_attr("state", trial.state)
        asked.set_user_attr(
            "point", {k: list(v) if isinstance(v, tuple) else v for k, v in trial.point.items()}
        )
        asked.set_user_attr("message", trial.message)
        asked.set_user_attr("samples", list(trial.time.results) if trial.time else [])
        asked.set_user_attr("twin", trial.twin)
        asked.set_user_attr("steps", list(trial.steps))
        value = trial.time.median if trial.time is not None else None
        with _quiet():
            if value is None:
                self._study.tell(asked, state=optuna.trial.TrialState.FAIL)
            else:  # one that was given up as slow is known to be no better than what was seen of it
                self._study.tell(asked, value)
        self.trials.append(trial)

    def importances(self) -> dict[str, float]:
        """How much of the spread of times each knob explains (0 to 1), the largest first; empty where too few were timed."""
        return importances(self.trials)


@dataclass(frozen=True, slots=True)
class Recalled:
    """A search of another day: what it was of, and its trials."""

    about: Mapping[str, Any]
    trials: tuple[Trial, ...]


def recalled(path: Path) -> Recalled | None:
    """The search that a file was written for last, if it has one that says what it is of; the file is not changed. Raises
    TewbError where Optuna is not installed."""
    optuna = load_optuna()
    with _quiet():
        storage = optuna.storages.RDBStorage(f"sqlite:///{path}", skip_compatibility_check=False)
        all_studies = [s for s in storage.get_all_studies() if "about" in s.user_attrs]
        if not all_studies:
            return None
        newest = max(all_studies, key=lambda s: s.user_attrs.get("when", 0.0))
        study = optuna.load_study(study_name=newest.study_name, storage=storage)
        ended = [
            t for t in study.get_trials(deepcopy=False) if t.state.is_finished() and "state" in t.user_attrs
        ]
    return Recalled(newest.user_attrs["about"], tuple(map(_trial_of, ended)))


def _trial_of(t: Any) -> Trial:
    a = t.user_attrs
    point = {k: tuple(v) if isinstance(v, list) else v for k, v in a["point"].items()}
    time = Timing(tuple(a["samples"])) if a["samples"] else None
    return Trial(t.number, point, a["state"], time, a["message"], a["twin"], tuple(a["steps"]))


def _label(value: Any) -> Any:
    """A value as Optuna keeps it: numbers, words and truths as they are."""
    return value if isinstance(value, bool | int | float | str) else repr(value)


def _nearest(knob: Knob, value: int) -> int:
    """The number of the value that is nearest, by ratio, to one that was suggested."""
    return min(
        range(len(knob.values)),
        key=lambda i: (max(knob.values[i], value) + 1) / (min(knob.values[i], value) + 1),
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without Optuna's words about itself."""
    optuna = load_optuna()
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(before)
