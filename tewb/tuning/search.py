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
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from tewb.base import (
    ArgumentError,
    Stop,
    Stopped,
    TewbError,
    TewbWarning,
    check_given,
    check_stopped,
    here,
    is_count,
    one_of,
    stopped_by,
)
from tewb.ir import script
from tewb.runtime import Timing
from tewb.schedule import Schedule, journal_json
from tewb.tensor import Tensor
from tewb.tuning.database import DatabaseError, checked_path
from tewb.tuning.knobs import Chooser, Knob, UnknownValueError, at, by_default, every_point
from tewb.tuning.processor import Processor, names_of
from tewb.tuning.result import TuneResult
from tewb.tuning.searches import Pool, run_searches, workers_of_search
from tewb.tuning.shared_arrays import kept_arrays
from tewb.tuning.study import Study, Trial, key_of
from tewb.tuning.subject import FromJournal, FromProgram, Program, Space, Subject, key_of_search, refusal
from tewb.tuning.task import Outcome, Parameter, Task, given_up_text
from tewb.tuning.workers import check_functions, check_workers, checked_limits
from tewb.workbench.journal.fingerprint import fingerprint
from tewb.workbench.judge.ledger import runs_python
from tewb.workbench.session import Session

FEW = 200  # points that are all tried
SLOW = 2.0  # times the best, and a trial is given up
CHANCES = 5  # points by chance in which one is looked for that was not tried
NEWS = 1.0  # seconds between two looks at what other processes have found

Tell = Callable[[Trial, "TuneResult"], None]
Few = list[dict[str, Any]] | None


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
    client: Any = None,
    cluster_limit: float = 60.0,
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

    `client`, a `distributed.Client`, has the trials done by the workers of its Dask cluster, each in a process of its own.
    Workers of one kind of processor share a search, which begins when one of them comes; the result is that of this
    machine's kind, and `result.by_processor` has all. A trial whose worker is lost is tried by another one. Where there
    is no worker for `cluster_limit` seconds a search ends.

    `progress(trial, result)` is told of each trial; `stop()` ends the search, as an interrupt does: what was found is
    returned. Raises ArgumentError for wrong arguments and where the first point cannot be run at all, TewbError where
    Optuna is not installed, and where the program as it is (all knobs at their defaults) computes something else than its
    reference: it is compared before anything else is tried.
    """
    _check(trials, repeat, seconds, seed, workers, cluster_limit)
    check_functions(progress=progress, stop=stop)
    limits = checked_limits(build_limit, run_limit, memory_limit)
    path = checked_path(database)
    options = {"reference": reference, "inputs": inputs, "sizes": sizes}
    subject = _subject(program, space, options)
    config, model = subject.session(by_default)
    if model.problem is not None:
        raise model.problem
    _check_points(subject, first)
    deadline = None if seconds is None else time.monotonic() + seconds
    searches: dict[Processor, _Search] = {}
    with (
        tempfile.TemporaryDirectory(prefix="tewb-tune-") as folder,
        workers_of_search(client, workers, limits, cluster_limit, runs_python(model.function)) as everyone,
    ):
        parameters = everyone.keep(kept_arrays(model, Path(folder)))

        def begin(few: Few, processor: Processor, pool: Pool) -> Iterator[None]:
            study = Study(name_of(model, processor) + _name_of_steps(subject), path, seed, subject.about)
            made = _Search(subject, model, config.point, parameters, study, repeat, progress, str(processor))
            searches[processor] = made
            made.begin(few, trials, first)
            return made.run(pool, deadline)

        try:
            with stopped_by(stop):
                few = _listed(subject, deadline)
                if few is not None and seconds is not None:
                    # Where not all are tried, those that are come from everywhere.
                    random.Random(seed).shuffle(few)
                if client is not None:
                    everyone.start()
                run_searches(everyone, partial(begin, few))
        except (KeyboardInterrupt, Stopped):
            for s in searches.values():
                s.stopped = True
        except DatabaseError as e:
            if not any(s.study.trials for s in searches.values()):
                raise
            for s in searches.values():
                s.stopped = True
            warnings.warn(f"the search ended early. {e}", TewbWarning, stacklevel=2)
        finally:
            for s in searches.values():
                s.study.close()
    return _result(searches, subject, client is not None)


def _listed(subject: Subject, deadline: float | None) -> Few:
    """All points of a space of few; None of one that has more, or for which time does not suffice. Raises Stopped."""
    found: list[dict[str, Any]] = []
    for point in every_point(subject.session):
        check_stopped(0.0)
        found.append(point)
        if len(found) == FEW or _is_over(deadline):
            return None
    return found


def _result(searches: Mapping[Processor, _Search], subject: Subject, has_cluster: bool) -> TuneResult:
    """That of this machine's processor, with those of all if they were found on a cluster."""
    own = searches.get(Processor.here())
    result = own.result() if own is not None else TuneResult((), subject, dict, True, str(Processor.here()))
    if not has_cluster:
        return result
    names = names_of(list(searches))
    return replace(result, by_processor={names[p]: s.result() for p, s in searches.items()})


