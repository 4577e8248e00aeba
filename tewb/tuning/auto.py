"""autoschedule: a schedule without being told anything, as steps that a person could have written.

The model (`model_search.py`) looks at some hundred schedules and orders them. Then the best are built, checked and timed beside
the fastest so far; from that one the search goes on: a further idea, another factor or order, the next of the model's.

Workers build the next ones while one is timed. What comes of them is taken in the order of the search, not in that in which
it arrives: where one becomes the best, those behind it meet it later.
"""

from __future__ import annotations

import random
import tempfile
import time
import warnings
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
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
    collection_waits,
    here,
    stopped_by,
)
from tewb.ir import IRModule
from tewb.lowering import lower_schedule
from tewb.runtime import Kernel, Timing, get_num_threads
from tewb.schedule import Schedule, Step
from tewb.tuning.duels import FASTER, Duel, gain
from tewb.tuning.model_search import Candidate, ModelSearch, nominal_machine
from tewb.tuning.processor import Processor, names_of
from tewb.tuning.searches import AllWorkers, Pool, run_searches, workers_of_search
from tewb.tuning.shared_arrays import kept_arrays
from tewb.tuning.task import Outcome, Parameter, given_up_text
from tewb.tuning.workers import check_functions, check_workers, checked_limits
from tewb.workbench.judge.estimate import Machine
from tewb.workbench.judge.ledger import runs_python
from tewb.workbench.judge.sweep import neighbours
from tewb.workbench.measure.interruptible import interruptible
from tewb.workbench.measure.measure import sizes_now
from tewb.workbench.measure.roofline import peak_dtype
from tewb.workbench.session import Session

Journal = tuple[Step, ...]
WORTH = 2.0  # times the predicted time of the best, and a schedule is not tried
AHEAD = 3  # times the workers: attempts that may be done before it is their turn
NOTHING = "no steps"  # what is said of the program as it is written
IN_TURN = "the best is what won in turn with the best before it: times of different moments say less"
MUTATIONS = 200  # changes by chance that are looked at when all else was tried


@dataclass(frozen=True, slots=True)
class AutoTrial:
    """A schedule that was looked at: where it came from, its journal, the seconds that were predicted, its time (None where it
    has none, which `message` says), and how many times as fast as the best before it was. `is_kept`: it became the best. On a
    cluster `processor` is that of its worker."""

    label: str
    journal: Journal
    predicted: float
    time: Timing | None = None
    gain: float | None = None
    message: str = ""
    is_kept: bool = False
    processor: str = ""

    @property
    def seconds(self) -> float | None:
        """The median."""
        return None if self.time is None else self.time.median

    def __str__(self) -> str:
        how = self.message or (f"{self.time}" if self.time is not None else "predicted")
        if self.is_kept and self.gain is not None:
            how += f", {self.gain:.3g} times as fast as the best before"
        return f"{how}{', kept' if self.is_kept else ''}: {self.label}"


@dataclass(frozen=True)
class AutoResult:
    """What was found: `session` is the program with the best schedule, `trials` all that was built, in its order, and `best` the
    one that was kept. `looked_at` schedules were seen by the model.

    It is for this machine's kind of processor. After a search on a cluster, `by_processor` has a result for each kind, by the name
    of the processor; the best of a kind of which there was no worker is what the model says.
    """

    session: Session
    trials: tuple[AutoTrial, ...]
    best: AutoTrial
    looked_at: int
    by_processor: Mapping[str, AutoResult] = field(default_factory=dict, repr=False)

    @property
    def journal(self) -> Journal:
        """The steps of the best schedule."""
        return tuple(self.session.journal)

    @property
    def code(self) -> str:
        """The best schedule as code."""
        return self.session.schedule_code

    @property
    def schedule(self) -> tuple[Schedule, list[Any]]:
        """The best schedule, and the arguments of its kernel."""
        return self.session.schedule, list(self.session.args)

    def build(self) -> Kernel:
        """The kernel of the best schedule."""
        return self.session.build()

    def __str__(self) -> str:
        kept = [str(t) for t in self.trials if t.is_kept]
        head = f"{self.looked_at} schedules looked at, {len(self.trials)} tried; the best: {self.best}"
        others = [f"{name}: {r.best}" for name, r in self.by_processor.items()]
        times = [t.seconds for t in self.trials if t.seconds is not None]
        is_fastest = self.best.seconds is None or self.best.seconds <= min(times, default=0.0)
        why = [] if is_fastest else [f"({IN_TURN})"]
        return "\n".join([head, *(f"  {line}" for line in [*kept[:-1], *why, *others])])

    __repr__ = __str__


