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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tewb.arith import Analyzer, evaluate_integers
from tewb.ir import (
    Add,
    BufferLoad,
    BufferStore,
    Call,
    Div,
    Expr,
    ExternRegion,
    For,
    ForKind,
    IfThenElse,
    Mul,
    Node,
    PrimFunc,
    Stmt,
    Sub,
    Var,
    const,
    const_int,
    substitute,
    uses,
    walk,
)
from tewb.runtime import Target, get_num_threads
from tewb.workbench.judge.ledger import caches
from tewb.workbench.judge.nests import stride
from tewb.workbench.measure.counts import Sizes, count_operations, value_of
from tewb.workbench.measure.roofline import Peaks, machine_peaks

LATENCY = 8.0  # multiply-adds that could be begun while one is made
LINE = 64  # bytes
PAGE, PAGES = 4096, 64  # bytes, and how many pages a core finds at once
FOUND_LATE = 2.5  # times as long for bytes on a page that was not just looked at: they are not fetched ahead
FAR = 997  # elements between neighbours of which nothing is known
MATH = 14.0  # multiply-adds that an exp, a tanh, ... takes
DIVISION = 8.0
SHORT = 9  # iterations of a loop that LLVM writes out
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
        return min(memory, self.operation / (16 if level == 0 else 6))


def predict(f: PrimFunc, sizes: Sizes, machine: Machine, known: dict[_Store, float] | None = None) -> float:
    """The seconds of a call of `f`, which are its loops as scheduled, before any pass. What packed functions and C do is
    not in it. `known` keeps those of stores that another schedule of the program may share."""
    total, was_parallel = 0.0, False
    for nest in _stores(f.body, (), {}, sizes):
        seconds = None if known is None else known.get(nest)
        if seconds is None:
            seconds = _seconds(nest, machine)
            if known is not None:
                known[nest] = seconds
        total += seconds
        was_parallel = was_parallel or any(n.kind is ForKind.PARALLEL for n in nest.loops)
    return total + (THREAD if was_parallel else 0.0)


@dataclass(frozen=True, slots=True)
class _Loop:
    var: Var
    trips: float
    kind: ForKind


@dataclass(frozen=True, slots=True)
class _Store:
    """A store with the loops around it, outermost first."""

    loops: tuple[_Loop, ...]
    store: BufferStore


def _stores(s: Node, around: tuple[_Loop, ...], middle: Mapping[Var, Any], sizes: Sizes) -> Iterator[_Store]:
    """Every store; a range that depends on other loops counts as it is in their middle."""
    match s:
        case For():
            trips = _value(s.extent, middle, sizes)
            first = _value(s.min, middle, sizes)
            inside = (*around, _Loop(s.var, max(trips, 0.0), s.kind))
            yield from _stores(s.body, inside, {**middle, s.var: first + (trips - 1) / 2}, sizes)
        case BufferStore():
            yield _Store(around, s)
        case IfThenElse() if s.other is not None:  # the one that runs in the middle of the loops
            yield from _stores(
                s.other if _value(s.cond, middle, sizes) == 0 else s.then, around, middle, sizes
            )
        case Stmt() if not isinstance(getattr(s, "node", None), ExternRegion):
            for child in s.children():
                yield from _stores(child, around, middle, sizes)


def _value(e: Expr, middle: Mapping[Var, Any], sizes: Sizes) -> float:
    known = const_int(e)
    if known is not None:
        return float(known)
    names = {v: middle[v] if v in middle else value_of(v, sizes) for v in walk(e) if isinstance(v, Var)}
    value = evaluate_integers(e, names)
    return 1.0 if value is None else float(value)


@dataclass(frozen=True, slots=True)
class _Access:
    """A load or a store: how many elements it moves along each loop, and how many bytes an element has."""

    moves: tuple[int, ...]
    item: int
    buffer: Any
    stores: bool = False


