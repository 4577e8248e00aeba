"""How long a scheduled program takes, predicted from its loops: a model of vectors, registers and caches.

For each store, with the loops around it:

    instructions   those of a block (the vectorized and unrolled loops inside of the innermost serial one) times how often it
                   runs; loads and sums that do not move with a serial loop are taken out of it, if registers suffice
    latency        sums that wait for each other: a multiply-add takes as long as eight can be begun
    memory         for each cache, the bytes that the loops inside of it do not find there, in lines

The slower of arithmetic and memory counts, and a little of the other. Such a model says which of two schedules is likely to be
faster, and about how much; what is measured counts more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tewb.arith import strides_of
from tewb.ir import (
    Add,
    And,
    BufferStore,
    Call,
    Compare,
    Div,
    Expr,
    ForKind,
    Mul,
    Not,
    Or,
    PrimFunc,
    Sub,
    const,
    intrinsics,
    uses,
)
from tewb.runtime import Target, get_num_threads
from tewb.workbench.judge.ledger import caches
from tewb.workbench.judge.store_nests import (
    FAR,
    Access,
    NestLoop,
    StoreNest,
    accesses,
    guard_of,
    store_nests,
    values_of,
)
from tewb.workbench.judge.traffic import Footprints, Level, traffic
from tewb.workbench.measure.counts import Sizes, count_operations
from tewb.workbench.measure.roofline import Peaks, machine_peaks

LATENCY = 8.0  # multiply-adds that could be begun while one is made
NEAR = (
    0.2  # of the shorter of arithmetic and the way to the nearest cache, which is not hidden behind the other
)
BOTH = 0.4  # likewise of what a core does by itself, and longer ways
OVERLAP = 0.3  # likewise of loads and operations
GUARD = 0.5  # instructions of a vector for a comparison, or the choice
MATH = 12.0  # multiply-adds of a vector that an exp, a sin, a log, ... takes, and those that take others:
CALLS = {
    **dict.fromkeys(("if_then_else", "likely", "reinterpret", "fma"), 0.0),
    **dict.fromkeys((*intrinsics.ROUNDING, "abs", "copysign"), 1.0),
    **{"sqrt": 16.0, "rsqrt": 28.0, "tanh": 22.0, "erf": 24.0, "pow": 32.0},
    **dict.fromkeys(("fmod", "hypot", "acosh", "asinh", "atanh"), 400.0),  # by the library, lane by lane
}
DIVISION = 8.0
SHORT, MOST_WRITTEN = 9, 80  # iterations of a loop that LLVM writes out, and of all that are
MOST_ACCESSES = 128  # of a loop that LLVM takes sums out of: it gives up where there are many
THREAD = 5e-6  # seconds until all threads have begun


@dataclass(frozen=True, slots=True)
class Machine:
    """What the model knows of a processor: its peaks on one thread and on all, the bytes and the number of its vector
    registers, the bytes of its caches (nearest first), and how many threads a kernel may have."""

    peaks: Peaks
    peaks_of_all: Peaks
    vector_bytes: int
    registers: int
    cache_bytes: tuple[int, ...]
    threads: int

    @staticmethod
    def here(dtype: str = "float32") -> Machine:
        """This machine; its peaks are measured at the first call (a second)."""
        width = Target.host().vector_bytes
        known = caches() or ()
        sizes = tuple(c.bytes for c in known) or (32 << 10, 1 << 20)
        threads, registers = get_num_threads(), 32 if width >= 64 else 16
        one, all_threads = machine_peaks(dtype), machine_peaks(dtype, threads)
        return Machine(one, all_threads, width, registers, sizes, threads)

    @property
    def operation(self) -> float:
        """Seconds of one multiply-add of a vector."""
        lanes = self.vector_bytes // (8 if self.peaks.dtype == "float64" else 4)
        return 2 * lanes / (self.peaks.gflops * 1e9)

    def seconds_per_byte(self, level: int) -> float:
        """The time of a byte that cache `level` (from 0) has not got."""
        last = len(self.cache_bytes) - 1
        memory = 1 / (self.peaks.gbytes * 1e9)
        if level >= last:
            return memory
        return min(memory, self.operation / (20 if level == 0 else 6))


def predict(f: PrimFunc, sizes: Sizes, machine: Machine, known: dict[StoreNest, Seen] | None = None) -> float:
    """The seconds of a call of `f`, which are its loops as scheduled, before any pass. What packed functions and C do is
    not in it. `known` keeps what is seen of stores that another schedule of the program may share."""
    known = {} if known is None else known
    nests = [n for n in store_nests(f.body, sizes) if all(loop.trips for loop in n.loops)]
    seen = [known.get(n) or known.setdefault(n, _seen(n, machine)) for n in nests]
    levels = [Level(size, machine.seconds_per_byte(i)) for i, size in enumerate(machine.cache_bytes)]
    memory = traffic([s.footprints for s in seen], set(f.params), levels)
    total = sum(_seconds(n, s.arithmetic, m, machine) for n, s, m in zip(nests, seen, memory, strict=True))
    was_parallel = any(loop.kind is ForKind.PARALLEL for n in nests for loop in n.loops)
    return total + (THREAD if was_parallel else 0.0)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is seen of a store by itself: the seconds of its arithmetic, and what it touches in memory."""

    arithmetic: float
    footprints: Footprints


