"""Cache misses predicted from reuse distances: how many lines each access of a program fetches past each cache.

A line that is touched again is still there if what was touched meanwhile fits in the cache. Loops say what that is: between
two iterations of a loop lies the footprint of one iteration. So, from the outside in, a loop either fetches each line of an
array once (an iteration's footprint fits), or each iteration fetches anew.

    for i in 2048:                 an iteration of i touches 2048 lines of A and 128 of T: more than the 768 of L1,
        for j in 2048:             so A costs L1 a line at every j; less than the 32768 of L2, which fetches every
            T[i, j] = A[j, i]      line of A once for 16 iterations of i

Footprints are counted on the loops as they are scheduled: boxes of rows of lines, exactly for indices that step evenly.
A cache has sets of a few lines (`ways`): rows whose distance is a power of two fall into few of them, and are driven out
although there is room. Indices read from memory are taken to be random.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from tewb.arith import evaluate_integers, evaluate_number
from tewb.ir import (
    AttrStmt,
    Buffer,
    BufferLoad,
    BufferStore,
    Expr,
    For,
    IfThenElse,
    Node,
    PrimFunc,
    Stmt,
    Var,
    const_int,
    walk,
)
from tewb.workbench.measure.counts import Sizes, value_of

LINE = 64
_SAMPLES = 512  # values of a variable that are looked at, where an index is not a sum of variables
_REACH = 2048  # bytes: processors fetch ahead what is read in steps of at most half a page
_STREAMS = 16  # sequences of lines that are fetched ahead side by side
_MOST_ROWS = 1 << 16  # rows whose sets are looked at; that many fit in no cache that has sets


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache: its lines, and the lines of a set (0: every line may be anywhere)."""

    name: str
    lines: int
    ways: int = 0

    @property
    def sets(self) -> int:
        """How many sets it has."""
        return self.lines // self.ways if self.ways else 1


Key = tuple[str | None, str | None]  # a stage, and one of its loops


@dataclass(frozen=True, slots=True)
class Term:
    """How an index moves with a loop: bytes for a step, and how many different places there are."""

    stride: int
    count: int


@dataclass(frozen=True, eq=False)
class Access:
    """A load or store of a buffer. `terms` has what each loop variable moves, for each dimension; `first` are the indices
    at the beginning of all loops. One that is `random` goes anywhere in it."""

    buffer: Buffer
    lines: int
    strides: tuple[int, ...]  # bytes
    first: tuple[int, ...]
    terms: tuple[dict[Var, Term], ...]
    is_store: bool
    is_random: bool

    def shape(self, running: frozenset[Var]) -> tuple[Any, ...]:
        """What accesses have in common whose boxes are moved to one another while some loops run."""
        steps = [tuple(sorted(t.stride for v, t in d.items() if v in running)) for d in self.terms]
        still = [frozenset((id(v), t.stride) for v, t in d.items() if v not in running) for d in self.terms]
        return (self.is_random, *steps, *still)

    def is_sequential(self, loops: Sequence[Var]) -> bool:
        """Whether lines come one after the other, or in steps small enough to be fetched ahead, in a few streams at once.
        The innermost of the loops comes last."""
        if self.is_random:
            return False
        span, streams = self.buffer.dtype.nbytes, 1
        for v in reversed(loops):
            for t in (d[v] for d in self.terms if v in d):
                if abs(t.stride) > max(_REACH, span):
                    streams *= t.count
                else:
                    span += abs(t.stride) * (t.count - 1)
            if streams > _STREAMS or span > 2 * LINE:
                break
        return streams <= _STREAMS


@dataclass(frozen=True, eq=False)
class Leaf:
    """A statement that stores: its accesses, the loops around it (outermost first), and their keys."""

    accesses: tuple[Access, ...]
    loops: tuple[Var, ...]
    keys: tuple[Key, ...]


@dataclass(frozen=True, eq=False)
class Loop:
    """A loop of `trips` iterations, and what is in it; the program itself has one iteration and no variable."""

    var: Var | None
    trips: float
    body: tuple[Loop | Leaf, ...]

    @property
    def leaves(self) -> list[Leaf]:
        """All statements in it, in their order."""
        return [x for n in self.body for x in ([n] if isinstance(n, Leaf) else n.leaves)]


@dataclass(slots=True)
class Fetched:
    """What a statement fetches of a buffer in a call: its accesses, the different numbers among them, and lines that miss each
    cache, by its name. `crowded` is the nearest cache whose sets they overflow, though they would fit."""

    buffer: str
    keys: tuple[Key, ...]
    touched: float
    numbers: float
    misses: dict[str, float] = field(default_factory=dict)
    is_sequential: bool = True
    is_store: bool = False
    crowded: str = ""


