"""What an innermost loop takes: its instructions counted, and the cycles of an iteration under each of four limits.

* the latency chain: an iteration waits for the one before it;
* ports: the units of the processor that do the work are busy;
* the front: the processor begins only so many instructions in a cycle;
* memory: lines come from further caches.

The largest of them rules. Each is a lower bound; together they are a prediction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tewb.workbench.speed.arm_instructions import parse_arm
from tewb.workbench.speed.cache_misses import Fetched
from tewb.workbench.speed.inner_loops import InnerLoop, constant_trips, instructions_of
from tewb.workbench.speed.instructions import VECTOR_WORK, Instruction
from tewb.workbench.speed.latency_chain import Chain, latency_chain, longest_chain
from tewb.workbench.speed.llvm_mca import Simulated, simulate
from tewb.workbench.speed.loop_places import LoopPlace, steps_of
from tewb.workbench.speed.memory_levels import MemoryLevels
from tewb.workbench.speed.port_pressure import Pressure, front_cycles, port_pressure
from tewb.workbench.speed.processors import Processor

CHAIN, PORTS, FRONT, MEMORY, UNKNOWN = "latency chain", "ports", "front end", "memory", "unknown"
_ONCE = "llvm-mca is asked about loops"
RULES = (CHAIN, PORTS, FRONT, MEMORY, UNKNOWN)


@dataclass(slots=True)
class LoopSpeed:
    """An innermost loop of the kernel, or all of a kernel that has none, as if it were a loop of one iteration. All cycles are those of one iteration of the machine's loop, which does `steps`
    iterations of the loop of the program. `iterations` are those of a call."""

    place: LoopPlace | None
    label: str
    body: tuple[Instruction, ...]
    steps: float
    iterations: float
    chain: Chain
    chain_cycles: float  # with what the next entries of a short loop do meanwhile
    ports: Pressure
    front: float
    simulated: Simulated | str
    memory: float = 0.0
    fetched: list[Fetched] = field(default_factory=list)
    is_exact: bool = True  # whether llvm-mca has a model of this very processor
    is_timed: bool = True  # whether the table has figures for its instructions
    is_counted: bool = True  # whether its iterations are known from its own counter
    told: str = ""  # its name among other loops of the same one

    @property
    def is_once(self) -> bool:
        """Whether this is no loop: all of the kernel, which runs once."""
        return self.place is not None and self.place.loop is None

    @property
    def name(self) -> str:
        """What a person calls the loop."""
        return self.place.name if self.place is not None else self.label

    @property
    def shown(self) -> str:
        """Its name where others of the same one stand beside it: "C.k, 2nd of 3"."""
        return self.told or self.name

    @property
    def port_cycles(self) -> float:
        """Cycles that the ports take: llvm-mca's, where it knows the processor."""
        return self.simulated.throughput if self.uses_simulation else self.ports.cycles  # type: ignore[union-attr]

    @property
    def uses_simulation(self) -> bool:
        """Whether the numbers of ports are llvm-mca's; a model of an older processor stands beside the table only."""
        return isinstance(self.simulated, Simulated) and self.is_exact

    @property
    def core(self) -> float:
        """Cycles of an iteration when all data is near."""
        if not self.is_timed:
            return self.simulated.cycles if isinstance(self.simulated, Simulated) else 0.0
        return max(self.chain_cycles, self.port_cycles, self.front)

    @property
    def cycles(self) -> float:
        """Cycles of an iteration."""
        return max(self.core, self.memory)

    @property
    def rule(self) -> str:
        """Which limit is the largest."""
        if not self.is_timed:
            return UNKNOWN
        if self.memory > max(self.core, self.chain.cycles):
            return MEMORY
        chain = self.chain.cycles if self.memory > self.core else self.chain_cycles
        limits = {CHAIN: chain, PORTS: self.port_cycles, FRONT: self.front}
        return max(limits, key=lambda k: limits[k])

    @property
    def without_waiting(self) -> float:
        """Cycles that the instructions of an iteration take when none waits for another, nor for memory."""
        return max(self.port_cycles, self.front)

    @property
    def calls(self) -> tuple[str, ...]:
        """The functions that an iteration calls."""
        return tuple(dict.fromkeys(i.target or "?" for i in self.body if i.kind == "call"))

    @property
    def kinds(self) -> dict[str, int]:
        """Instructions by kind, the most first."""
        return dict(Counter(i.kind for i in self.body).most_common())

    @property
    def bits(self) -> int:
        """The width of the vectors that most of the arithmetic on floats or vectors has; 0 where there is none. One number
        at a time is its own width."""
        widths = Counter(i.bits for i in self.body if i.kind in VECTOR_WORK)
        if not widths:
            widths = Counter(i.bits for i in self.body if i.lane and (i.load or i.store))
        return max(widths, key=lambda b: (widths[b] * b, b)) if widths else 0

    @property
    def lanes(self) -> int:
        """How many numbers an instruction of that width works on."""
        found = [
            i.lanes
            for i in self.body
            if i.bits == self.bits and i.lane and (i.kind in VECTOR_WORK or i.load or i.store)
        ]
        return Counter(found).most_common(1)[0][0] if found else 1

    @property
    def loads(self) -> int:
        return sum(i.load is not None for i in self.body)

    @property
    def stores(self) -> int:
        return sum(i.store is not None for i in self.body)

    @property
    def spills(self) -> int:
        """How many instructions save a register on the stack or load it back, because there are too few of them."""
        return sum(any(a is not None and a.is_stack for a in (i.load, i.store)) for i in self.body)

    @property
    def total_cycles(self) -> float:
        """Cycles of all iterations of a call."""
        return self.iterations * self.cycles