def autoschedule(
    program: Session | tuple[Schedule, Sequence[Any]] | Callable[[], tuple[Schedule, Sequence[Any]]],
    seconds: float = 60.0,
    *,
    seed: int = 0,
    threads: int | None = None,
    model_only: bool = False,
    reference: Callable[..., Any] | None = None,
    inputs: Sequence[Any] | None = None,
    workers: int | None = None,
    client: Any = None,
    cluster_limit: float = 60.0,
    build_limit: float = 60.0,
    run_limit: float = 20.0,
    memory_limit: int = 0,
    progress: Callable[[AutoTrial], None] | None = None,
    stop: Stop | None = None,
) -> AutoResult:
    """Find a schedule for `program`: a session, (schedule, arguments), or a function that returns these. What was given stays as
    it is; steps that it has are tried beside those that are found.

    With `model_only` nothing is run: the answer is there after about 2 seconds (of large programs later), and always the same. Otherwise schedules are
    built, compared with the reference or the definition, and timed, for `seconds` in all; `seed` is that of changes by
    chance, which come when all others were tried. `threads` is how many the kernel may have: those of the runtime if not
    given. `reference` and `inputs` are those of a Session.

    Schedules are built in `workers` processes side by side (0: in this one), and timed one at a time. Building may take
    `build_limit` seconds and running `run_limit`, with `memory_limit` bytes: what takes more, crashes or hangs costs its own
    trial.

    `client`, a `distributed.Client`, has that done by the workers of its Dask cluster. Each kind of processor has a search
    of its own, with a model of that kind; the result is that of this machine's, and `result.by_processor` has all. A
    trial whose worker is lost is tried by another one. Where there is no worker for `cluster_limit` seconds a search ends.

    `progress(trial)` is told of each trial; `stop()` ends the search, as an interrupt does, with what was found. Raises
    ArgumentError for wrong arguments, and what keeps the program from being lowered.
    """
    session = _session(program, reference, inputs)
    _check(seconds, seed, threads, workers, cluster_limit)
    check_functions(progress=progress, stop=stop)
    limits = checked_limits(build_limit, run_limit, memory_limit)
    if session.problem is not None:
        raise session.problem
    until = time.monotonic() + seconds
    own = Processor.here()
    searches: dict[Processor, _AutoSearch] = {}

    def search_of(processor: Processor, machine: Machine | None = None) -> _AutoSearch:
        if processor not in searches:
            machine = machine or machine_here(threads, _dtype(session))
            name = "" if client is None else str(processor)
            searches[processor] = _AutoSearch(session, machine, seed, progress, name)
        return searches[processor]

    try:
        with stopped_by(stop):
            if model_only:
                search_of(own).predict()
            else:
                everyone = workers_of_search(
                    client, workers, limits, cluster_limit, runs_python(session.function)
                )
                _measure(session, everyone, search_of, threads, until, stop)
    except (KeyboardInterrupt, Stopped):
        pass
    if own not in searches:  # no worker was of this kind
        with suppress(KeyboardInterrupt, Stopped), stopped_by(stop):
            search_of(own).predict()
    result = search_of(own).result()
    _tell_of_failures(result)
    if client is None:
        return result
    names = names_of(list(searches))
    return replace(result, by_processor={names[p]: s.result() for p, s in searches.items()})


def _tell_of_failures(result: AutoResult) -> None:
    """Warn where what was tried says nothing: all of it was wrong or failed, and the answer is the model's."""
    if not result.trials or any(not t.message for t in result.trials):
        return
    said, count = Counter(t.message for t in result.trials).most_common(1)[0]
    warnings.warn(
        f"none of the {len(result.trials)} schedules that were tried is right, so that the answer is the model's: {count} x {said}. "
        "Inputs and reference may be those of another program",
        TewbWarning,
        stacklevel=3,
    )