def _seen(nest: StoreNest, machine: Machine) -> Seen:
    found = accesses(nest)
    return Seen(_arithmetic(nest, found, machine), Footprints.of(nest, found))


def _seconds(nest: StoreNest, cpu: float, ways: tuple[float, float], machine: Machine) -> float:
    shared = next((n.trips for n in nest.loops if n.kind is ForKind.PARALLEL), 1.0)
    workers = max(min(float(machine.threads), shared), 1.0)
    workers = shared / math.ceil(shared / workers)  # a last part that is shorter is waited for
    near, far = ways
    if nest.store.nontemporal:  # it goes through the buffers in which lines come from the next cache
        near, far = 0.0, near + far
    own = max(cpu, near) + NEAR * min(cpu, near)
    own, far = own / workers, far / math.sqrt(workers)
    return max(own, far) + BOTH * min(own, far)


# ---------------------------------------------------------------- arithmetic

_BLOCK = (ForKind.VECTORIZED, ForKind.UNROLLED, ForKind.DOT)


@dataclass(frozen=True, slots=True)
class _Shape:
    """Loops as they become instructions: those outside run, and one iteration of the innermost of them does all of the block,
    in which `vector` (the number of a loop, from the outermost) is in the lanes of vectors."""

    outside: tuple[NestLoop, ...]
    block: tuple[NestLoop, ...]
    vector: int | None
    lanes: int
    accesses: tuple[Access, ...]

    @property
    def own(self) -> Access:
        """The store."""
        return self.accesses[-1]

    @property
    def times(self) -> float:
        """How often the block runs."""
        return math.prod(n.trips for n in self.outside)

    @property
    def width(self) -> float:
        """The iterations in lanes."""
        return 1.0 if self.vector is None else self.block[self.vector - len(self.outside)].trips

    @property
    def groups(self) -> float:
        """How many vectors they are. A part of a vector takes two or three instructions: those for 8, 4, ... lanes."""
        if self.vector is None:
            return 1.0
        return math.ceil(self.width / self.lanes) + 0.5 * (self.width % self.lanes != 0)

    @property
    def dots(self) -> float:
        """The products in one instruction of a dot product."""
        return math.prod(n.trips for n in self.block if n.kind is ForKind.DOT)

    def written_out(self, moves: Callable[[int], bool] = lambda i: True) -> float:
        """The iterations of the unrolled loops of the block, of those only for whose number `moves` is true."""
        numbered = enumerate(self.block, len(self.outside))
        return math.prod(
            n.trips for i, n in numbered if i != self.vector and n.kind is not ForKind.DOT and moves(i)
        )

    def instructions(self, a: Access) -> float:
        """How often a block has an access, in vectors."""
        others = self.written_out(lambda i: a.moves[i] != 0)
        return others * (self.groups if self.vector is not None and a.moves[self.vector] else 1.0)

    def cost(self, a: Access) -> tuple[float, float]:
        """The instructions that an access takes in a block, and the registers for it."""
        others = self.written_out(lambda i: a.moves[i] != 0)
        if self.vector is None:
            return others, others
        along, vectors = a.moves[self.vector], self.groups * others
        if along == 0:
            return 0.5 * others, 0.0
        if abs(along) == 1 or (self.dots > 1 and abs(along) == self.dots):
            return vectors * (1.0 if along > 0 else 2.0), vectors
        if len(self.block) > 1 and self.block[-2].kind is ForKind.VECTORIZED:  # a tile is turned in registers
            return 2.0 * vectors, 0.0
        return 2.5 * self.width * others, vectors

    def is_own(self, a: Access) -> bool:
        """Whether an access is of the element that is stored, as that of the sum so far is."""
        return a.buffer is self.own.buffer and a.moves == self.own.moves