def _accesses(nest: _Store) -> list[_Access]:
    """The loads, and the store as the last."""
    s, simplify = nest.store, Analyzer().simplify
    dots = {loop.var: const(0, loop.var.dtype) for loop in nest.loops if loop.kind is ForKind.DOT}

    def move(n: Any, loop: _Loop) -> int:
        if loop.var in dots:  # neighbours, or it would not be a dot product
            return int(any(uses(i, [loop.var]) for i in n.indices))
        # (4*ko + ki) // 4 moves with ko, whatever ki is
        indices = [simplify(substitute(i, dots)) for i in n.indices] if dots else n.indices
        moved = stride(n.buffer, indices, loop.var)
        return FAR if moved is None else moved

    def access(n: Any, stores: bool) -> _Access:
        return _Access(tuple([move(n, loop) for loop in nest.loops]), n.buffer.dtype.nbytes, n.buffer, stores)

    loads = {n: None for n in walk(s.value) if isinstance(n, BufferLoad)}
    return [*(access(n, False) for n in loads), access(s, True)]


def _seconds(nest: _Store, machine: Machine) -> float:
    if any(n.trips == 0 for n in nest.loops):
        return 0.0
    accesses = _accesses(nest)
    cpu, memory = _arithmetic(nest, accesses, machine), _traffic(nest, accesses, machine)
    shared = next((n.trips for n in nest.loops if n.kind is ForKind.PARALLEL), 1.0)
    workers = max(min(float(machine.threads), shared), 1.0)
    workers = shared / math.ceil(shared / workers)  # a last part that is shorter is waited for
    cpu, memory = cpu / workers, memory / math.sqrt(workers)
    return max(cpu, memory) + 0.2 * min(cpu, memory)


# ---------------------------------------------------------------- arithmetic

_BLOCK = (ForKind.VECTORIZED, ForKind.UNROLLED, ForKind.DOT)


@dataclass(frozen=True, slots=True)
class _Shape:
    """Loops as they become instructions: those outside run, and one iteration of the innermost of them does all of the block,
    in which `vector` (the number of a loop, from the outermost) is in the lanes of vectors."""

    outside: tuple[_Loop, ...]
    block: tuple[_Loop, ...]
    vector: int | None
    lanes: int
    accesses: tuple[_Access, ...]

    @property
    def own(self) -> _Access:
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

    def cost(self, a: _Access) -> tuple[float, float]:
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

    def is_own(self, a: _Access) -> bool:
        """Whether an access is of the element that is stored, as that of the sum so far is."""
        return a.buffer is self.own.buffer and a.moves == self.own.moves