def _measure(
    session: Session,
    workers: AllWorkers,
    search_of: Callable[[Processor, Machine], _AutoSearch],
    threads: int | None,
    until: float,
    stop: Stop | None,
) -> None:
    """Have workers try what is predicted, for their own kind of processor each. Raises Stopped when the time is over."""
    arrays: list[tuple[Parameter, ...]] = []

    def is_over() -> bool:
        return time.monotonic() > until or (stop is not None and stop())

    with tempfile.TemporaryDirectory(prefix="tewb-tune-") as folder, workers as everyone:

        def begin(processor: Processor, pool: Pool) -> Iterator[None]:
            search = search_of(processor, everyone.ask(processor, machine_here, threads, _dtype(session)))
            search.predict()
            with stopped_by(is_over):
                if not arrays:
                    arrays.append(everyone.keep(interruptible(lambda: kept_arrays(session, Path(folder)))))
            return search.measure(pool, arrays[0], everyone.threads)

        everyone.start()
        run_searches(everyone, begin, is_over)


def machine_here(threads: int | None, dtype: str) -> Machine:
    """What the model takes the machine for on which this is called: with so many threads, if it has them."""
    return nominal_machine(min(threads or get_num_threads(), get_num_threads()), dtype)


def _dtype(session: Session) -> str:
    return peak_dtype(session.schedule.outputs[0].output(0))


def _session(program: Any, reference: Any, inputs: Any) -> Session:
    made = program() if callable(program) and not isinstance(program, Session) else program
    if isinstance(made, Session):
        if reference is not None or inputs is not None:
            raise ArgumentError(
                "a session has its own reference and inputs", hint="give them to Session(...)", span=here()
            )
        return made
    if isinstance(made, tuple | list) and len(made) == 2 and isinstance(made[0], Schedule):
        return Session(made[0].copy(), list(made[1]), reference=reference, inputs=inputs)
    raise ArgumentError(
        f"autoschedule: {type(made).__name__} is no program",
        hint="give (s, [A, B, C]), a session, or a function that returns one",
        span=here(),
    )


def _check(seconds: Any, seed: Any, threads: Any, workers: Any, cluster_limit: Any) -> None:
    is_time = isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds > 0
    check_given(is_time, "seconds", seconds, "a time", "seconds=60", ArgumentError)
    check_given(type(seed) is int, "seed", seed, "a number", "seed=0", ArgumentError)
    is_count = threads is None or (type(threads) is int and threads > 0)
    check_given(is_count, "threads", threads, "a number from 1", "threads=1", ArgumentError)
    check_workers(workers, cluster_limit)


@dataclass(slots=True)
class _Attempt:
    """A candidate that is tried: `whole` is what it is with threads, `module` what is built of it, `best` what it meets, and
    `outcome` what came of that, once it is known."""

    label: str
    candidate: Candidate
    whole: Candidate
    module: IRModule | None = None
    best: _Best | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class _Best:
    """The fastest so far: the candidate before it is shared among threads, what was built of it, and its seconds."""

    candidate: Candidate
    module: IRModule
    seconds: float


def _is_wrong(attempt: _Attempt) -> bool:
    return attempt.outcome is not None and attempt.outcome.how in ("failed", "wrong")


def _is_won(attempt: _Attempt) -> bool:
    """Whether the best that it met is clearly slower."""
    return attempt.outcome is not None and bool(attempt.outcome.beside) and _gain(attempt) >= FASTER


def _gain(attempt: _Attempt) -> float:
    """How many times as fast as the best that it met."""
    assert attempt.outcome is not None and attempt.best is not None
    return gain(attempt.outcome.beside or (attempt.best.seconds,), attempt.outcome.samples)


