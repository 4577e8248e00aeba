"""Next steps: how near a kernel is to its roof, and what to try while it is below.

The ideas of `ideas.py` are done to copies of the schedule; the estimate, which is quick, says which factors to take, and
`gains.py` what is then likely to be gained. What was tried in the session and did not help is not proposed again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from tewb.base import TewbError
from tewb.ir import script
from tewb.lowering import body_in_view, lower_schedule
from tewb.schedule import Schedule, Step
from tewb.workbench.background import in_background
from tewb.workbench.judge.draft import Draft, stage_loops
from tewb.workbench.judge.estimate import Machine, predict
from tewb.workbench.judge.gains import GAIN, Gains
from tewb.workbench.judge.ideas import Idea, Scene, ideas
from tewb.workbench.measure.counts import least_bytes, operations
from tewb.workbench.measure.measure import sizes_text
from tewb.workbench.measure.roofline import peak_dtype
from tewb.workbench.measure.try_steps import Tried
from tewb.workbench.session_view import SessionView
from tewb.workbench.speed.verdict import Verdict, has_many_spills, number, time_text
from tewb.workbench.speed.why_fast import Program, Speed

NEAR = 0.8  # of the roof
NUMPY = 0.95  # as fast as numpy, about
PIECE = 0.01  # seconds
WORTH = 0.6  # what an idea may be predicted to bring at least: the model errs, and a trial is cheap
MOST = 8  # next steps that are shown
OTHERS = 3  # variants of one, as good as the estimate can tell
CLOSE = 0.6


@dataclass(frozen=True, slots=True)
class NextStep:
    """Something to try: its kind and stage, the reason, the steps, and how many times as fast the program is predicted to
    be after them. `others` are the same with other factors, which may well be as good. `seconds` are predicted of a call
    now and after the steps, when `then` is what will bound it; None where only the ratio is."""

    kind: str
    stage: str
    reason: str
    steps: tuple[Step, ...]
    gain: float
    others: tuple[tuple[Step, ...], ...] = ()
    seconds: tuple[float, float] | None = None
    then: str = ""

    @property
    def is_gain(self) -> bool:
        """Whether the program is predicted to be faster at all."""
        return self.gain >= GAIN

    @property
    def predicted(self) -> str:
        """The times behind the gain, in words: "52 ms now, 1.2 ms then, bound by the ports of C.k"."""
        if self.seconds is None:
            return ""
        now, then = map(time_text, self.seconds)
        return f"{now} now, {then} then{f', {self.then}' if self.then else ''}"

    def __str__(self) -> str:
        steps = ", then ".join(map(str, self.steps))
        gain = (
            f"about {number(self.gain)} times as fast"
            if self.is_gain
            else "no gain is predicted; a trial tells"
        )
        times = f" (predicted: {self.predicted})" if self.predicted else ""
        return f"{self.kind}, {self.stage} ({gain}): {self.reason}{times}\n    try {steps}"


@dataclass(frozen=True, slots=True)
class Advised:
    """How near the program is to the roof of this machine (1 is the roof; None when its work cannot be counted), and
    whether that was measured or predicted; how many times as fast as numpy it is, if that was measured; what to try next,
    the best first, and what was tried without gain. `verdict` is what bounds it, as Speed says it."""

    share: float | None
    measured: bool
    ratio: float | None
    next: tuple[NextStep, ...]
    tried: tuple[Tried, ...]
    verdict: Verdict | None = None

    @property
    def is_near(self) -> bool:
        """Whether the roof is so near that nothing more is advised."""
        no_slower = self.ratio is None or self.ratio >= NUMPY
        return self.measured and self.share is not None and self.share >= NEAR and no_slower

    @property
    def standing(self) -> str:
        """Where the program stands, in a sentence, and what bounds it."""
        return self._where() if self.verdict is None else f"{self._where()}. {self.verdict}"

    def _where(self) -> str:
        if self.share is None:
            where = "how near the roof is cannot be said: the work of the program cannot be counted"
        else:
            how = "measured" if self.measured else "predicted; it is not measured yet"
            where = f"at {min(self.share, 1):.0%} of the roof of this machine ({how})"
        if self.ratio is not None:
            where += f", {self.ratio:.2g} times as fast as numpy"
        if self.is_near:
            return f"{where}: nothing more is advised"
        if not self.next:
            return f"{where}; no further kind of step is known: try other factors"
        return where

    def __str__(self) -> str:
        return "\n".join([self.standing, *map(str, self.next)])


class Advisable(Program, Protocol):
    """A session, as far as advice reads it."""

    @property
    def tried(self) -> list[Tried]: ...


def advise(session: Advisable, machine: Machine | None = None) -> Advised:
    """How near the roof is, and what to try next, for this machine or another. Nothing is run: gains are predicted. Raises
    what keeps the schedule from being lowered."""
    *_, advised = each_next_step(session, machine)
    assert advised is not None
    return advised


def each_next_step(session: Advisable, machine: Machine | None = None) -> Iterator[Advised | None]:
    """As `advise`, with None between two pieces of the work: it looks at some dozens of schedules, compiles the best of
    them, and the first time measures the machine."""
    if session.problem is not None:
        raise session.problem
    dtype = peak_dtype(session.schedule.outputs[0].output(0))
    where = machine or (yield from in_background(lambda: Machine.here(dtype), PIECE))
    gains = yield from in_background(lambda: Gains(session, machine), PIECE)
    now = predict(body_in_view(session.schedule, session.passes[0][1]), session.sizes, where)
    advised = _standing(session, where, now, gains.speed)
    if advised.is_near:
        yield advised
        return
    found: list[NextStep] = []
    for option in _options(session, where, now):
        yield None
        if option is not None:
            found.append(option)
    best: list[NextStep] = []
    for option in _best(session, found):
        yield None
        if option is not None and gains.speed is not None:
            option = yield from in_background(partial(_with_gain, gains, option), PIECE)
        if option is not None:
            best.append(option)
    best.sort(key=lambda o: -o.gain)
    yield replace(advised, next=tuple(best))


def _with_gain(gains: Gains, option: NextStep) -> NextStep | None:
    """A proposal with the gain that Speed would show after its steps; None where they would not be worth a trial, or would
    need registers that there are not."""
    gain = gains.of(option.steps)
    if gain is None or gain.then is None or gain.then.verdict is None or gains.speed is None:
        return option
    spills = has_many_spills(gain.then.loops[0]) and not has_many_spills(gains.speed.loops[0])
    if gain.times < WORTH or spills:
        return None
    return replace(option, gain=gain.times, seconds=(gain.now, gain.after), then=gain.then.verdict.bound)


def _standing(session: Advisable, machine: Machine, estimate: float, speed: Speed | None) -> Advised:
    """How near the roof is, without what to try."""
    timings = session.timings
    kept = timings.get(session.journal)
    seconds = kept.kernel.median if kept is not None and kept.kernel is not None else None
    numpy = [m.numpy.median for m in timings.values() if m.numpy is not None and session.reference]
    ratio = numpy[-1] / seconds if numpy and seconds else None
    roof = roof_seconds(session, machine) if speed is None else speed.roof.seconds
    predicted = speed.predicted if speed is not None and speed.predicted else estimate
    share = None if roof is None else roof / (seconds or predicted)
    tried = tuple([t for t in _tried(session) if not t.is_faster])
    return Advised(share, seconds is not None, ratio, (), tried, speed.verdict if speed is not None else None)


def _tried(session: Advisable) -> list[Tried]:
    """What was tried with the sizes of now: with others, other steps help."""
    sizes = sizes_text(session)
    return [t for t in session.tried if t.sizes == sizes]


def roof_seconds(session: SessionView, machine: Machine) -> float | None:
    """The seconds that the program takes at least: its operations at the peak, or its arguments from memory. None when
    operations cannot be counted."""
    work = operations(session.schedule.outputs, session.sizes)
    if work is None:
        return None
    peaks = machine.peaks_of_all
    return max(work / peaks.gflops, least_bytes(session.args, session.sizes) / peaks.gbytes) / 1e9


def scene_of(session: SessionView, machine: Machine) -> Scene:
    """What ideas are had about."""
    caches = machine.cache_bytes
    return Scene(
        session.schedule,
        tuple(
            stage_loops(session.schedule, body_in_view(session.schedule, session.passes[0][1]), session.sizes)
        ),
        machine.vector_bytes,
        machine.registers,
        machine.threads,
        caches[min(1, len(caches) - 1)],
    )


def _options(session: Advisable, machine: Machine, now: float) -> Iterator[NextStep | None]:
    """Every idea that can be done, with what it is predicted to bring; None for one that cannot."""
    tried = _tried(session)
    known = {_key(steps) for t in tried if not t.is_faster for steps in t.all_steps}
    been = {
        script(session.passes[0][1]),
        *(t.loops_before for t in tried),
    }  # nothing goes back, or in circles
    for idea in ideas(scene_of(session, machine)):
        draft = _drafted(session.schedule, idea)
        body = None if draft is None else draft.body(session.args)
        if draft is None or body is None or _key(draft.steps) in known or script(body) in been:
            yield None
            continue
        gain = now / max(predict(body, session.sizes, machine), 1e-12)
        reason = "; ".join([idea.reason, *draft.tails])
        yield NextStep(idea.kind, idea.stage, reason, tuple(draft.steps), gain)


def _drafted(schedule: Schedule, idea: Idea) -> Draft | None:
    draft = Draft(schedule)
    try:
        idea.make(draft)
    except TewbError:
        return None
    return draft


def _best(session: SessionView, found: Sequence[NextStep]) -> Iterator[NextStep | None]:
    """The best of each kind and stage that the rules and the passes allow, the best first, with None between trials."""
    families: dict[tuple[str, str], list[NextStep]] = {}
    for option in sorted(found, key=lambda o: -o.gain):
        yield None
        family = families.setdefault((option.kind, option.stage), [])
        close = not family or option.gain > CLOSE * family[0].gain
        is_wanted = option.gain >= WORTH and close and len(family) <= OTHERS
        if is_wanted and _can_be_done(session, option.steps):
            family.append(option)
    for first, *others in [f for f in families.values() if f][:MOST]:
        yield replace(first, others=tuple([o.steps for o in others]))


def _can_be_done(session: SessionView, steps: Sequence[Step]) -> bool:
    """Whether the steps are allowed as things are now, and lead to loops that all passes take."""
    schedule = session.schedule.copy()
    try:
        for step in steps:
            schedule.apply(step)
        lower_schedule(schedule, session.args, session.name)
    except TewbError:
        return False
    return True


def _key(steps: Sequence[Step]) -> tuple[str, ...]:
    return tuple([s.key for s in steps])