def _shape(nest: _Store, accesses: list[_Access], machine: Machine) -> _Shape:
    lanes = max(machine.vector_bytes // max(a.item for a in accesses), 1)
    loops, inner = list(nest.loops), len(nest.loops)
    while inner and loops[inner - 1].kind in _BLOCK:
        inner -= 1
    short = 1.0
    while inner and loops[inner - 1].kind is ForKind.SERIAL and loops[inner - 1].trips * short <= SHORT:
        inner -= 1  # LLVM writes short loops out
        short *= loops[inner].trips
        loops[inner] = _Loop(loops[inner].var, loops[inner].trips, ForKind.UNROLLED)
    outside, block = loops[:inner], loops[inner:]
    vectors = [i for i in range(inner, len(loops)) if loops[i].kind is ForKind.VECTORIZED]
    vector = vectors[-1] if vectors else None
    if vector is None and outside and _llvm_vectorizes(nest, accesses, inner - 1):
        # LLVM makes vectors of the innermost loop, as if it had been split by four of them.
        last = outside[-1]
        size = min(last.trips, 4.0 * lanes)
        outside[-1] = _Loop(last.var, last.trips / size, ForKind.SERIAL)
        block.insert(0, _Loop(last.var, size, ForKind.VECTORIZED))
        accesses = [replace(a, moves=(*a.moves[:inner], *a.moves[inner - 1 :])) for a in accesses]
        vector = inner
    return _Shape(tuple(outside), tuple(block), vector, lanes, tuple(accesses))


def _arithmetic(nest: _Store, accesses: list[_Access], machine: Machine) -> float:
    """Seconds of the instructions, as if all data were in the nearest cache."""
    shape = _shape(nest, accesses, machine)
    fits = sum(shape.cost(a)[1] for a in shape.accesses if a.stores) <= machine.registers - 2
    dots = 1.0 if shape.vector is not None else shape.dots
    instructions = _work(nest.store) * shape.groups * shape.written_out() * dots
    busy = shape.times * max(instructions, _waiting(shape, fits))
    loads = sum(_moving(shape, a, fits) for a in shape.accesses)
    total = max(busy, loads) + 0.3 * min(busy, loads) + _overhead(shape)
    return total * machine.operation


def _moving(shape: _Shape, a: _Access, fits: bool) -> float:
    """The loads, or stores, of an access, which is taken out of the loops along which it does not move."""
    times = shape.times
    if fits or not shape.is_own(a):
        for i in range(len(shape.outside) - 1, -1, -1):
            if a.moves[i]:
                break
            times /= shape.outside[i].trips
    return times * shape.cost(a)[0] * (2.0 if a.stores else 1.0)


def _waiting(shape: _Shape, fits: bool) -> float:
    """How long a block waits for the sums of the one before; longer where they go through memory."""
    is_sum = any(shape.is_own(a) for a in shape.accesses[:-1])
    if not is_sum or not shape.outside or shape.own.moves[len(shape.outside) - 1]:
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


def _llvm_vectorizes(nest: _Store, accesses: list[_Access], at: int) -> bool:
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
    for n in {n: None for n in walk(s.value)}:
        products += isinstance(n, Mul)
        sums += isinstance(n, Add | Sub) and any(isinstance(c, Mul) for c in n.children())
        if (
            isinstance(n, Call)
            and n.dtype.is_float
            and n.op not in ("if_then_else", "likely", "reinterpret", "fma")
        ):
            total += MATH
        total += (DIVISION - 1) * isinstance(n, Div)
    return max(total - min(products, sums), 0.5)


# ---------------------------------------------------------------- memory


def _traffic(nest: _Store, accesses: list[_Access], machine: Machine) -> float:
    """Seconds in which lines come from further away than the nearest cache."""
    alike = {(a.buffer, a.moves): a for a in accesses}  # neighbours of a stencil are one
    seconds = 0.0
    for level, size in enumerate(machine.cache_bytes):
        missed = _missed(nest.loops, list(alike.values()), 0.75 * size)
        seconds += machine.seconds_per_byte(level) * missed
    return seconds


def _missed(loops: Sequence[_Loop], accesses: Sequence[_Access], size: float) -> float:
    """The bytes that a cache of that size has not got, if it holds what the loops inside of it touch."""
    touched = [0.0] * len(accesses)
    for at in range(len(loops) + 1):
        touched = [_bytes(a, loops, at) for a in accesses]
        if sum(touched) <= size:
            break
    if at == 0:
        return 0.0
    times = math.prod(n.trips for n in loops[:at])
    missed = 0.0
    for a, amount in zip(accesses, touched, strict=True):
        repeats = times
        for i in range(
            at - 1, -1, -1
        ):  # what a loop does not move stays, where it is most of what the loop touches
            if a.moves[i] or amount * 4 > size:
                break
            repeats /= loops[i].trips
        late = FOUND_LATE if _jumps(a, loops, at) else 1.0
        missed += repeats * amount * late * (2.0 if a.stores else 1.0)
    return missed


def _jumps(a: _Access, loops: Sequence[_Loop], at: int) -> bool:
    """Whether an access reads little, and on another page, from one iteration to the next of the innermost loop that moves it
    outside of `at`."""
    around = zip(reversed(a.moves[:at]), reversed(loops[:at]), strict=True)
    step, trips = next(((m, n.trips) for m, n in around if m), (0, 0.0))
    run = _neighbours(a, loops, at)[0] * a.item
    return abs(step) * a.item >= PAGE and trips > PAGES and run < PAGE / 4


def _neighbours(a: _Access, loops: Sequence[_Loop], at: int) -> tuple[float, list[tuple[int, float]]]:
    """How many neighbours an access touches in the loops from `at` on, and the steps and iterations of the loops that are
    longer than that."""
    run, rest = 1.0, []
    for step, trips in sorted((abs(m), n.trips) for m, n in zip(a.moves[at:], loops[at:], strict=True) if m):
        if step <= run:
            run += step * (trips - 1)
        else:
            rest.append((step, trips))
    return run, rest


def _bytes(a: _Access, loops: Sequence[_Loop], at: int) -> float:
    """The bytes of the lines that an access touches in the loops from `at` on."""
    run, further = _neighbours(a, loops, at)
    lines = 1.0
    for step, trips in further:
        apart = step * a.item
        crowded = apart >= 1024 and apart & (apart - 1) == 0 and trips > 16
        lines *= trips * (1.5 if crowded else 1.0)  # lines a power of two apart are in each other's way
    each = run * a.item if lines == 1.0 else math.ceil(run * a.item / LINE) * LINE
    return max(each, float(a.item)) * lines