def loop_speed(
    loop: InnerLoop, place: LoopPlace | None, processor: Processor, is_known: bool, triple: str, cpu: str
) -> LoopSpeed:
    """The numbers of a loop of x86-64, without those of memory."""
    body = tuple(instructions_of(loop.rows))
    is_once = place is not None and place.loop is None
    chain = (longest_chain if is_once else latency_chain)(body, processor)
    trips = 1 if is_once else constant_trips(list(body), loop.before)
    steps, each, entries = _counts(body, place, trips)
    names = (cpu, *processor.stand_ins) if is_known else (cpu, "skylake-avx512", "haswell")
    simulated = _ONCE if is_once else simulate([r.text for r in loop.rows], triple, names)
    return LoopSpeed(
        place, loop.label, body, steps, entries * each, chain, overlapped(chain, each, entries, processor),
        port_pressure(body, processor), front_cycles(body, processor), simulated,
        is_exact=isinstance(simulated, Simulated) and simulated.model == cpu, is_counted=trips is not None,
    )  # fmt: skip


def loop_of_another_architecture(
    loop: InnerLoop, place: LoopPlace | None, triple: str, cpu: str
) -> LoopSpeed:
    """The counts of a loop of AArch64, and what llvm-mca says of it: there is no table for other processors."""
    body = tuple(parse_arm(r.text) for r in loop.rows)
    steps, each, entries = _counts(body, place, None)
    simulated = simulate([r.text for r in loop.rows], triple, (cpu,))
    is_exact = isinstance(simulated, Simulated) and simulated.model == cpu
    nothing = Pressure({}, 0.0, (), ())
    return LoopSpeed(
        place, loop.label, body, steps, entries * each, Chain(0.0, (), False), 0.0, nothing, 0.0, simulated,
        is_exact=is_exact, is_timed=False, is_counted=False,
    )  # fmt: skip


def _counts(
    body: Sequence[Instruction], place: LoopPlace | None, trips: int | None
) -> tuple[float, float, float]:
    """Steps of the program's loop in an iteration, iterations of the machine's loop for each entry, and entries."""
    if place is None:
        return 1.0, float(trips or 1), 1.0
    steps = steps_of(body, place, trips)
    return round(steps, 2), float(trips) if trips is not None else place.trips / steps, place.entries


def overlapped(chain: Chain, trips: float, entries: float, processor: Processor) -> float:
    """The cycles of a chain for an iteration, when the loop is entered again and again: the processor begins the next entry
    while as many instructions as it can hold wait for the last of this one. The formula fits measured sums of 64 to
    1024 terms, which took 0.41 to 0.88 of their chain."""
    waiting = len(chain.instructions) * trips
    if chain.through_memory or entries <= 1 or waiting <= 0:
        return chain.cycles
    return round(chain.cycles * waiting / (waiting + processor.waiting), 2)


def share_among_copies(loops: Sequence[LoopSpeed]) -> None:
    """Where LLVM wrote out a loop that stands around an inner one, or made two of it by a condition, there are copies of the
    inner one, which together do its iterations."""
    copies: dict[tuple[int, float, float], list[LoopSpeed]] = {}
    for x in loops:
        if x.place is not None:
            copies.setdefault((id(x.place.loop), x.steps, x.iterations), []).append(x)
    for alike in copies.values():
        for x in alike:
            x.iterations /= len(alike)


def share_of_remainders(loops: Sequence[LoopSpeed]) -> None:
    """Loops that do what is left of another one's steps run less often than all of it."""
    for place in {id(x.place.loop): x.place for x in loops if x.place is not None}.values():
        mine = [x for x in loops if x.place is not None and x.place.loop is place.loop]
        widest = max(x.steps for x in mine)
        for x in mine:
            if (
                not x.is_counted
                and x.steps < widest
                and x.iterations * x.steps >= place.entries * place.trips * 0.99
            ):
                x.iterations = place.entries * (place.trips % widest) / x.steps


def add_memory(loops: Sequence[LoopSpeed], fetched: Sequence[Fetched], levels: MemoryLevels) -> float:
    """Give every loop the lines that it fetches. Returns the seconds of those that no innermost loop fetches."""
    rest = 0.0
    by_key: dict[tuple[str | None, str | None], list[LoopSpeed]] = {}
    for x in loops:
        if x.place is not None:
            by_key.setdefault((x.place.stage, x.place.axis), []).append(x)
    for one in fetched:
        seconds = levels.seconds(one.misses, one.is_sequential) * (2 if one.is_store else 1)
        owners = next((by_key[key] for key in reversed(one.keys) if key in by_key), [])
        total = sum(x.iterations * x.steps for x in owners)
        if not total:
            rest += seconds
            continue
        for x in owners:
            x.fetched.append(one)
            if x.iterations:
                part = x.iterations * x.steps / total
                x.memory = round(x.memory + seconds * part / x.iterations * levels.gigahertz * 1e9, 4)
    return rest