class _AutoSearch:
    """The search as it goes on."""

    def __init__(
        self,
        session: Session,
        machine: Machine,
        seed: int,
        progress: Callable[[AutoTrial], None] | None,
        processor: str = "",
    ) -> None:
        self.session, self._seed, self._progress, self._processor = session, seed, progress, processor
        self.model = ModelSearch(session.args, sizes_now(session), machine)
        self.trials: list[AutoTrial] = []
        self._tried: set[str] = set()
        self._begun: dict[str, _Attempt] = {}
        self._whole: dict[str, Candidate] = {}
        self._ranked: list[Candidate] = []
        self._waiting: list[Candidate] = []
        self._best: _Best | None = None
        self._answer: AutoTrial | None = None

    # ---- the model

    def predict(self) -> None:
        """Look at schedules by the model, and take its answer."""
        with collection_waits():  # a fifth of the time, and nearly all that is looked at is kept
            self._ranked = self.model.run(self.session.schedule.untouched())
            for c in self._ranked:
                whole = self.model.shared(c)
                if self.model.can_be_lowered(whole):
                    self._answer = AutoTrial(
                        _label(whole), whole.journal, whole.predicted, processor=self._processor
                    )
                    return

    # ---- measurements

    def measure(self, pool: Pool, parameters: tuple[Parameter, ...], threads: int | None) -> Iterator[None]:
        """Try schedules until there are no more. It comes back where it waits for outcomes. Raises Stopped."""
        self._pool, self._parameters, self._threads = pool, parameters, threads
        given = self.session.schedule.copy()
        mine = self.model.candidate(given) if self.session.journal else None
        if mine is not None:
            yield from self._try([("as it was given", mine)])
        self._waiting = self._in_order()
        if self._best is None:  # whatever can be built first
            yield from self._try([(_label(c), c) for c in self._waiting])
        while self._best is not None and not self._pool.is_gone:
            before = self._best
            is_found = yield from self._try(self._ways(before.candidate))
            if not is_found:
                is_found = yield from self._try(self._mutations(before.candidate))
            if not is_found:
                return

    def _ways(self, best: Candidate) -> Iterator[tuple[str, Candidate]]:
        """What to try next, from each way in turn; a way is looked at when it is gone."""
        ways: list[Iterator[Candidate]] = [
            iter(tuple(self._waiting)),
            self._further(best),
            self._other_numbers(best),
        ]
        while ways:
            for way in list(ways):
                c = next(way, None)
                if c is None:
                    ways.remove(way)
                else:
                    yield _label(c), c

    def _mutations(self, best: Candidate) -> Iterator[tuple[str, Candidate]]:
        """Two changes by chance at once."""
        chance = random.Random(f"{self._seed} {len(self.trials)}")
        for _ in range(MUTATIONS):
            journal = best.journal
            for _ in range(2):
                other = list(neighbours(journal))
                journal = chance.choice(other)[1] if other else journal
            c = self._with(journal, best.kinds)
            if c is not None and c.predicted < WORTH * best.predicted:
                yield _label(c), c

    def _in_order(self) -> list[Candidate]:
        """What the model knows: of each structure the best, then all others that are not far behind."""
        worth = [c for c in self._ranked if c.predicted < WORTH * self._ranked[0].predicted]
        structures: dict[tuple[str, ...], Candidate] = {}
        for c in worth:
            structures.setdefault(c.structure, c)
        leaders = list(structures.values())
        return [*leaders, *(c for c in worth if c not in leaders)]

    def _further(self, c: Candidate) -> Iterator[Candidate]:
        """One idea further than the best."""
        found = [after for _, after in self.model.options(c) if after.predicted < WORTH * c.predicted]
        yield from sorted(found, key=lambda o: o.rank)

    def _other_numbers(self, c: Candidate) -> Iterator[Candidate]:
        """The best with another factor or order."""
        found = [self._with(journal, c.kinds) for _, journal in neighbours(c.journal)]
        worth = [o for o in found if o is not None and o.predicted < WORTH * c.predicted]
        yield from sorted(worth, key=lambda o: o.rank)

    def _with(self, journal: Journal, kinds: tuple[str, ...]) -> Candidate | None:
        schedule = self.session.schedule.untouched()
        try:
            schedule.restore(journal)
        except TewbError:
            return None
        return self.model.candidate(schedule, kinds)

    # ---- attempts

    def _try(self, candidates: Iterable[tuple[str, Candidate]]) -> Generator[None, None, bool]:
        """Try candidates in their order until one becomes the best; False when none did. Those behind it are at work already,
        each beside the best of then: what comes of them counts when it is their turn."""
        before = self._best
        coming = iter(candidates)
        ahead: deque[_Attempt] = deque()
        while True:
            check_stopped(0.0)
            first = ahead[0] if ahead and ahead[0].outcome is not None else None
            if first is not None and self._is_decided(first):
                self._end(ahead.popleft())
                if self._best is not before:
                    return True
            elif first is not None and not self._pool.is_full:
                self._begin(first)
            elif self._pool.is_gone and (first is not None or not ahead):
                return False
            elif self._pool.is_full or len(ahead) >= AHEAD * self._pool.count:
                yield
            elif (attempt := self._next(coming, ahead)) is not None:
                if attempt.module is None:
                    self._begin(attempt)
                ahead.append(attempt)
            elif ahead:
                yield
            else:
                return False

    def _next(self, coming: Iterator[tuple[str, Candidate]], ahead: Iterable[_Attempt]) -> _Attempt | None:
        """The next that was not tried yet, nor is among those ahead."""
        for label, c in coming:
            if c.text not in self._whole:
                self._whole[c.text] = self.model.shared(c)
            whole = self._whole[c.text]
            if whole.text not in self._tried and all(a.whole.text != whole.text for a in ahead):
                return self._begun.setdefault(whole.text, _Attempt(label, c, whole))
        return None

    def _begin(self, attempt: _Attempt) -> None:
        """Have an attempt meet the best of now."""
        attempt.best, attempt.outcome = self._best, None
        try:
            attempt.module = lower_schedule(attempt.whole.schedule, self.session.args, self.session.name)
        except TewbError as e:
            attempt.outcome = Outcome("failed", message=e.message)
            return
        module, seconds = (None, 0.0) if self._best is None else (self._best.module, self._best.seconds)

        def hear(outcome: Outcome) -> None:
            attempt.outcome = outcome

        self._pool.submit(hear, Duel(attempt.module, module, seconds, self._parameters, self._threads))

    def _is_decided(self, attempt: _Attempt) -> bool:
        """Whether what came of an attempt counts. One that lost to a best of before loses to that of now."""
        return (
            attempt.best is self._best
            or (attempt.best is not None and not _is_won(attempt))
            or _is_wrong(attempt)
        )

    def _end(self, attempt: _Attempt) -> None:
        """Take what came of an attempt."""
        outcome, whole = attempt.outcome, attempt.whole
        assert outcome is not None
        self._tried.add(whole.text)
        del self._begun[whole.text]
        self._waiting = [c for c in self._waiting if c is not attempt.candidate]
        trial = AutoTrial(_label_of(attempt), whole.journal, whole.predicted, processor=self._processor)
        if _is_wrong(attempt):
            how = "the result is wrong: " if outcome.how == "wrong" else ""
            self._tell(replace(trial, message=how + outcome.message))
            return
        if outcome.how == "slow":
            self._tell(replace(trial, message=given_up_text(outcome.samples)))
            return
        time_, gained = Timing(outcome.samples), None
        if attempt.best is not None and self._best is not None:
            gained = _gain(attempt) * self._best.seconds / attempt.best.seconds
        is_kept = attempt.best is self._best and (attempt.best is None or _is_won(attempt))
        if is_kept:
            assert attempt.module is not None
            self._best = _Best(attempt.candidate, attempt.module, time_.median)
        self._tell(replace(trial, time=time_, gain=gained, is_kept=is_kept))

    def _tell(self, trial: AutoTrial) -> None:
        self.trials.append(trial)
        if trial.is_kept:
            self._answer = trial
        if self._progress is not None:
            self._progress(trial)

    # ---- after

    def result(self) -> AutoResult:
        """The best so far: of what was measured, or else of the model's."""
        answer = self._answer or AutoTrial("as it was given", tuple(self.session.journal), 0.0)
        before = self.session
        schedule = before.schedule.untouched()
        schedule.restore(answer.journal)
        made = Session(schedule, before.args, before.name, before.reference, before.inputs, before.sizes)
        return AutoResult(made, tuple(self.trials), answer, len(self.model.seen))


def _label_of(attempt: _Attempt) -> str:
    """What was done, with how threads share it."""
    shared = attempt.whole.kinds[len(attempt.candidate.kinds) :]
    return ", ".join([*([] if shared and attempt.label == NOTHING else [attempt.label]), *shared])


def _label(c: Candidate) -> str:
    return ", ".join(c.kinds) or NOTHING
