"""Why this fast: a sentence on the inner loop that takes the most time, and the numbers behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tewb.base import TewbError
from tewb.workbench.background import in_background
from tewb.workbench.looks.code_forms import LoopNumbers
from tewb.workbench.looks.glossary import words_in
from tewb.workbench.session import Session
from tewb.workbench.speed.llvm_mca import Simulated
from tewb.workbench.speed.loop_speed import CHAIN, FRONT, MEMORY, PORTS, LoopSpeed
from tewb.workbench.speed.memory_levels import is_measured
from tewb.workbench.speed.sentences import KIND_NAMES
from tewb.workbench.speed.why_fast import Speed, question


@dataclass(frozen=True, slots=True)
class Limit:
    """A lower bound of the cycles of an iteration: which, how many, and where they come from."""

    name: str
    cycles: float
    about: str


@dataclass(frozen=True, slots=True)
class LinesFetched:
    """Lines of 64 bytes of a buffer that a loop fetches past each cache in a call, as they are predicted."""

    buffer: str
    misses: dict[str, float]
    in_order: bool
    crowded: str


@dataclass(frozen=True, slots=True)
class InnerLoopSpeed:
    """An innermost loop of the machine code, or, where `once`, all of a kernel that has none, as if it were a loop of one
    iteration. All counts and cycles are those of one iteration, which does `steps` of the loop of the program; `iterations` are those of a call, `share` its part of the cycles of all inner loops.

    `part` is its number in the links of code. `bits` is the width of its arithmetic, `lanes` how many numbers that is;
    `kinds` counts its instructions by what they do. `rule` names the limit that is the largest. `ports` are cycles of each
    port, told by `ports_by`; `simulated` are the cycles that llvm-mca says.
    """

    name: str
    stage: str | None
    loop: str | None
    part: int | None
    label: str
    share: float
    iterations: float
    steps: float
    cycles: float
    rule: str
    limits: tuple[Limit, ...]
    instructions: int
    kinds: dict[str, int]
    bits: int
    lanes: int
    loads: int
    stores: int
    spills: int
    calls: tuple[str, ...]
    ports: dict[str, float]
    ports_by: str
    simulated: float | None
    simulated_by: str
    lines: tuple[LinesFetched, ...]
    once: bool


@dataclass(frozen=True, slots=True)
class PredictedTime:
    """The seconds of a stage or loop in a call with all that runs in it, as they are predicted: those of its inner loops. `part`
    is its number in the links of code, `key` its name in the tree. Loops that the machine code has not got, as those in
    vectors, have none."""

    key: str
    part: int
    seconds: float


@dataclass(frozen=True, slots=True)
class WhyThisFast:
    """The sentence, the verdict (what bounds the program, as Advice and Data say it too), what else is to be said, and the
    inner loops, those that take the most time first.

    Times are seconds of a call: `predicted` by the limits, `measured` last; `times` are predicted for stages and loops. `gflops`
    is what is predicted, `roof` what the machine allows at most, at `intensity` operations for each byte, below its
    `peak_gflops` and `peak_gbytes`. `words` explains the words of the field that are in it.
    """

    sentence: str
    verdict: str
    notes: tuple[str, ...]
    loops: tuple[InnerLoopSpeed, ...]
    times: tuple[PredictedTime, ...]
    predicted: float | None
    measured: float | None
    processor: str
    gigahertz: float | None
    caches: dict[str, int]
    intensity: float | None
    gflops: float | None
    roof: float | None
    peak_gflops: float | None
    peak_gbytes: float | None
    words: dict[str, str]
    problem: str | None


_OF_LOOPS = "latency chain, ports, port pressure, front end; spills; llvm-mca; lines; the roof"
"""What is in the table of every loop."""


def speed_state(session: Session) -> Iterator[WhyThisFast | None]:
    """Why the kernel of a session is as fast as it is; made in the background. Until it is known what memory takes, a state
    without it comes before."""
    numbers = session.code_forms.loop_numbers
    try:
        asked = question(session)
        if not is_measured():
            first = yield from in_background(lambda: asked.answer(measures=False))
            yield _state(first, numbers)
        found = yield from in_background(asked.answer)
    except TewbError as e:
        yield WhyThisFast(
            "", "", (), (), (), None, None, "", None, {}, None, None, None, None, None, {}, e.message
        )
        return
    yield _state(found, numbers)


def _state(s: Speed, numbers: LoopNumbers) -> WhyThisFast:
    peaks = s.roof.peaks
    return WhyThisFast(
        s.sentence,
        "" if s.verdict is None else str(s.verdict),
        s.notes,
        tuple([_loop(x, s.share(x), numbers) for x in s.loops]),
        tuple([_time(stage, loop, t, numbers) for (stage, loop), t in s.times.items() if stage is not None]),
        s.predicted,
        s.measured,
        s.processor,
        s.gigahertz,
        {c.name: c.lines * 64 for c in s.caches},
        s.roof.intensity,
        s.roof.gflops,
        s.roof.roof,
        None if peaks is None else peaks.gflops,
        None if peaks is None else peaks.gbytes,
        words_in(s.sentence, str(s.verdict or ""), *s.notes, *((_OF_LOOPS,) if s.loops else ())),
        None,
    )


def _time(stage: str, loop: str | None, seconds: float, numbers: LoopNumbers) -> PredictedTime:
    key = stage if loop is None else f"{stage}/{loop}"
    return PredictedTime(key, numbers.number(stage, loop), seconds)


def _loop(x: LoopSpeed, share: float, numbers: LoopNumbers) -> InnerLoopSpeed:
    place = x.place
    simulated = x.simulated if isinstance(x.simulated, Simulated) else None
    return InnerLoopSpeed(
        x.shown,
        None if place is None else place.stage,
        None if place is None else place.axis,
        None if place is None or place.stage is None else numbers.number(place.stage, place.axis),
        x.label,
        share,
        x.iterations,
        x.steps,
        x.cycles,
        x.rule,
        _limits(x),
        len(x.body),
        {KIND_NAMES.get(k, KIND_NAMES["other"])[n != 1]: n for k, n in x.kinds.items()},
        x.bits,
        x.lanes,
        x.loads,
        x.stores,
        x.spills,
        x.calls,
        simulated.ports if x.uses_simulation and simulated is not None else x.ports.ports,
        f"llvm-mca, {simulated.model}" if x.uses_simulation and simulated is not None else "tewb's table",
        None if simulated is None else simulated.cycles,
        simulated.model if simulated is not None else str(x.simulated),
        tuple([LinesFetched(f.buffer, f.misses, f.is_sequential, f.crowded) for f in x.fetched]),
        x.is_once,
    )


def _limits(x: LoopSpeed) -> tuple[Limit, ...]:
    if not x.is_timed:
        return ()
    if x.is_once:
        chain = "operations of which each waits for the one before"
        return (Limit(CHAIN, x.chain_cycles, chain), *_limits_without_chain(x))
    chain = "through memory" if x.chain.through_memory else "through registers"
    if x.chain_cycles != x.chain.cycles:
        chain = f"{chain}: {x.chain.cycles:g}, of which the next entry of the loop overlaps a part"
    return (
        Limit(CHAIN, x.chain_cycles, f"each iteration waits for the one before, {chain}"),
        *_limits_without_chain(x),
    )


def _limits_without_chain(x: LoopSpeed) -> tuple[Limit, ...]:
    return (
        Limit(PORTS, x.port_cycles, f"the busiest: {', '.join(x.ports.busiest)}" if x.ports.busiest else ""),
        Limit(FRONT, x.front, f"{len(x.body)} instructions begin, so many in a cycle"),
        Limit(MEMORY, x.memory, "lines that come from further caches"),
    )
