"""autoschedule: a schedule without being told anything, as steps that a person could have written.

The model (`model_search.py`) looks at some hundred schedules and orders them. Then the best are built, checked and timed beside
the fastest so far; from that one the search goes on: a further idea, another factor or order, the next of the model's.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tewb.base import ArgumentError, Stop, Stopped, TewbError, check_given, here, stopped_by
from tewb.runtime import Kernel, Timing, get_num_threads
from tewb.schedule import Schedule, Step
from tewb.tuning.duels import Contestant, Ring
from tewb.tuning.model_search import Candidate, ModelSearch, nominal_machine
from tewb.workbench.judge.sweep import neighbours
from tewb.workbench.measure.measure import sizes_now
from tewb.workbench.measure.roofline import peak_dtype
from tewb.workbench.session import Session

Journal = tuple[Step, ...]
WORTH = 2.0  # times the predicted time of the best, and a schedule is not tried
MUTATIONS = 200  # changes by chance that are looked at when all else was tried


@dataclass(frozen=True, slots=True)
class AutoTrial:
    """A schedule that was looked at: where it came from, its journal, the seconds that were predicted, its time (None where it
    has none, which `message` says), and how many times as fast as the best before it was. `is_kept`: it became the best."""

    label: str
    journal: Journal
    predicted: float
    time: Timing | None = None
    gain: float | None = None
    message: str = ""
    is_kept: bool = False

    @property
    def seconds(self) -> float | None:
        """The median."""
        return None if self.time is None else self.time.median

    def __str__(self) -> str:
        how = self.message or (f"{self.time}" if self.time is not None else "predicted")
        return f"{how}{', kept' if self.is_kept else ''}: {self.label}"


@dataclass(frozen=True)
class AutoResult:
    """What was found: `session` is the program with the best schedule, `trials` all that was built, in its order, and `best` the
    one that was kept. `looked_at` schedules were seen by the model."""

    session: Session
    trials: tuple[AutoTrial, ...]
    best: AutoTrial
    looked_at: int

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
        return "\n".join([head, *(f"  {line}" for line in kept[:-1])])

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
    progress: Callable[[AutoTrial], None] | None = None,
    stop: Stop | None = None,
) -> AutoResult:
    """Find a schedule for `program`: a session, (schedule, arguments), or a function that returns these. What was given stays as
    it is; steps that it has are tried beside those that are found.

    With `model_only` nothing is run: the answer is there after about 2 seconds (of large programs later), and always the same. Otherwise schedules are
    built, compared with the reference or the definition, and timed, for `seconds` in all; `seed` is that of changes by
    chance, which come when all others were tried. `threads` is how many the kernel may have: those of the runtime if not
    given. `reference` and `inputs` are those of a Session.

    `progress(trial)` is told of each trial; `stop()` ends the search, as an interrupt does, with what was found. Raises
    ArgumentError for wrong arguments, and what keeps the program from being lowered.
    """
    session = _session(program, reference, inputs)
    _check(seconds, seed, threads)
    if session.problem is not None:
        raise session.problem
    count = min(threads or get_num_threads(), get_num_threads())
    search = _AutoSearch(session, count, random.Random(seed), progress, time.monotonic() + seconds)
    try:
        with stopped_by(stop):
            search.predict()
            if not model_only and not search.is_over:
                search.measure()
    except (KeyboardInterrupt, Stopped):
        pass
    return search.result()


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


def _check(seconds: Any, seed: Any, threads: Any) -> None:
    is_time = isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds > 0
    check_given(is_time, "seconds", seconds, "a time", "seconds=60", ArgumentError)
    check_given(type(seed) is int, "seed", seed, "a number", "seed=0", ArgumentError)
    is_count = threads is None or (type(threads) is int and threads > 0)
    check_given(is_count, "threads", threads, "a number from 1", "threads=1", ArgumentError)


class _AutoSearch:
    """The search as it goes on. The best is a candidate before it is shared among threads, and what was built of it."""

    def __init__(
        self,
        session: Session,
        threads: int,
        chance: random.Random,
        progress: Callable[[AutoTrial], None] | None,
        until: float,
    ) -> None:
        self.session, self._chance, self._progress, self._until = session, chance, progress, until
        dtype = peak_dtype(session.schedule.outputs[0].output(0))
        self.model = ModelSearch(session.args, sizes_now(session), nominal_machine(threads, dtype))
        self.trials: list[AutoTrial] = []
        self._built: set[str] = set()
        self._ranked: list[Candidate] = []
        self._best: tuple[Candidate, Contestant, float] | None = None
        self._answer: AutoTrial | None = None

    # ---- the model

    def predict(self) -> None:
        """Look at schedules by the model, and take its answer."""
        self._ranked = self.model.run(self.session.schedule.untouched())
        for c in self._ranked:
            whole = self.model.shared(c)
            if self.model.can_be_lowered(whole):
                self._answer = AutoTrial(_label(whole), whole.journal, whole.predicted)
                return

    # ---- measurements

    def measure(self) -> None:
        """Try schedules until the time is over or there are no more."""
        ring = Ring(self.session)
        given = self.session.schedule.copy()
        mine = self.model.candidate(given) if self.session.journal else None
        if mine is not None:
            self._try(ring, "as it was given", mine, mine)
        first = iter(self._in_order())
        while not self.is_over and self._best is None:  # whatever can be built first
            c = next(first, None)
            if c is None:
                return
            self._try(ring, _label(c), c, self.model.shared(c))
        while not self.is_over:
            assert self._best is not None
            before = self._best
            ways = [first, iter(self._further(before[0])), iter(self._other_numbers(before[0]))]
            if not self._try_all(ring, before, ways) and not self._mutated(ring, before):
                return

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self._until

    def _try_all(self, ring: Ring, before: Any, ways: list[Iterator[Candidate]]) -> bool:
        """Take candidates from each way in turn, until one is faster; False when none was."""
        for c in itertools.chain.from_iterable(itertools.zip_longest(*ways)):
            if self.is_over:
                return True
            if c is not None:
                self._try(ring, _label(c), c, self.model.shared(c))
                if self._best is not before:
                    return True
        return False

    def _mutated(self, ring: Ring, before: tuple[Candidate, Contestant, float]) -> bool:
        """Two changes by chance at once; False when none was faster."""
        for _ in range(MUTATIONS):
            if self.is_over:
                return True
            journal = before[0].journal
            for _ in range(2):
                other = list(neighbours(journal))
                journal = self._chance.choice(other)[1] if other else journal
            c = self._with(journal, before[0].kinds)
            if c is not None and c.predicted < WORTH * before[0].predicted:
                self._try(ring, _label(c), c, self.model.shared(c))
                if self._best is not before:
                    return True
        return False

    def _in_order(self) -> list[Candidate]:
        """What the model knows: of each structure the best, then all others that are not far behind."""
        worth = [c for c in self._ranked if c.predicted < WORTH * self._ranked[0].predicted]
        structures: dict[tuple[str, ...], Candidate] = {}
        for c in worth:
            structures.setdefault(c.structure, c)
        leaders = list(structures.values())
        return [*leaders, *(c for c in worth if c not in leaders)]

    def _further(self, c: Candidate) -> list[Candidate]:
        """One idea further than the best."""
        found = [after for _, after in self.model.options(c) if after.predicted < WORTH * c.predicted]
        return sorted(found, key=lambda o: o.rank)

    def _other_numbers(self, c: Candidate) -> list[Candidate]:
        """The best with another factor or order."""
        found = [self._with(journal, c.kinds) for _, journal in neighbours(c.journal)]
        worth = [o for o in found if o is not None and o.predicted < WORTH * c.predicted]
        return sorted(worth, key=lambda o: o.rank)

    def _with(self, journal: Journal, kinds: tuple[str, ...]) -> Candidate | None:
        schedule = self.session.schedule.untouched()
        try:
            schedule.restore(journal)
        except TewbError:
            return None
        return self.model.candidate(schedule, kinds)

    def _try(self, ring: Ring, label: str, c: Candidate, whole: Candidate) -> None:
        """Build what `c` is with threads, and time it beside the best."""
        if whole.text in self._built:
            return
        self._built.add(whole.text)
        trial = AutoTrial(label, whole.journal, whole.predicted)
        try:
            other = ring.contestant(whole.schedule)
        except TewbError as e:
            self._end(trial, message=e.message)
            return
        if other.wrong:
            self._end(trial, message=f"the result is wrong: {other.wrong}")
        elif self._best is None:
            time_ = ring.alone(other)
            self._best = c, other, time_.median
            self._end(trial, time=time_, is_kept=True)
        else:
            _, best, seconds = self._best
            duel = ring.duel(best, seconds, other)
            if duel.is_won:
                self._best = c, other, duel.other.median
            self._end(trial, time=duel.other, gain=duel.gain, is_kept=duel.is_won)

    def _end(self, trial: AutoTrial, **came_of_it: Any) -> None:
        done = replace(trial, **came_of_it)
        self.trials.append(done)
        if done.is_kept:
            self._answer = done
        if self._progress is not None:
            self._progress(done)

    # ---- after

    def result(self) -> AutoResult:
        """The best so far: of what was measured, or else of the model's."""
        answer = self._answer or AutoTrial("as it was given", tuple(self.session.journal), 0.0)
        before = self.session
        schedule = before.schedule.untouched()
        schedule.restore(answer.journal)
        made = Session(schedule, before.args, before.name, before.reference, before.inputs, before.sizes)
        return AutoResult(made, tuple(self.trials), answer, len(self.model.seen))


def _label(c: Candidate) -> str:
    return ", ".join(c.kinds) or "no steps"