def _shape(nest: StoreNest, accesses: list[Access], machine: Machine) -> _Shape:
    lanes = max(machine.vector_bytes // max(a.item for a in accesses), 1)
    loops, inner = list(nest.loops), len(nest.loops)
    while inner and loops[inner - 1].kind in _BLOCK:
        inner -= 1
    short, written = 1.0, math.prod(n.trips for n in loops[inner:] if n.kind is ForKind.UNROLLED)
    while (
        inner
        and loops[inner - 1].kind is ForKind.SERIAL
        and loops[inner - 1].trips * short <= SHORT
        and (loops[inner - 1].trips == 1 or loops[inner - 1].trips * short * written <= MOST_WRITTEN)
    ):
        inner -= 1  # LLVM writes short loops out
        short *= loops[inner].trips
        loops[inner] = NestLoop(loops[inner].var, loops[inner].trips, ForKind.UNROLLED)
    outside, block = loops[:inner], loops[inner:]
    vectors = [i for i in range(inner, len(loops)) if loops[i].kind is ForKind.VECTORIZED]
    vector = vectors[-1] if vectors else None
    if vector is None and outside and _llvm_vectorizes(nest, accesses, inner - 1):
        # LLVM makes vectors of the innermost loop, as if it had been split by four of them.
        last = outside[-1]
        size = min(last.trips, 4.0 * lanes)
        outside[-1] = NestLoop(last.var, last.trips / size, ForKind.SERIAL)
        block.insert(0, NestLoop(last.var, size, ForKind.VECTORIZED))
        accesses = [replace(a, moves=(*a.moves[:inner], *a.moves[inner - 1 :])) for a in accesses]
        vector = inner
    return _Shape(tuple(outside), tuple(block), vector, lanes, tuple(accesses))


def _arithmetic(nest: StoreNest, found: list[Access], machine: Machine) -> float:
    """Seconds of the instructions, as if all data were in the nearest cache."""
    shape = _shape(nest, found, machine)
    fits = sum(shape.cost(a)[1] for a in shape.accesses if a.stores) <= machine.registers - 2
    fits = fits and _is_promoted(nest, shape)
    dots = 1.0 if shape.vector is not None else shape.dots
    instructions = _work(nest.store) * shape.groups * shape.written_out() * dots + _guarded(nest, shape)
    busy = shape.times * max(instructions, _waiting(shape, fits, nest.since))
    loads = sum(_moving(shape, a, fits) for a in shape.accesses)
    total = max(busy, loads) + OVERLAP * min(busy, loads) + _overhead(shape)
    return total * machine.operation


def _is_promoted(nest: StoreNest, shape: _Shape) -> bool:
    """Whether LLVM takes sums out of the loops: always those of the kernel's own small arrays, of other memory where the
    loop has not too many accesses to look at."""
    if nest.store.buffer.scope == "local":
        return True
    stored = shape.groups * shape.written_out()
    return stored + sum(shape.instructions(a) for a in shape.accesses if not shape.is_own(a)) <= MOST_ACCESSES


def _moving(shape: _Shape, a: Access, fits: bool) -> float:
    """The loads, or stores, of an access, which is taken out of the loops along which it does not move; sums that registers
    do not hold are loaded and stored at each step."""
    times = shape.times
    if shape.is_own(a) and not fits:
        times *= shape.written_out(lambda i: a.moves[i] == 0)
    else:
        for i in range(len(shape.outside) - 1, -1, -1):
            if a.moves[i]:
                break
            times /= shape.outside[i].trips
    return times * shape.cost(a)[0] * (2.0 if a.stores else 1.0)


def _waiting(shape: _Shape, fits: bool, since: int) -> float:
    """How long a block waits for the sums of the one before, in loops from `since` on; longer where they go through memory."""
    is_sum = any(shape.is_own(a) for a in shape.accesses[:-1])
    last = len(shape.outside) - 1
    if not is_sum or last < since or shape.own.moves[last]:
        return 0.0
    one_by_one = shape.written_out(lambda i: shape.own.moves[i] == 0)
    return LATENCY * max(one_by_one, 1.0) * (1.0 if fits else 2.0)


def _overhead(shape: _Shape) -> float:
    """What the loops themselves take."""
    total, times = 0.0, 1.0
    for n in shape.outside:
        times *= n.trips
        total += times * (1.0 if n is shape.outside[-1] else 4.0)
    return total


def _llvm_vectorizes(nest: StoreNest, accesses: list[Access], at: int) -> bool:
    """Whether LLVM is likely to make vectors of the innermost loop: neighbours in memory, and no sum of floats."""
    if nest.loops[at].kind not in (ForKind.SERIAL, ForKind.PARALLEL):
        return False
    along = [a.moves[at] for a in accesses]
    is_float = nest.store.buffer.dtype.is_float
    return all(m in (0, 1) for m in along) and (along[-1] == 1 or not is_float)


def _work(s: BufferStore) -> float:
    """The instructions on elements for one store; a product that is added is one."""
    total = float(count_operations((s.value,), set()))
    products = sums = 0
    for n in values_of(s.value):
        products += isinstance(n, Mul)
        sums += isinstance(n, Add | Sub) and any(isinstance(c, Mul) for c in n.children())
        if isinstance(n, Call) and n.dtype.is_float:
            total += CALLS.get(n.op, MATH)
        total += (DIVISION - 1) * isinstance(n, Div)
    return max(total - min(products, sums), 0.5)


# ---------------------------------------------------------------- guards


def _guarded(nest: StoreNest, shape: _Shape) -> float:
    """The instructions of a block, on average, for choices whose condition is on loops: where it holds for all of a vector, or
    for nothing, loops are parted or written out and nothing is asked."""
    total = 0.0
    for n in values_of(nest.store.value):
        guard = guard_of(n)
        if guard is not None:
            asked = [_edge(c, shape) for c in _conjuncts(guard)]
            moving = {i for i, loop in enumerate((*shape.outside, *shape.block)) if uses(guard, [loop.var])}
            vectors = shape.groups * shape.written_out(lambda i, moving=moving: i in moving)  # type: ignore[misc]
            total += vectors * (sum(asked) + max(asked)) * GUARD
    return total


def _conjuncts(e: Expr) -> Iterator[Expr]:
    match e:
        case And(a, b) | Or(a, b):
            yield from _conjuncts(a)
            yield from _conjuncts(b)
        case Call(op="likely", args=(a,)) | Not(a):
            yield from _conjuncts(a)
        case _:
            yield e


def _edge(e: Expr, shape: _Shape) -> float:
    """How many of the vectors a comparison parts: those where it holds for some lanes only. It parts all loops at one
    place, so that is the span of the lanes, of that of all loops."""
    if not isinstance(e, Compare):
        return 1.0
    loops = (*shape.outside, *shape.block)
    variables = [n.var for n in loops]
    sides = [strides_of((const(1),), (side,), variables) for side in (e.a, e.b)]
    growth = [FAR if a is None or b is None else abs(a - b) for a, b in zip(*sides, strict=True)]
    spans = [g * (n.trips - 1) for g, n in zip(growth, loops, strict=True)]
    lanes = 0.0 if shape.vector is None else spans[shape.vector]
    return (lanes + 1) / (sum(spans) + 1)