def _check(trials: Any, repeat: Any, seconds: Any, seed: Any, workers: Any, cluster_limit: Any) -> None:
    for name, value in (("trials", trials), ("repeat", repeat)):
        check_given(is_count(value), name, value, "a number from 1", f"{name}=2", ArgumentError)
    is_time = seconds is None or (type(seconds) in (int, float) and seconds >= 0)
    check_given(is_time, "seconds", seconds, "a time", "seconds=60", ArgumentError)
    is_seed = seed is None or (is_count(seed, 0) and seed < 1 << 32)
    check_given(is_seed, "seed", seed, "a number from 0 to 2**32 - 1", "seed=0", ArgumentError)
    check_workers(workers, cluster_limit)


def _check_points(subject: Subject, first: Any) -> None:
    """Raise ArgumentError for points whose knobs or values are none of the program."""
    is_right = isinstance(first, list | tuple) and all(isinstance(p, Mapping) for p in first)
    check_given(is_right, "first", first, "a list of points", 'first=[{"tile_x": 8}]', ArgumentError)
    for point in first:
        try:
            config, _ = subject.session(at(point))
        except UnknownValueError:
            raise
        except Exception:  # this point is refused, which its trial will show
            continue
        for name in point:
            one_of("knob", name, config.knobs, ArgumentError)


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
    """A search as it goes on. `model` is the program as it is, at the point `defaults`."""

    subject: Subject
    model: Session
    defaults: Mapping[str, Any]
    parameters: tuple[Parameter, ...]
    study: Study
    repeat: int
    progress: Tell | None
    processor: str
    stopped: bool = False
    _most: int | None = None
    _queue: deque[Mapping[str, Any]] = field(default_factory=deque)
    _postponed: list[Mapping[str, Any]] = field(default_factory=list)
    _tried: set[str] = field(default_factory=set)
    _others: Iterator[Mapping[str, Any]] | None = None
    _is_exhausted: bool = False
    _apart: set[int] = field(default_factory=set)  # trials of values that knobs have no more
    _chance: random.Random = field(default_factory=lambda: random.Random(0))
    _heard: float = field(default_factory=time.monotonic)
    _seen: dict[str, Trial] = field(default_factory=dict)
    _in_flight: dict[str, list[_Candidate]] = field(default_factory=dict)

    # ---- before

    def begin(self, few: Few, trials: int, first: Sequence[Mapping[str, Any]]) -> None:
        """Have points tried: all when there are `few`, or else `trials`, with those of before."""
        self._most = None if few is not None else trials
        self.study.forget([t for t in self.study.trials if _is_in_doubt(t) or self._is_of_another(t)])
        self._know(self.study.trials)
        self._queue.extend(_distinct([{}, *first, *(few or [])]))
        self._take_lost()

    def _know(self, trials: Sequence[Trial]) -> None:
        for t in trials:
            self._tried.add(key_of(t.point))
            if not self._remember(t):
                self._apart.add(t.number)

    def _take_lost(self) -> None:
        """What a process began that was killed is tried first."""
        while self.study.lost:
            self._queue.appendleft(self.study.lost.pop())

    def _hear(self) -> None:
        """Learn, now and then, what other processes have found that search the same in the same file."""
        if time.monotonic() - self._heard > NEWS:
            self._know(self.study.news())
            self._take_lost()
            self._queue.extend(self._postponed)
            self._postponed = []
            self._heard = time.monotonic()

    # ---- trials

    def run(self, pool: Pool, deadline: float | None) -> Iterator[None]:
        """Try points until there are no more, or time is up. It comes back where it waits for outcomes. Raises Stopped."""
        if not _is_over(deadline):
            yield from self._try_defaults(pool)
        while True:
            self._hear()
            while not pool.is_full and not _is_over(deadline) and self._has_more:
                check_stopped(0.0)
                self._begin_trial(pool)
                self._hear()
            is_done = not self._has_more and not self._postponed
            if pool.is_idle and (is_done or _is_over(deadline)):
                self.stopped = not is_done
                return
            if pool.is_idle and pool.is_gone:
                self.stopped = True
                return
            if pool.is_idle and not self._has_more:  # others are trying what is left
                check_stopped(0.0)
                time.sleep(NEWS / 10)
            else:
                yield

    @property
    def _has_more(self) -> bool:
        """Whether there is something to try."""
        if self._most is None:
            return bool(self._queue)
        at_work = sum(map(len, self._in_flight.values())) + len(self.study.elsewhere)
        is_wanted = len(self.study.trials) - len(self._apart) + at_work < self._most
        return is_wanted and (bool(self._queue) or not self._is_exhausted)

    def _try_defaults(self, pool: Pool) -> Iterator[None]:
        """Compare the program as it is before anything else: where a reference is wrong, all trials would be. What was timed
        another day, perhaps beside another reference, is compared once more. Raises TewbError."""
        known = next((t for t in self.study.trials if key_of(t.point) == key_of(self.defaults)), None)
        if known is None:
            self._queue.appendleft({})
            self._begin_trial(pool)
        elif known.time is not None:
            pool.submit(self._check_defaults, Task(self.model.module, self.parameters, repeat=0))
        while not pool.is_idle:
            check_stopped(0.0)
            yield

    def _check_defaults(self, outcome: Outcome) -> None:
        if outcome.how == "wrong":
            raise TewbError(
                f"the schedule as it is computes something else than its reference: {outcome.message}",
                hint="correct the reference or the program: no schedule can be right before",
                span=here(),
            )

    def _begin_trial(self, pool: Pool) -> None:
        knobs: dict[str, Knob] = {}
        point: dict[str, Any] = {}
        if self._queue:
            given = self._queue.popleft()
            session, problem = self._tried_out(_recording(at(given), point, knobs))
            if point in self.study.elsewhere:
                self._postponed.append(given)
                return
            if key_of(point) in self._tried:
                return
            asked = self.study.ask_at(point, list(knobs.values()))
        else:
            asked, choose = self.study.ask()
            session, problem = self._tried_out(_recording(choose, point, knobs))
            if key_of(point) in self._tried:  # the sampler likes it
                self.study.drop(asked)
                self._queue_another()
                return
        self._tried.add(key_of(point))
        if session is None:
            self._end(asked, Trial(asked.number, point, "refused", message=problem))
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
            if not self.study.begin(asked, point):
                self._postponed.append(point)
                self._tried.discard(key_of(point))
                return
            self._in_flight[text] = [candidate]
            worst = None if self.best is None or self.best.seconds is None else SLOW * self.best.seconds
            task = Task(module, self.parameters, self.repeat, worst=worst)
            pool.submit(lambda outcome: self._end_trial(text, outcome), task)

    def _queue_another(self) -> None:
        """A point that was not tried yet comes next: one by chance, or the first there is; none where all were."""
        for _ in range(CHANCES):
            point: dict[str, Any] = {}
            with suppress(Exception):  # whatever it is: it is seen again when the point is tried
                self.subject.session(
                    _recording(lambda knob: self._chance.randrange(len(knob.values)), point, {})
                )
            if key_of(point) not in self._tried:
                self._queue.append(point)
                return
        if self._others is None:
            self._others = every_point(self.subject.session)
        another = next((p for p in self._others if key_of(p) not in self._tried), None)
        if another is None:
            self._is_exhausted = True
        else:
            self._queue.append(another)

    def _tried_out(self, choose: Chooser) -> tuple[Session | None, str]:
        """The session at a point, or why there is none."""
        try:
            _, session = self.subject.session(choose)
            if session.problem is not None:
                raise session.problem
            self._check_shape(session)
        except DatabaseError:
            raise
        except Exception as e:  # the program is the user's: whatever it raises is why this point is none
            return None, refusal(e)
        return session, ""

    def _check_shape(self, session: Session) -> None:
        mine, others = (
            [(str(t.dtype), [str(n) for n in t.shape]) for t in s.args if isinstance(t, Tensor)]
            for s in (session, self.model)
        )
        if mine != others:
            raise ArgumentError("its arguments have other shapes than those of the defaults")

    def _end_trial(self, text: str, outcome: Outcome) -> None:
        first, *twins = self._in_flight.pop(text)
        time = Timing(outcome.samples) if outcome.samples else None
        said = given_up_text(outcome.samples) if outcome.how == "slow" else outcome.message
        trial = Trial(first.asked.number, first.point, outcome.how, time, said, steps=first.steps)
        self._end(first.asked, trial, text)
        for c in twins:
            self._end_as_twin(c, trial)
        if key_of(first.point) == key_of(self.defaults):
            self._check_defaults(outcome)

    def _end_as_twin(self, c: _Candidate, twin: Trial) -> None:
        state = "same" if twin.state == "timed" else twin.state
        number = twin.number if twin.twin is None else twin.twin
        self._end(c.asked, Trial(c.asked.number, c.point, state, twin.time, twin.message, number, c.steps))

    def _end(self, asked: Any, trial: Trial, text: str = "") -> None:
        self.study.tell(asked, trial)
        if text:
            self._seen[text] = trial
        if self.progress is not None:
            self.progress(trial, self.result())

    def _is_of_another(self, trial: Trial) -> bool:
        """Whether a trial of another day is of a program that does other steps at its point. (Of a journal the steps name the
        search.)"""
        if self.subject.about:
            return False
        try:
            _, session = self.subject.session(at(trial.point))
        except UnknownValueError:
            return False
        except Exception as e:
            return trial.state != "refused" or trial.message != refusal(e)
        return _steps_text(journal_json(session.journal)) != _steps_text(trial.steps)

    def _remember(self, trial: Trial) -> bool:
        """A trial of another day: what it lowers to is not lowered again. False where knobs have no longer its values."""
        try:
            _, session = self.subject.session(at(trial.point))
            if trial.state not in ("refused", "over budget") and session.problem is None:
                self._seen.setdefault(_digest(script(session.module)), trial)
        except UnknownValueError:
            return False
        except Exception:  # it was refused, or the program changed in a way that its name does not tell
            pass
        return True

    # ---- after

    @property
    def best(self) -> Trial | None:
        """The fastest trial so far; of equals, the first."""
        timed = [t for t in self.study.trials if t.seconds is not None and t.number not in self._apart]
        return min(timed, key=lambda t: (t.seconds, t.number), default=None)

    def result(self) -> TuneResult:
        """What is known now."""
        return TuneResult(
            tuple(self.study.trials),
            self.subject,
            self.study.importances,
            self.stopped,
            self.processor,
            apart=frozenset(self._apart),
        )


