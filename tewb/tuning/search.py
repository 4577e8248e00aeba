"""tune: search the space of a program for its fastest schedule.

Each round asks for as many points as there are processes. A point that is refused, that lowers to a text that was seen,
or that breaks an `expect` of its session is done with before anything is built. The others are built side by side, checked
against numpy, and timed one at a time.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from tewb.base import ArgumentError, Stop, Stopped, TewbError, check_given, check_stopped, here, stopped_by
from tewb.ir import script
from tewb.runtime import Target, Timing
from tewb.schedule import Schedule, journal_json
from tewb.tensor import Tensor
from tewb.tuning.knobs import Chooser, all_points, at
from tewb.tuning.result import TuneResult
from tewb.tuning.shared_arrays import kept_arrays
from tewb.tuning.study import Study, Trial
from tewb.tuning.subject import FromJournal, FromProgram, Program, Space, Subject, refusal
from tewb.tuning.task import Outcome, Task
from tewb.tuning.workers import HereAlone, Limits, Workers
from tewb.workbench.journal.fingerprint import fingerprint
from tewb.workbench.judge.ledger import runs_python
from tewb.workbench.session import Session

FEW = 200  # points that are all tried
SLOW = 2.0  # times the best, and a trial is given up

Tell = Callable[[Trial, "TuneResult"], None]


def tune(
    program: Program | Session | tuple[Schedule, Sequence[Any]],
    space: Space | None = None,
    *,
    trials: int = 100,
    seconds: float | None = None,
    first: Sequence[Mapping[str, Any]] = (),
    reference: Callable[..., Any] | None = None,
    inputs: Sequence[Any] | None = None,
    sizes: Mapping[str, int] | None = None,
    database: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    repeat: int = 5,
    build_limit: float = 60.0,
    run_limit: float = 20.0,
    memory_limit: int = 0,
    seed: int | None = 0,
    progress: Tell | None = None,
    stop: Stop | None = None,
) -> TuneResult:
    """Search for the fastest schedule of `program`, and return all that was tried.

    `program(cfg)` returns (schedule, arguments) and declares what it leaves open: `cfg.split("tile_x", 512)`,
    `cfg.choice`, `cfg.flag`, `cfg.order`. A session, or (schedule, arguments), is searched over the factors in its
    journal; `space={"2.factor": [4, 8, 16]}` names values of steps (from 1) instead.

    Fewer than 200 points are all tried. Of more, `trials` are, chosen by Optuna (a tree-structured Parzen estimator,
    Bergstra et al. 2011): the defaults first, then `first`, points as dicts. `seconds` limits the time. `reference`,
    `inputs` and `sizes` are those of a Session. `database` is a file, made if need be, in which trials are kept: the
    same search goes on from what is in it, also after it was killed. Building takes at most `build_limit` seconds and
    running `run_limit` in each trial; `memory_limit` is in bytes. Times are medians of `repeat` samples.

    `progress(trial, result)` is told of each trial; `stop()` ends the search, as an interrupt does: what was found is
    returned. Raises ArgumentError for wrong arguments and where the first point cannot be run at all, TewbError where
    Optuna is not installed.
    """
    _check(trials, repeat, workers)
    options = {"reference": reference, "inputs": inputs, "sizes": sizes}
    subject = _subject(program, space, options)
    search = _Search(subject, repeat, progress)
    study_name, few = search.prepare()
    if (
        few is not None and seconds is not None
    ):  # perhaps not all of them: those that are tried are from everywhere
        random.Random(seed).shuffle(few)
    count = workers if workers is not None else max(os.cpu_count() or 1, 1)
    limits = Limits(build_limit, run_limit, memory_limit)
    known = Study(study_name, None if database is None else Path(database), seed, subject.about)
    search.begin(known, few, trials, first)
    deadline = None if seconds is None else time.monotonic() + seconds
    with tempfile.TemporaryDirectory(prefix="tewb-tune-") as folder:
        search.keep_arrays(Path(folder))
        with (
            HereAlone()
            if search.calls_python or count == 0 or os.name != "posix"
            else Workers(count, limits) as pool
        ):
            try:
                with stopped_by(stop):
                    search.run(pool, deadline)
            except (KeyboardInterrupt, Stopped):
                search.stopped = True
    return search.result()


def _check(trials: int, repeat: int, workers: int | None) -> None:
    for name, value, least in (("trials", trials, 1), ("repeat", repeat, 1), ("workers", workers, 0)):
        is_right = (value is None and name == "workers") or (isinstance(value, int) and value >= least)
        check_given(is_right, name, value, f"a number from {least}", f"{name}={least + 1}", ArgumentError)


def _subject(program: Any, space: Space | None, options: Mapping[str, Any]) -> Subject:
    given = {k: v for k, v in options.items() if v is not None}
    if isinstance(program, Session):
        if given:
            raise ArgumentError(
                f"a session has its own {' and '.join(given)}", hint="give them to Session(...)", span=here()
            )
        return FromJournal(program, space)
    if isinstance(program, tuple | list) and len(program) == 2 and isinstance(program[0], Schedule):
        return FromJournal(Session(program[0], list(program[1]), **options), space)
    if not callable(program):
        raise ArgumentError(
            f"tune: {type(program).__name__} is no program",
            hint="give a function of cfg that returns (s, [A, B, C]), a session, or (s, [A, B, C])",
            span=here(),
        )
    if space is not None:
        raise ArgumentError(
            "a function declares its own knobs, and takes no space",
            hint='cfg.choice("unroll", [1, 2, 4]) in it',
            span=here(),
        )
    return FromProgram(program, **options)


@dataclass(slots=True)
class _Candidate:
    """A point that is being tried."""

    asked: Any
    point: Mapping[str, Any]
    text: str
    steps: tuple[Mapping[str, Any], ...]


@dataclass
class _Search:
    """A search as it goes on."""

    subject: Subject
    repeat: int
    progress: Tell | None
    stopped: bool = False
    calls_python: bool = False
    _seen: dict[str, Trial] = field(default_factory=dict)
    _in_flight: dict[str, list[_Candidate]] = field(default_factory=dict)

    # ---- before

    def prepare(self) -> tuple[str, list[dict[str, Any]] | None]:
        """The name of the search, and its points when they are few."""
        _, self._model = self.subject.session(lambda knob: knob.default)
        if self._model.problem is not None:
            raise self._model.problem
        self.calls_python = runs_python(self._model.function)
        few = all_points(self.subject.session, FEW)
        return name_of(self._model) + _name_of_steps(self.subject), few

    def begin(
        self, study: Study, few: list[dict[str, Any]] | None, trials: int, first: Sequence[Mapping[str, Any]]
    ) -> None:
        self._study = study
        tried = [dict(t.point) for t in study.trials]
        for t in study.trials:
            self._remember(t)
        wanted = _distinct([dict(self._whole(p)) for p in ({}, *first, *(few or []))])
        wanted = [p for p in wanted if p not in tried]
        self._left = len(wanted) if few is not None else max(trials - len(tried), 0)
        for point in wanted:
            study.enqueue(point)

    def _whole(self, point: Mapping[str, Any]) -> Mapping[str, Any]:
        """A point with the defaults of the knobs that it does not name."""
        try:
            config, _ = self.subject.session(at(point))
        except TewbError:
            return point
        return config.point

    def keep_arrays(self, folder: Path) -> None:
        """Write what all trials read."""
        self._parameters = kept_arrays(self._model, folder)

    # ---- trials

    def run(self, pool: Workers | HereAlone, deadline: float | None) -> None:
        """Try points until there are no more, or time is up. Raises Stopped, also between trials that each take a moment."""
        began = time.monotonic()
        while True:
            check_stopped(began)
            while self._left > 0 and not pool.is_full and not _is_over(deadline):
                self._left -= 1
                self._begin_trial(pool)
                check_stopped(began)
            if pool.is_idle:
                if self._left <= 0 or _is_over(deadline):
                    return
                continue
            for text, outcome in pool.finished():
                self._end_trial(text, outcome)

    def _begin_trial(self, pool: Workers | HereAlone) -> None:
        asked, choose = self._study.ask()
        point: dict[str, Any] = {}
        try:
            config, session = self.subject.session(_recording(choose, point))
            if session.problem is not None:
                raise session.problem
            self._check_shape(session)
        except Exception as e:  # the program is the user's: whatever it raises is why this point is none
            self._end(asked, Trial(asked.number, point, "refused", message=refusal(e)))
            return
        steps = tuple(journal_json(session.journal))
        broken = [str(c) for c in session.checks() if c.ok is False]
        if broken:
            self._end(
                asked, Trial(asked.number, point, "over budget", message="; ".join(broken), steps=steps)
            )
            return
        module = session.module
        text = _digest(script(module))
        candidate = _Candidate(asked, point, text, steps)
        if text in self._seen:
            self._end_as_twin(candidate, self._seen[text])
        elif text in self._in_flight:
            self._in_flight[text].append(candidate)
        else:
            self._in_flight[text] = [candidate]
            worst = None if self.best is None or self.best.seconds is None else SLOW * self.best.seconds
            pool.submit(text, Task(module, self._parameters, self.repeat, worst=worst))

    def _check_shape(self, session: Session) -> None:
        mine, others = (
            [(str(t.dtype), [str(n) for n in t.shape]) for t in s.args if isinstance(t, Tensor)]
            for s in (session, self._model)
        )
        if mine != others:
            raise ArgumentError("its arguments have other shapes than those of the defaults")

    def _end_trial(self, text: str, outcome: Outcome) -> None:
        first, *twins = self._in_flight.pop(text)
        time = Timing(outcome.samples) if outcome.samples else None
        trial = Trial(first.asked.number, first.point, outcome.how, time, outcome.message, steps=first.steps)
        self._end(first.asked, trial, text)
        for c in twins:
            self._end_as_twin(c, trial)

    def _end_as_twin(self, c: _Candidate, twin: Trial) -> None:
        state = "same" if twin.state == "timed" else twin.state
        number = twin.number if twin.twin is None else twin.twin
        self._end(c.asked, Trial(c.asked.number, c.point, state, twin.time, twin.message, number, c.steps))

    def _end(self, asked: Any, trial: Trial, text: str = "") -> None:
        self._study.tell(asked, trial)
        if text:
            self._seen[text] = trial
        if self.progress is not None:
            self.progress(trial, self.result())

    def _remember(self, trial: Trial) -> None:
        """A trial of another day: what it lowers to is not lowered again."""
        if trial.state in ("refused", "over budget"):
            return
        try:
            _, session = self.subject.session(at(trial.point))
            if session.problem is None:
                self._seen.setdefault(_digest(script(session.module)), trial)
        except Exception:  # the program changed in a way that its name does not tell
            pass

    # ---- after

    @property
    def best(self) -> Trial | None:
        """The fastest trial so far; of equals, the first."""
        timed = [t for t in self._study.trials if t.seconds is not None]
        return min(timed, key=lambda t: (t.seconds, t.number), default=None)

    def result(self) -> TuneResult:
        """What is known now."""
        return TuneResult(tuple(self._study.trials), self.subject, self._study.importances, self.stopped)


def _recording(choose: Chooser, point: dict[str, Any]) -> Chooser:
    """A chooser that keeps what it chose: also of a point that is refused half-way."""

    def chosen(knob: Any) -> int:
        i = choose(knob)
        point[knob.name] = knob.values[i]
        return i

    return chosen


def name_of(session: Session) -> str:
    """What the searches of a session are known by: the program, its sizes, the processor, and the versions of what compiles."""
    import llvmlite

    target = Target.host()
    about = [
        fingerprint(session.name, session.schedule, session.args),
        str(sorted((str(k), v) for k, v in session.sizes.items())),
        target.cpu,
        target.triple,
    ]
    about += [_version(), llvmlite.__version__]
    return f"{session.name}-{_digest(' '.join(about))}"


def _name_of_steps(subject: Subject) -> str:
    """What tells the search from others of the same program: the steps and values that it is of; nothing for a function."""
    about = subject.about
    return f"-{_digest(json.dumps(about, sort_keys=True, default=str))}" if about else ""


def _version() -> str:
    try:
        return metadata.version("tewb")
    except metadata.PackageNotFoundError:  # sources that were not installed
        return ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _distinct(points: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [p for i, p in enumerate(points) if p not in points[:i]]


def _is_over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() > deadline