def predict_misses(f: PrimFunc, caches: Sequence[Cache], sizes: Sizes, cold: bool = False) -> list[Fetched]:
    """The lines that every statement of a function fetches past each cache in a call, buffer by buffer. Unless `cold`,
    what fits in a cache is there from the call before."""
    program = program_of(f, sizes)
    model = _Model(program)
    found: dict[tuple[Leaf, Buffer], Fetched] = {}
    for leaf in program.leaves:
        for b in dict.fromkeys(a.buffer for a in leaf.accesses):
            mine = [a for a in leaf.accesses if a.buffer is b]
            touched = math.prod(model.trips[v] for v in leaf.loops) * len(
                {(a.shape(frozenset()), a.first) for a in mine}
            )
            numbers = min(model.lines((leaf,), frozenset(leaf.loops), b) * (LINE // b.dtype.nbytes), touched)
            sequential = all(a.is_sequential(leaf.loops) for a in mine)
            stores = any(a.is_store for a in mine)
            found[leaf, b] = Fetched(b.name, leaf.keys, touched, numbers, {}, sequential, stores)
    for c in caches:
        missed, roomy = model.misses(c, cold), model.misses(replace(c, ways=0), cold) if c.ways else {}
        for at, fetched in found.items():
            fetched.misses[c.name] = missed.get(at, 0.0)
            if c.ways and missed.get(at, 0.0) > 2 * roomy.get(at, 0.0) and not fetched.crowded:
                fetched.crowded = c.name
    return list(found.values())


# ---------------------------------------------------------------- the program


def program_of(f: PrimFunc, sizes: Sizes) -> Loop:
    """The loops and statements of a function, guards left out; extents that depend on loops are those in their middle."""
    reader = _Reader(sizes)
    return Loop(None, 1.0, tuple(reader.read(f.body, ())))


class _Reader:
    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self.ranges: dict[Var, tuple[int, int]] = {}  # first value, and number of values

    def read(
        self, s: Node, around: tuple[tuple[Var, Key], ...], stage: str | None = None
    ) -> Iterator[Loop | Leaf]:
        origin = getattr(s, "origin", None)
        stage = stage if origin is None else origin.stage
        match s:
            case For():
                first, trips = self.number(s.min) or 0, max(self.number(s.extent) or 0, 0)
                self.ranges[s.var] = (first, trips)
                key = (stage, s.var.name if origin is None or origin.axis is None else origin.axis)
                yield Loop(s.var, float(trips), tuple(self.read(s.body, (*around, (s.var, key)), stage)))
            case BufferStore():
                loads = dict.fromkeys(n for n in walk(s.value) if isinstance(n, BufferLoad))
                loads |= dict.fromkeys(n for i in s.indices for n in walk(i) if isinstance(n, BufferLoad))
                loops = tuple(v for v, _ in around)
                accesses = [self.access(n, loops, False) for n in loads] + [self.access(s, loops, True)]
                keys = ((stage, None), *dict.fromkeys(key for _, key in around))
                yield Leaf(tuple(a for a in accesses if a is not None), loops, keys)
            case IfThenElse() if s.other is not None:  # the one that runs in the middle of the loops
                yield from self.read(s.other if self.number(s.cond) == 0 else s.then, around, stage)
            case AttrStmt() | Stmt():
                for child in s.children():
                    yield from self.read(child, around, stage)

    def number(self, e: Expr, values: Mapping[Var, Any] | None = None) -> int | None:
        known = const_int(e)
        if known is not None:
            return known
        given = values or {}
        found = evaluate_number(e, lambda v: given[v] if v in given else self.middle(v))
        return None if found is None else int(found)

    def values(self, e: Expr, values: Mapping[Var, Any]) -> Any:
        names = {v: values.get(v, self.middle(v)) for v in walk(e) if isinstance(v, Var)}
        return evaluate_integers(e, names)

    def middle(self, v: Var) -> int:
        if v in self.ranges:
            first, trips = self.ranges[v]
            return first + max(trips - 1, 0) // 2
        return int(value_of(v, self.sizes))

    def access(self, n: BufferLoad | BufferStore, loops: tuple[Var, ...], is_store: bool) -> Access | None:
        b = n.buffer
        size = b.dtype.nbytes
        shape = [self.number(e) for e in b.shape]
        if b.scope == "register" or any(e is None for e in shape):
            return None
        extents = [int(e) for e in shape if e is not None]
        strides = [self.number(e) or 0 for e in b.strides]
        if not b.strides:
            strides = [math.prod(extents[d + 1 :]) for d in range(len(extents))]
        in_bytes = tuple(s * size for s in strides)
        lines = -(-math.prod(extents) * size // LINE)
        terms: list[dict[Var, Term]] = []
        first: list[int] = []
        for e, stride in zip(n.indices, in_bytes, strict=False):
            moved = self.terms(e, stride, loops)
            if moved is None:
                return Access(b, lines, in_bytes, (), self.any_place(loops), is_store, True)
            terms.append(moved)
            first.append(self.number(e, {v: self.ranges[v][0] for v in loops}) or 0)
        return Access(b, lines, in_bytes, tuple(first), tuple(terms), is_store, False)

    def any_place(self, loops: tuple[Var, ...]) -> tuple[dict[Var, Term], ...]:
        return ({v: Term(LINE, self.ranges[v][1]) for v in loops},)

    def terms(self, e: Expr, stride: int, loops: tuple[Var, ...]) -> dict[Var, Term] | None:
        """How an index moves with each loop; None when it is not arithmetic on them."""
        if any(isinstance(x, BufferLoad) for x in walk(e)):
            return None
        moved: dict[Var, Term] = {}
        used = {v for v in walk(e) if isinstance(v, Var)}
        for v in loops:
            if v not in used:
                continue
            first, trips = self.ranges[v]
            places = self.values(
                e, {v: np.arange(first, first + min(max(trips, 1), _SAMPLES), dtype=np.int64)}
            )
            if places is None:
                return None
            different = np.unique(np.atleast_1d(places))
            if len(different) < 2:
                continue
            step = int(different[-1] - different[0]) / (len(different) - 1)
            count = len(different) if trips <= _SAMPLES else round(len(different) * trips / _SAMPLES)
            moved[v] = Term(max(round(step), 1) * stride, count)
        return moved


# ---------------------------------------------------------------- footprints


class _Model:
    """Footprints of the loops of a program, each counted once, and the misses that follow from them."""

    def __init__(self, program: Loop) -> None:
        self.program = program
        self.trips: dict[Var, float] = {}
        self._note(program)
        self.lines = cache(self._lines)
        self.fullest = cache(self._fullest)

    def _note(self, loop: Loop) -> None:
        if loop.var is not None:
            self.trips[loop.var] = loop.trips
        for n in loop.body:
            if isinstance(n, Loop):
                self._note(n)

    # ---- how many lines

    def _lines(self, leaves: tuple[Leaf, ...], running: frozenset[Var], b: Buffer) -> float:
        """The distinct lines of a buffer that statements touch while some loops run, and the others stand still."""
        accesses = [a for leaf in leaves for a in leaf.accesses if a.buffer is b]
        if not accesses:
            return 0.0
        total = sum(_lines_of_group(group, running) for group in _groups(accesses, running))
        return min(total, float(accesses[0].lines))

    def footprint(self, leaves: tuple[Leaf, ...], running: frozenset[Var]) -> float:
        """The distinct lines of all buffers."""
        buffers = dict.fromkeys(a.buffer for leaf in leaves for a in leaf.accesses)
        return sum(self.lines(leaves, running, b) for b in buffers)

    def _fullest(self, leaves: tuple[Leaf, ...], running: frozenset[Var], b: Buffer, sets: int) -> int:
        """The most lines of a buffer that fall into one set."""
        accesses = [a for leaf in leaves for a in leaf.accesses if a.buffer is b]
        return max((_fullest_set(group, running, sets) for group in _groups(accesses, running)), default=0)

    # ---- misses

    def misses(self, c: Cache, cold: bool) -> dict[tuple[Leaf, Buffer], float]:
        """The lines that each statement fetches past a cache in a call."""
        leaves = tuple(self.program.leaves)
        everything = frozenset(self.trips)
        found: dict[tuple[Leaf, Buffer], float] = {}
        for b in dict.fromkeys(a.buffer for leaf in leaves for a in leaf.accesses):
            if cold or not self.fits(leaves, everything, b, c):
                for leaf, lines in self.fetched(self.program, b, c).items():
                    if any(a.buffer is b for a in leaf.accesses):
                        found[leaf, b] = lines
        return found

    def fits(self, leaves: tuple[Leaf, ...], running: frozenset[Var], b: Buffer, c: Cache) -> bool:
        """Whether a line of a buffer is still there after all that statements touch while some loops run."""
        if self.footprint(leaves, running) > c.lines:
            return False
        return not c.ways or self.fullest(leaves, running, b, c.sets) <= c.ways

    def fetched(self, n: Loop | Leaf, b: Buffer, c: Cache) -> dict[Leaf, float]:
        """The lines of a buffer that a part of the program fetches, when nothing of them is there before."""
        if isinstance(n, Leaf):
            return {n: self.lines((n,), frozenset(), b) * self.missing(n, b, c)}
        leaves = tuple(n.leaves)
        inside = _loops_in(n.body)
        running = inside | ({n.var} if n.var is not None else frozenset())
        # What is read at random may come back at any time; other lines come back in the next iteration.
        between = (
            running if any(a.is_random for leaf in leaves for a in leaf.accesses if a.buffer is b) else inside
        )
        if self.fits(leaves, between, b, c):
            return self.once(leaves, running, b)
        found = {leaf: lines * n.trips for leaf, lines in self.in_sequence(n.body, b, c).items()}
        if n.trips > 1 and self.is_near(n.body[-1], n.body[0], b, c):
            new = (self.lines(leaves, running, b) - self.lines(leaves, inside, b)) / (n.trips - 1)
            shared = max(self.lines(leaves, inside, b) - new, 0.0) * (n.trips - 1)
            for leaf in found:
                found[leaf], shared = max(found[leaf] - shared, 0.0), max(shared - found[leaf], 0.0)
        return found

    def missing(self, leaf: Leaf, b: Buffer, c: Cache) -> float:
        """The part of a buffer that is not in a cache which random accesses have filled."""
        mine = [a for a in leaf.accesses if a.buffer is b]
        return max(1 - c.lines / max(mine[0].lines, 1), 0.0) if any(a.is_random for a in mine) else 1.0

    def in_sequence(self, parts: Sequence[Loop | Leaf], b: Buffer, c: Cache) -> dict[Leaf, float]:
        """As `fetched`, of parts one after the other: what the part before left behind is there, if it fits with what comes
        until it is touched again."""
        found: dict[Leaf, float] = {}
        for i, part in enumerate(parts):
            mine = self.fetched(part, b, c)
            if i:
                for leaf, lines in self.left_by(parts[i - 1], part, b, c).items():
                    mine[leaf] = max(mine.get(leaf, 0.0) - lines, 0.0)
            found |= mine
        return found

    def left_by(self, before: Loop | Leaf, part: Loop | Leaf, b: Buffer, c: Cache) -> dict[Leaf, float]:
        """The lines of a buffer that the statements of a part find, because the part before touched them."""
        if not self.is_near(before, part, b, c):
            return {}
        mine, running = tuple(_leaves(part)), _loops_in((before, part))
        alone, after = self.once(mine, running, b), self.once((*_leaves(before), *mine), running, b)
        return {leaf: max(alone[leaf] - after[leaf], 0.0) for leaf in mine}

    def is_near(self, before: Loop | Leaf, part: Loop | Leaf, b: Buffer, c: Cache) -> bool:
        """Whether what a part of the program touches of a buffer is still there from the part before: all that is touched from
        the last iteration that has all of it to the first one that has it again fits."""
        since, until = self.shortest(before, b), self.shortest(part, b)
        near = (*since, *until)
        leaves, running = tuple(x for n in near for x in _leaves(n)), _loops_in(near)
        if any(a.is_random for leaf in leaves for a in leaf.accesses if a.buffer is b):
            return False
        own = self.lines(leaves, running, b)
        # Both parts go over it alike: half of what else each of them touches lies between, on average.
        others = [self.others(n, b) for n in (since, until)]
        if own + sum(others) / 2 > c.lines:
            return False
        return not c.ways or self.fullest(leaves, running, b, c.sets) <= c.ways

    def others(self, parts: tuple[Loop | Leaf, ...], b: Buffer) -> float:
        """The lines of other buffers that parts of the program touch."""
        leaves, running = tuple(x for n in parts for x in _leaves(n)), _loops_in(parts)
        return self.footprint(leaves, running) - self.lines(leaves, running, b)

    def shortest(self, part: Loop | Leaf, b: Buffer) -> tuple[Loop | Leaf, ...]:
        """A part of the program that touches of a buffer what all iterations of it touch."""
        leaves, running = tuple(_leaves(part)), _loops_in((part,))
        wanted = self.lines(leaves, running, b)
        parts: tuple[Loop | Leaf, ...] = (part,)
        while (
            len(parts) == 1
            and isinstance(parts[0], Loop)
            and self.lines(leaves, _loops_in(parts[0].body), b) == wanted
        ):
            parts = parts[0].body
        return parts

    def once(self, leaves: tuple[Leaf, ...], running: frozenset[Var], b: Buffer) -> dict[Leaf, float]:
        """Each line once, for the statement that touches it first."""
        found, before = dict[Leaf, float](), 0.0
        for i, leaf in enumerate(leaves):
            lines = self.lines(leaves[: i + 1], running, b)
            found[leaf] = lines - before
            before = lines
        return found


def _leaves(n: Loop | Leaf) -> list[Leaf]:
    return [n] if isinstance(n, Leaf) else n.leaves


def _loops_in(parts: Sequence[Loop | Leaf]) -> frozenset[Var]:
    found = frozenset[Var]()
    for n in parts:
        if isinstance(n, Loop):
            found |= _loops_in(n.body) | ({n.var} if n.var is not None else frozenset())
    return found


def _groups(accesses: Sequence[Access], running: frozenset[Var]) -> list[list[Access]]:
    """Accesses whose boxes are moved to one another, together."""
    groups: dict[Any, list[Access]] = {}
    for a in accesses:
        groups.setdefault(a.shape(running), []).append(a)
    return list(groups.values())


def _rows(group: Sequence[Access], running: frozenset[Var]) -> tuple[int, list[Term]]:
    """The box of some accesses while loops run: the bytes of a row without gaps of a line, and the steps between rows."""
    a = group[0]
    terms: list[Term] = []
    for d in range(len(a.terms)):
        steps = [sorted((t.stride, t.count) for v, t in x.terms[d].items() if v in running) for x in group]
        terms += [
            Term(each[0][0], max(n for _, n in each)) for each in zip(*steps, strict=True) if each[0][0]
        ]
    for d, stride in enumerate(a.strides[: len(a.first)]):
        apart = max(x.first[d] for x in group) - min(x.first[d] for x in group)
        if apart:
            terms.append(Term(stride, apart + 1))
    run, rows = a.buffer.dtype.nbytes, list[Term]()
    for t in sorted(terms, key=lambda t: abs(t.stride)):
        stride = abs(t.stride)
        if stride <= max(run, LINE):
            run += stride * (t.count - 1)
        elif rows and stride % rows[-1].stride == 0 and stride // rows[-1].stride <= rows[-1].count:
            last = rows.pop()
            rows.append(Term(last.stride, last.count + stride // last.stride * (t.count - 1)))
        else:
            rows.append(Term(stride, t.count))
    return run, rows


def _lines_of_group(group: Sequence[Access], running: frozenset[Var]) -> float:
    """The lines of accesses whose boxes are moved to one another: those of the box around them, or of each if they are far
    apart."""
    alone = {a.first: a for a in group}
    together = _box_lines(group, running)
    return (
        min(together, sum(_box_lines([a], running) for a in alone.values())) if len(alone) > 1 else together
    )


def _box_lines(group: Sequence[Access], running: frozenset[Var]) -> float:
    """The lines of a box of accesses, on average over where the loops that stand still have put it."""
    a = group[0]
    if a.is_random:
        touched = math.prod(t.count for t in (a.terms[0][v] for v in running if v in a.terms[0]))
        return a.lines * -math.expm1(touched * math.log1p(-1.0 / a.lines)) if a.lines > 1 else 1.0
    run, rows = _rows(group, running)
    still = [t.stride for d in a.terms for v, t in d.items() if v not in running]
    grid = math.gcd(LINE, *still, *(t.stride for t in rows))
    start = min(sum(i * s for i, s in zip(x.first, x.strides, strict=False)) for x in group) % grid
    lines = [(at + run - 1) // LINE + 1 for at in range(start, LINE, grid)]
    return sum(lines) / len(lines) * math.prod(t.count for t in rows)


def _fullest_set(group: Sequence[Access], running: frozenset[Var], sets: int) -> int:
    """The most lines of a box that fall into one of the sets of a cache."""
    if group[0].is_random:
        return 0
    run, rows = _rows(group, running)
    if math.prod(t.count for t in rows) > _MOST_ROWS:
        return 0  # more than there is room for: `fits` says so by their number
    starts = np.zeros(1, np.int64)
    for t in rows:
        starts = np.add.outer(starts, np.arange(t.count, dtype=np.int64) * t.stride).ravel()
    wide = min(max(-(-run // LINE), 1), sets)
    sides = itertools.chain.from_iterable((starts // LINE + i) % sets for i in range(wide))
    counts = np.bincount(np.fromiter(sides, np.int64), minlength=sets)
    return int(counts.max()) * max(run // LINE // sets, 1)
