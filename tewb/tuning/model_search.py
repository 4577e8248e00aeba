"""Schedules by the model alone: ideas are added to a program, those that are predicted to help the most first.

A beam: of all programs that are one idea further, the best few go on. Ideas for different stages rarely meet, so the best one
of every stage is taken at once as well. How many schedules are looked at is counted, not timed, and the machine of the
model has nominal speeds: the same program has the same answer, whatever else goes on.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tewb.base import TewbError, check_stopped
from tewb.ir import PrimFunc, script
from tewb.lowering import check_unrolled, lower_schedule
from tewb.runtime import Target
from tewb.schedule import Schedule, Step
from tewb.tuning.sketches import all_ideas, ideas_for_threads
from tewb.workbench.judge.draft import Draft, stage_loops
from tewb.workbench.judge.estimate import Machine, predict
from tewb.workbench.judge.ideas import Idea, Scene
from tewb.workbench.judge.ledger import caches
from tewb.workbench.measure.counts import Sizes
from tewb.workbench.measure.roofline import Peaks

BEAM = 4
ROUNDS = 10
WORK = 450.0  # of one search: schedules that are looked at, those of long programs counting more
FAR = 2.5  # times the predicted time of the best, and nothing is built on a schedule
SLACK = 1.2  # times as much work until a schedule is left that is looked at
LONG = 2500  # characters of the loops that count as another schedule
GIGAHERTZ, FMAS = 3.0, 2  # nominal, as are the bytes of memory in a nanosecond
GBYTES = 24.0
SHARE = 40 << 20  # bytes at most of the last cache, which others use too
DOUBT = 1.2  # an exchange of outer loops is to be this much better: caches see more in it than the model
MARKS = ("vectorize", "unroll", "nontemporal")
SMALL = ("vectorize", "unroll", "non-temporal", "order")
ALIKE = 0.04  # parts of each other by which two predictions differ that say the same

SAME = 0.002  # likewise of two that have as many marks

Rank = tuple[int, int, int, int, str]


def nominal_machine(threads: int, dtype: str = "float32") -> Machine:
    """This processor as its description has it: nothing is measured, so two runs see the same."""
    width = Target.host().vector_bytes
    size = 8 if dtype == "float64" else 4
    gflops = 2 * FMAS * (width // size) * GIGAHERTZ
    known = tuple(c.bytes for c in caches() or ()) or (32 << 10, 1 << 20)
    known = tuple(min(size, SHARE) for size in known)
    one = Peaks(gflops, GBYTES, dtype, 1)
    every = Peaks(gflops * threads, GBYTES * threads**0.5, dtype, threads)
    return Machine(one, every, width, 32 if width >= 64 else 16, known, threads)


@dataclass(frozen=True)
class Candidate:
    """A schedule with the seconds that are predicted for it. `text` are its loops; `kinds` what was done, idea by idea."""

    schedule: Schedule
    body: PrimFunc
    predicted: float
    kinds: tuple[str, ...] = ()
    text: str = field(default="", repr=False)

    @property
    def rank(self) -> Rank:
        """What orders candidates, the best first. Of those that the model cannot tell apart, the one with more marks comes
        first, for what LLVM would do by itself it may also leave; and then the one with fewer steps."""
        doubts = sum(kind.startswith("order") for kind in self.kinds)
        size = math.log(max(self.predicted, 1e-12) * DOUBT**doubts)
        marks = sum(step.primitive in MARKS for step in self.journal)
        return round(size / ALIKE), -marks, round(size / SAME), len(self.journal), self.text

    @property
    def structure(self) -> tuple[str, ...]:
        """What was done without the marks on loops: tiles, copies, and where stages are computed."""
        return tuple(kind for kind in self.kinds if not kind.startswith(SMALL))

    @property
    def journal(self) -> tuple[Step, ...]:
        return tuple(self.schedule.journal)


class ModelSearch:
    """The schedules of a program by the model. `seen` are all of them, by the text of their loops."""

    def __init__(self, args: Sequence[Any], sizes: Sizes, machine: Machine) -> None:
        self._args, self._sizes, self.machine = list(args), sizes, machine
        self._known: dict[Any, Any] = {}
        self.seen: dict[str, Candidate] = {}
        self.work = 0.0

    def candidate(self, schedule: Schedule, kinds: tuple[str, ...] = ()) -> Candidate | None:
        """A schedule with its prediction, or None if there are no loops for it."""
        body = Draft(schedule).body(self._args)
        return None if body is None else self._candidate(schedule, body, kinds)

    def _candidate(self, schedule: Schedule, body: PrimFunc, kinds: tuple[str, ...]) -> Candidate:
        text = script(body)
        self.work += 1.0 + len(text) / LONG
        seconds = predict(body, self._sizes, self.machine, self._known)
        return Candidate(schedule, body, seconds, kinds, text)

    def scene(self, c: Candidate) -> Scene:
        """What ideas are had about."""
        m = self.machine
        stages = tuple(stage_loops(c.schedule, c.body, self._sizes))
        own = m.cache_bytes[min(1, len(m.cache_bytes) - 1)]
        return Scene(c.schedule, stages, m.vector_bytes, m.registers, m.threads, own)

    def after(self, c: Candidate, made: Sequence[Idea]) -> Candidate | None:
        """The schedule after ideas, those that are refused left out; None where nothing is left, or no loops are."""
        draft, kinds = Draft(c.schedule), list(c.kinds)
        for idea in made:
            before = Draft(draft.schedule) if len(made) > 1 else draft
            try:
                idea.make(draft)
                kinds.append(f"{idea.kind} {idea.stage}")
            except TewbError:
                draft = before
        body = draft.body(self._args) if len(kinds) > len(c.kinds) else None
        return None if body is None else self._candidate(draft.schedule, body, tuple(kinds))

    def options(
        self, c: Candidate, had: Callable[[Scene], Iterator[Idea]] = all_ideas
    ) -> Iterator[tuple[Idea, Candidate]]:
        """Every idea about a schedule that can be done, with what it leads to."""
        for idea in had(self.scene(c)):
            check_stopped(0.0)
            after = self.after(c, [idea])
            if after is not None:
                yield idea, after

    def run(self, start: Schedule, most: float | None = None) -> list[Candidate]:
        """All schedules that were looked at and can be lowered as far as that was asked, the best first."""
        limit = WORK if most is None else most
        first = self.candidate(start)
        if first is None:
            return []
        beam, tried = [first], set[str]()
        self.seen[first.text] = first
        for _ in range(ROUNDS):
            found: list[Candidate] = []
            for c in beam:
                is_near = c.predicted < FAR * beam[0].predicted
                if is_near and c.text not in tried and self.work < limit:
                    tried.add(c.text)
                    found += self._further(c, math.inf if c is first else SLACK * limit)
            fresh = [c for c in found if c.text not in self.seen]
            self.seen |= {c.text: c for c in fresh}
            chosen = self._best_of([*beam, *fresh], BEAM)
            if not fresh or all(c.text in tried for c in chosen):
                break
            beam = chosen
        return self.ranked()

    def ranked(self) -> list[Candidate]:
        """What was seen, the best first."""
        return sorted(self.seen.values(), key=lambda c: c.rank)

    def _further(self, c: Candidate, limit: float) -> list[Candidate]:
        """One idea further, and one for each stage; as many as the work allows."""
        options = list(itertools.takewhile(lambda _: self.work < limit, self.options(c)))
        best: dict[str, tuple[Rank, Idea]] = {}
        for idea, after in options:
            is_better = after.rank[:2] < c.rank[:2] and idea.kind not in ("fuse", "inline", "order")
            if is_better and (idea.stage not in best or after.rank < best[idea.stage][0]):
                best[idea.stage] = after.rank, idea
        found = [after for _, after in options]
        if len(best) > 1:
            all_at_once = self.after(c, [idea for _, idea in best.values()])
            found += [] if all_at_once is None else [all_at_once]
        return found

    def _best_of(self, found: Sequence[Candidate], count: int) -> list[Candidate]:
        """The best of which none is too long when it is unrolled, no more than two of them by the same ideas."""
        chosen: list[Candidate] = []
        for c in sorted(found, key=lambda c: c.rank):
            alike = [o for o in chosen if o.kinds == c.kinds]
            if len(alike) < 2 and _is_small_enough(c.body):
                chosen.append(c)
            if len(chosen) == count:
                break
        return chosen

    def can_be_lowered(self, c: Candidate) -> bool:
        """Whether all passes take a schedule."""
        try:
            lower_schedule(c.schedule, self._args)
        except TewbError:
            return False
        return True

    def shared(self, c: Candidate) -> Candidate:
        """A schedule with the best way to share it among threads; as it is where that is predicted to bring nothing."""
        if self.machine.threads < 2:
            return c
        ways = [after for _, after in self.options(c, ideas_for_threads)]
        ways = [w for w in ways if w.predicted < c.predicted and self.can_be_lowered(w)]
        return min(ways, key=lambda w: w.rank, default=c)


def _is_small_enough(body: PrimFunc) -> bool:
    """Whether unrolling takes a program: what passes refuse of loops that could be made is hardly ever anything else."""
    try:
        check_unrolled(body.body)
    except TewbError:
        return False
    return True
