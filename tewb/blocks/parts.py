"""Which part of each tensor a block reads: boxes, from the block of the output backwards.

    B[i] = A[i - 1] + A[i + 1],  i from 100 on, 50 of them      reads 99..151 of A, of which it needs what A has

A box begins at an expression of the starts of the block, so that many blocks are one program: the box above begins at
i_start - 1. Blocks are looked at together, those at the edges apart from those inside. Where a box is cut off at the edge of
a tensor, or is of another size elsewhere, the starts that it depends on are numbers, and the blocks are looked at one by one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tewb.arith import Analyzer, detect_linear
from tewb.arith.intset import Interval, eval_set, interval
from tewb.blocks.decisions import decider, reads
from tewb.blocks.given import data_axis, rebuilt
from tewb.ir import (
    AxisKind,
    Expr,
    IterVar,
    Range,
    Reduce,
    Var,
    const,
    const_int,
    free_vars,
    ops,
    substitute,
)
from tewb.tensor import ComputeOp, Operation, Tensor, producers_first


@dataclass(frozen=True)
class Part:
    """A box of a tensor: where it begins, as expressions of the starts of a block, and how far it extends."""

    start: tuple[Expr, ...]
    extents: tuple[int, ...]


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
            for each in itertools.product(*(some.starts[iv] for iv in axes)):
                own = {iv: (n,) for iv, n in zip(axes, each, strict=True)}
                pending.append((Blocks(some.starts | own, some.extents), numbers.union(axes)))


class _NeedsNumbersError(Exception):
    """The starts of these axes must be numbers."""

    def __init__(self, axes: set[IterVar]) -> None:
        super().__init__()
        self.axes = axes


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
        self._needed: dict[Tensor, list[list[Interval | None]]] = {}
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
        for iv in op.axis:
            new = data_axis(iv.name, extents[iv], iv)
            values[iv.var] = ops.add(new.var, starts[iv])
            axis.append(new)
        for iv in axis:
            _bind(self.here, iv)
        reduced: dict[IterVar, IterVar] = {}
        for iv in op.reduce_axis:
            reduced[iv] = new = self._reduce_axis(op, iv, starts, extents, values)
            _bind(self.here, new)
        decide = decider(self.here)
        body = rebuilt(op.body, reduced, lambda e: decide(substitute(e, values)), init)
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
            self._needed.setdefault(load.producer, []).append([eval_set(i, ranges) for i in load.indices])

    def _covered(self, r: Range, ranges: Mapping[Var, Interval | None]) -> Interval | None:
        """All that an axis runs over, while those that its range depends on run over theirs."""
        if const_int(r.min) is not None and const_int(r.extent) is not None:
            return interval(r.min, r.extent)
        first = eval_set(r.min, ranges)
        last = eval_set(self.analyzer.simplify(ops.sub(ops.add(r.min, r.extent), 1)), ranges)
        return None if first is None or last is None else Interval(first.lo, last.hi)

    def _joined(self, boxes: Sequence[Sequence[Interval | None]], tensor: Tensor) -> Part:
        """The smallest part around all boxes, as far as the tensor goes."""
        found = [
            self._dimension([box[n] for box in boxes], const_int(size) or 0, size)
            for n, size in enumerate(tensor.shape)
        ]
        return Part(tuple(start for start, _ in found), tuple(extent for _, extent in found))

    def _dimension(self, ranges: Sequence[Interval | None], size: int, like: Expr) -> tuple[Expr, int]:
        """Where a part begins and how far it extends, in a dimension of `size`."""
        zero = const(0, like.dtype)
        known = [x for x in ranges if x is not None]
        if not known or len(known) < len(ranges):
            return zero, size
        ends = {(self.analyzer.simplify(x.lo), self.analyzer.simplify(x.hi)): None for x in known}
        lows = [self.here.const_bounds(lo)[0] for lo, _ in ends]
        highs = [self.here.const_bounds(hi)[1] for _, hi in ends]
        least, most = _least(lows), _most(highs)
        if least is None or most is None:
            return zero, size
        is_inside = least >= 0 and most < size
        used = {self._axis_of[v] for pair in ends for e in pair for v in free_vars(e) if v in self._axis_of}
        if not used:
            low, high = max(least, 0), min(most, size - 1)
            # Where nothing is read, or only what guards leave out, one element is there for the kernel to name.
            return (const(low, like.dtype), high - low + 1) if low <= high else (zero, min(size, 1))
        first = next(iter(ends))[0]
        distances = [(self._distance(lo, first), self._distance(hi, first)) for lo, hi in ends]
        begin, end = _least([lo for lo, _ in distances]), _most([hi for _, hi in distances])
        if not is_inside or begin is None or end is None:
            raise _NeedsNumbersError(used)
        return self.analyzer.simplify(ops.add(first, begin)), max(end - begin + 1, 0)

    def _distance(self, e: Expr, start: Expr) -> int | None:
        """How far `e` is from `start`, if that is the same in every block."""
        return const_int(self.analyzer.simplify(ops.sub(e, start)))


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
