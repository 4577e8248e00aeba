"""Which part of each tensor a block reads: boxes, from the block of the output backwards.

    B[i] = A[i - 1] + A[i + 1],  i from 100 on, 50 of them      reads 99..151 of A, of which it needs what A has

A box begins at an expression of the starts of the block, so that many blocks are one program: the box above begins at
i_start - 1. Blocks are looked at together, those at the edges apart from those inside. Where a box is cut off at the edge of
a tensor in some blocks, these are looked at in halves; where it is of another size in each, the starts that it depends on are
numbers, and the blocks are looked at one by one.

    B[i] = A[(i + 1) % 100],  i from 50 on, 50 of them          reads 51..150 of A, which begins again at 100

A box that turns goes on at the beginning of its tensor.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tewb.arith import Analyzer, detect_linear
from tewb.arith.intset import Interval, eval_set, interval
from tewb.base import DType
from tewb.blocks.decisions import decider, reads
from tewb.blocks.given import data_axis, rebuilt
from tewb.ir import (
    Add,
    AxisKind,
    Cast,
    Expr,
    FloorMod,
    IntImm,
    IterVar,
    Max,
    Min,
    Mul,
    ProducerLoad,
    Range,
    Reduce,
    Sub,
    Var,
    const,
    const_int,
    free_vars,
    ops,
    substitute,
    walk,
)
from tewb.tensor import ComputeOp, Operation, Tensor, producers_first


@dataclass(frozen=True)
class Part:
    """A box of a tensor: where it begins, as expressions of the starts of a block, and how far it extends. Where that is beyond
    the end of the tensor, it turns."""

    start: tuple[Expr, ...]
    extents: tuple[int, ...]

    def turns(self, dimension: int, size: Expr) -> bool:
        """Whether the box goes on at the beginning of a dimension of `size`."""
        start = const_int(self.start[dimension])
        return start is not None and start + self.extents[dimension] > (const_int(size) or 0)


@dataclass(frozen=True)
class _Reach:
    """The elements from `lo` to `hi` of a dimension, which begins again at its end if it `turns`."""

    lo: Expr
    hi: Expr
    turns: bool = False


class Box:
    """The box of a part in each block."""

    def __init__(self, part: Part, starts: Mapping[IterVar, Var]) -> None:
        self._extents, self._starts = part.extents, starts
        self._begins = [self._as_sum(e) for e in part.start]

    def _as_sum(self, e: Expr) -> tuple[Expr, list[tuple[IterVar, int]] | None, int]:
        """An expression of starts with its coefficients and the rest; with None where it is no sum."""
        linear = detect_linear(e, list(self._starts.values()))
        rest = None if linear is None else const_int(linear[1])
        if linear is None or rest is None:
            return e, None, 0
        times = {v: const_int(c) or 0 for v, c in linear[0].items()}
        return e, [(iv, times[v]) for iv, v in self._starts.items() if v in times], rest

    def slices(self, block: Mapping[IterVar, int]) -> tuple[slice, ...]:
        """The box in the block that begins there."""
        begins = [self._begin(*begin, block) for begin in self._begins]
        return tuple(slice(a, a + n) for a, n in zip(begins, self._extents, strict=True))

    def _begin(
        self, e: Expr, times: Sequence[tuple[IterVar, int]] | None, rest: int, block: Mapping[IterVar, int]
    ) -> int:
        if times is not None:
            return sum(c * block[iv] for iv, c in times) + rest
        values: dict[Var, Expr] = {v: const(block[iv], v.dtype) for iv, v in self._starts.items()}
        return const_int(Analyzer().simplify(substitute(e, values))) or 0


@dataclass(frozen=True)
class BlockOfCompute:
    """A compute on its part: new axes that run from 0 on, and bodies in terms of these, which still read whole tensors."""

    op: ComputeOp
    axis: tuple[IterVar, ...]
    body: tuple[Expr, ...]


@dataclass(frozen=True)
class Blocks:
    """Blocks of one shape: along each axis the places where they begin, and their extent."""

    starts: dict[IterVar, tuple[int, ...]]
    extents: dict[IterVar, int]


@dataclass
class BlockParts:
    """What each of some `blocks` is made of: the computes in it, readers first, the part of each tensor, and the variables
    that stand for the starts of a block."""

    blocks: Blocks
    computes: list[BlockOfCompute] = field(default_factory=list)
    parts: dict[Tensor, Part] = field(default_factory=dict)
    starts: dict[IterVar, Var] = field(default_factory=dict)


def parts_of_blocks(
    root: ComputeOp, arrays: frozenset[Tensor], blocks: Blocks, init: bool = True
) -> Iterator[BlockParts]:
    """The parts of tensors that blocks of `root` need, up to those in `arrays`, which are given: for all of the blocks, or for
    some of them at a time. Without `init` a reduction begins with its identity."""
    order = _readers_first(root, arrays)
    pending: list[tuple[Blocks, frozenset[IterVar]]] = [(blocks, frozenset())]
    while pending:
        some, numbers = pending.pop()
        try:
            yield _Search(order, arrays, some, init, numbers).found
        except _NeedsNumbersError as e:
            axes = [iv for iv in some.starts if iv in e.axes]
            for fewer in _in_halves(some, axes) if e.in_halves else _one_by_one(some, axes):
                one = all(len(fewer.starts[iv]) == 1 for iv in axes)
                pending.append((fewer, numbers.union(axes) if one else numbers))


class _NeedsNumbersError(Exception):
    """The starts of these axes must be numbers, or with `in_halves` less far from each other."""

    def __init__(self, axes: set[IterVar], in_halves: bool) -> None:
        super().__init__()
        self.axes, self.in_halves = axes, in_halves


def _one_by_one(some: Blocks, axes: Sequence[IterVar]) -> Iterator[Blocks]:
    for each in itertools.product(*(some.starts[iv] for iv in axes)):
        own = {iv: (n,) for iv, n in zip(axes, each, strict=True)}
        yield Blocks(some.starts | own, some.extents)


def _in_halves(some: Blocks, axes: Sequence[IterVar]) -> Iterator[Blocks]:
    """The blocks in two parts along the axis with most of them."""
    iv = max(axes, key=lambda iv: len(some.starts[iv]))
    starts = sorted(some.starts[iv])
    for half in (starts[: len(starts) // 2], starts[len(starts) // 2 :]):
        if half:
            yield Blocks(some.starts | {iv: tuple(half)}, some.extents)


def _readers_first(root: ComputeOp, arrays: frozenset[Tensor]) -> list[ComputeOp]:
    """The computes that `root` needs, each after all that read it."""

    def reads(op: Operation) -> list[Operation]:
        return [t.op for t in op.inputs if t not in arrays and isinstance(t.op, ComputeOp)]

    order = producers_first([root], reads)
    return [op for op in reversed(order) if isinstance(op, ComputeOp)]


class _Search:
    """One attempt, in which the starts of the axes in `numbers` are numbers."""

    def __init__(
        self,
        order: Sequence[ComputeOp],
        arrays: frozenset[Tensor],
        blocks: Blocks,
        init: bool,
        numbers: frozenset[IterVar],
    ) -> None:
        self.found = BlockParts(blocks)
        self.analyzer, self.here = (
            Analyzer(),
            Analyzer(),
        )  # what holds everywhere, and what holds in these blocks
        self._axis_of: dict[Var, IterVar] = {}
        self._needed: dict[Tensor, list[list[_Reach | None]]] = {}
        root = order[0]
        for op in order:
            if op is root:
                starts = {iv: self._start(iv, iv in numbers) for iv in blocks.starts}
                extents = blocks.extents
                part = Part(tuple(starts[iv] for iv in op.axis), tuple(extents[iv] for iv in op.axis))
            else:
                part = self._joined(
                    [box for t in op.outputs for box in self._needed.get(t, [])], op.output(0)
                )
                starts = dict(zip(op.axis, part.start, strict=True))
                extents = dict(zip(op.axis, part.extents, strict=True))
            self.found.parts.update(dict.fromkeys(op.outputs, part))
            self._compute(op, starts, extents, init or op is not root)
        for t in arrays:
            if t in self._needed:
                self.found.parts[t] = self._joined(self._needed[t], t)

    def _start(self, iv: IterVar, is_number: bool) -> Expr:
        values = self.found.blocks.starts[iv]
        if is_number:
            return const(values[0], iv.dtype)
        v = Var(f"{iv.name}_start", iv.dtype)
        self.found.starts[iv], self._axis_of[v] = v, iv
        self.here.bind(v, min(values), max(values))
        return v

    # ---- a compute on its part

    def _compute(
        self, op: ComputeOp, starts: Mapping[IterVar, Expr], extents: Mapping[IterVar, int], init: bool
    ) -> None:
        values: dict[Var, Expr] = {}
        axis = []
        turned = False
        part = self.found.parts[op.output(0)]
        for n, iv in enumerate(op.axis):
            new = data_axis(iv.name, extents[iv], iv)
            values[iv.var] = ops.add(new.var, starts[iv])
            if part.turns(n, op.output(0).shape[n]):
                turned = True
                values[iv.var] = ops.floormod(values[iv.var], op.output(0).shape[n])
            axis.append(new)
        for iv in axis:
            _bind(self.here, iv)
        reduced: dict[IterVar, IterVar] = {}
        for iv in op.reduce_axis:
            reduced[iv] = new = self._reduce_axis(op, iv, starts, extents, values)
            _bind(self.here, new)
        decide = decider(self.here)
        simpler = ComputeOp.with_reads(lambda n: self._simplified(n, turned))
        body = rebuilt(op.body, reduced, lambda e: simpler(decide(substitute(e, values))), init)
        self.found.computes.append(BlockOfCompute(op, tuple(axis), body))
        self._note_reads(axis, list(reduced.values()), body)

    def _reduce_axis(
        self,
        op: ComputeOp,
        iv: IterVar,
        starts: Mapping[IterVar, Expr],
        extents: Mapping[IterVar, int],
        values: dict[Var, Expr],
    ) -> IterVar:
        """The axis of a reduction in a block: a part of it that runs from 0 on, or all of it as it was."""
        if iv in starts:
            new = data_axis(iv.name, extents[iv], iv, AxisKind.REDUCE)
            values[iv.var] = ops.add(new.var, starts[iv])
            return new
        assert iv.dom is not None
        r = op.domains[iv].range if iv in op.domains else iv.dom
        if iv in op.domains:
            begin, end = (substitute(e, values) for e in op.domains[iv].exprs)
            r = Range(begin, ops.sub(end, begin))
        new = IterVar(r, Var(iv.name, iv.dtype), AxisKind.REDUCE)
        values[iv.var] = new.var
        return new

    # ---- what it reads

    def _note_reads(self, axis: Sequence[IterVar], reduced: Sequence[IterVar], body: Sequence[Expr]) -> None:
        ranges: dict[Var, Interval | None] = {}
        ends: list[Expr] = []
        for iv in (*axis, *reduced):
            assert iv.dom is not None
            ranges[iv.var] = self._covered(iv.dom, ranges)
            ends += [iv.dom.min, iv.dom.extent]
        for load in reads((*ends, *body)):
            box = [self._reach(i, n, ranges) for i, n in zip(load.indices, load.producer.shape, strict=True)]
            self._needed.setdefault(load.producer, []).append(box)

    def _simplified(self, load: ProducerLoad, turned: bool) -> ProducerLoad:
        """A read whose indices are of the dtype that its tensor counts in; with `turned` simplified as well, so that
        ((i + 1) % n + 1) % n is (i + 2) % n."""
        indices = [
            self._narrowed(self.here.simplify(i) if turned else i, size.dtype)
            for i, size in zip(load.indices, load.producer.shape, strict=True)
        ]
        if all(a is b for a, b in zip(indices, load.indices, strict=True)):
            return load
        return ProducerLoad(load.producer, tuple(indices), load.dtype)

    def _narrowed(self, index: Expr, dtype: DType) -> Expr:
        """A sum of products in `dtype`, if that holds it: a size that is a variable is counted in int64 on its way to an index,
        and a start that is converted is none that a box can begin at."""
        if index.dtype == dtype or not dtype.is_int:
            return index
        low, high = self.here.const_bounds(index)
        if low is None or high is None or low < dtype.min_value() or high > dtype.max_value():
            return index
        narrow = _of_dtype(index, dtype)
        return index if narrow is None else narrow

    def _reach(self, index: Expr, size: Expr, ranges: Mapping[Var, Interval | None]) -> _Reach | None:
        """The elements of a dimension that an index names. None where that is not known."""
        for n in walk(index):
            match n:
                case FloorMod(a, IntImm(period)) if period > 0:
                    x = self._less_than(period, eval_set(a, ranges))
                    if x is not None and n is index and period == const_int(size):
                        low, high = x[0] % period, x[0] % period + x[1] - x[0]
                        return _Reach(const(low, index.dtype), const(high, index.dtype), high >= period)
        found = eval_set(index, ranges)
        return None if found is None else _Reach(found.lo, found.hi)

    def _less_than(self, period: int, x: Interval | None) -> tuple[int, int] | None:
        """The ends of an interval of less than `period` numbers, which the remainder is not known to pass once: numbers must
        say whether it begins again in it. None where the interval is larger, or not known."""
        if x is None:
            return None
        lo, hi = self.analyzer.simplify(x.lo), self.analyzer.simplify(x.hi)
        width = self._distance(hi, lo)
        if width is None or width + 1 >= period:
            return None
        used = self._axes_in((lo, hi))
        if used:
            raise _NeedsNumbersError(used, in_halves=True)
        low, high = const_int(lo), const_int(hi)
        return None if low is None or high is None else (low, high)

    def _axes_in(self, exprs: Sequence[Expr]) -> set[IterVar]:
        """The axes whose starts expressions depend on."""
        return {self._axis_of[v] for e in exprs for v in free_vars(e) if v in self._axis_of}

    def _covered(self, r: Range, ranges: Mapping[Var, Interval | None]) -> Interval | None:
        """All that an axis runs over, while those that its range depends on run over theirs."""
        if const_int(r.min) is not None and const_int(r.extent) is not None:
            return interval(r.min, r.extent)
        first = eval_set(r.min, ranges)
        last = eval_set(self.analyzer.simplify(ops.sub(ops.add(r.min, r.extent), 1)), ranges)
        return None if first is None or last is None else Interval(first.lo, last.hi)

    def _joined(self, boxes: Sequence[Sequence[_Reach | None]], tensor: Tensor) -> Part:
        """The smallest part around all boxes, as far as the tensor goes."""
        found = [
            self._dimension([box[n] for box in boxes], const_int(size) or 0, size)
            for n, size in enumerate(tensor.shape)
        ]
        return Part(tuple(start for start, _ in found), tuple(extent for _, extent in found))

    def _dimension(self, ranges: Sequence[_Reach | None], size: int, like: Expr) -> tuple[Expr, int]:
        """Where a part begins and how far it extends, in a dimension of `size`."""
        zero = const(0, like.dtype)
        known = [x for x in ranges if x is not None]
        if not known or len(known) < len(ranges):
            return zero, size
        ends = {(self.analyzer.simplify(x.lo), self.analyzer.simplify(x.hi)): x.turns for x in known}
        lows = [self.here.const_bounds(lo)[0] for lo, _ in ends]
        highs = [self.here.const_bounds(hi)[1] for _, hi in ends]
        least, most = _least(lows), _most(highs)
        if least is None or most is None:
            return zero, size
        is_inside = least >= 0 and most < size
        used = self._axes_in([e for pair in ends for e in pair])
        turns = any(ends.values())
        numbers = [(lo or 0, hi or 0, turn) for lo, hi, turn in zip(lows, highs, ends.values(), strict=True)]
        if not used:
            start, extent = _around(numbers, size)
            return const(start, like.dtype), extent
        first = next(iter(ends))[0]
        distances = [(self._distance(lo, first), self._distance(hi, first)) for lo, hi in ends]
        begin, end = _least([lo for lo, _ in distances]), _most([hi for _, hi in distances])
        if not is_inside or turns or begin is None or end is None:
            # Clamps are decided in most blocks, and quotients in none.
            clamped = any(isinstance(n, Min | Max) for pair in ends for e in pair for n in walk(e))
            raise _NeedsNumbersError(used, in_halves=not turns and (not is_inside or clamped))
        extent = max(end - begin + 1, 0)
        is_one = all(len(self.found.blocks.starts[iv]) == 1 for iv in used)
        if is_one and _around(numbers, size)[1] < extent:  # which only a box says that begins at a number
            raise _NeedsNumbersError(used, in_halves=False)
        return self.analyzer.simplify(ops.add(first, begin)), extent

    def _distance(self, e: Expr, start: Expr) -> int | None:
        """How far `e` is from `start`, if that is the same in every block."""
        return const_int(self.analyzer.simplify(ops.sub(e, start)))


def _of_dtype(e: Expr, dtype: DType) -> Expr | None:
    """A sum of products with each of its parts in `dtype`. None for what has other parts."""
    match e:
        case Var() if e.dtype == dtype:
            return e
        case IntImm(n) if dtype.min_value() <= n <= dtype.max_value():
            return const(n, dtype)
        case Cast(a, wider) if a.dtype.is_int and wider.is_int and wider.bits >= a.dtype.bits:
            return _of_dtype(a, dtype)
        case Add(a, b) | Sub(a, b) | Mul(a, b):
            x, y = _of_dtype(a, dtype), _of_dtype(b, dtype)
            if x is None or y is None:
                return None
            return (ops.add if isinstance(e, Add) else ops.sub if isinstance(e, Sub) else ops.mul)(x, y)
    return None


def _around(ranges: Sequence[tuple[int, int, bool]], size: int) -> tuple[int, int]:
    """The start and the extent of the smallest box around ranges (first, last, whether it turns) in a dimension: if that is
    smaller, one that turns. Where nothing is read, or only what guards leave out, one element is there for the kernel to name.
    """
    clipped = [(max(lo, 0), hi if turns else min(hi, size - 1)) for lo, hi, turns in ranges]
    inside = dict.fromkeys((lo, hi) for lo, hi in clipped if lo <= hi)
    if not inside:
        return 0, min(size, 1)
    extents = {start: max((lo - start) % size + hi - lo + 1 for lo, hi in inside) for start, _ in inside}
    plain = min(lo for lo, _ in inside)
    start = min(extents, key=lambda start: (extents[start], start != plain))
    return (start, extents[start]) if extents[start] < size else (0, size)


def _least(values: Sequence[int | None]) -> int | None:
    known = [n for n in values if n is not None]
    return min(known) if len(known) == len(values) else None


def _most(values: Sequence[int | None]) -> int | None:
    known = [n for n in values if n is not None]
    return max(known) if len(known) == len(values) else None


def _bind(analyzer: Analyzer, iv: IterVar) -> None:
    assert iv.dom is not None
    analyzer.bind_extent(iv.var, iv.dom.min, iv.dom.extent)


def is_reduction(op: ComputeOp) -> bool:
    return isinstance(op.body[0], Reduce)