def _recording(choose: Chooser, point: dict[str, Any], knobs: dict[str, Knob]) -> Chooser:
    """A chooser that keeps what it chose, and for which knobs: also of a point that is refused half-way."""

    def chosen(knob: Knob) -> int:
        i = choose(knob)
        point[knob.name], knobs[knob.name] = knob.values[i], knob
        return i

    return chosen


def name_of(session: Session, processor: Processor | None = None) -> str:
    """What the searches of a session are known by: the program, its sizes, the processor (of this machine if None), and the
    versions of what compiles."""
    sizes = sorted((str(k), v) for k, v in session.sizes.items())
    about = [
        fingerprint(session.name, session.schedule, session.args),
        str(sizes),
        repr(processor or Processor.here()),
    ]
    return f"{session.name}-{_digest(' '.join(about))}"


def _name_of_steps(subject: Subject) -> str:
    """What tells the search from others of the same program: the steps that it is of, and its knobs; nothing for a function."""
    about = subject.about
    return f"-{_digest(key_of_search(about))}" if about else ""


def _steps_text(steps: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(list(steps), sort_keys=True, default=str)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _is_in_doubt(t: Trial) -> bool:
    """Whether a trial of another day is tried again: the reference may have been wrong then, the machine short of memory, and one
    slow call is no knowledge for ever."""
    is_one_call = t.state == "slow" and t.time is not None and len(t.time.results) < 2
    return is_one_call or t.state in ("wrong", "failed")


def _distinct(points: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [p for i, p in enumerate(points) if p not in points[:i]]


def _is_over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() > deadline
