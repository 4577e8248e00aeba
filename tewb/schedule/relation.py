"""Relations between axes as data: how the loops of a stage came from its axes.

Index and domain maps are functions over the list of relations: domains go down (from axes to loops),
indices go up (from loops to axes).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tewb.arith import Analyzer
from tewb.arith.intset import Interval, interval, point
from tewb.arith.steps import scaled, sum_of
from tewb.base import INT32, INT64, DType
from tewb.ir import (
    AxisKind,
    Expr,
    IterVar,
    ProducerLoad,
    Var,
    const,
    const_int,
    convert,
    is_same_expression,
    ops,
    script,
    walk,
)

Extents = dict[IterVar, Expr]
# What the last part of a split does where it would pass the end of its loop: a guard keeps iterations from running, and
# loops are cut so that most have none; it is moved inwards, and does some iterations again; the guard is evaluated in
# every iteration, as a mask of vectors, and no loop is cut; it is whole, and memory is padded for what it makes.
TAILS = GUARD, SHIFT, PREDICATE, ROUND_UP = ("guard", "shift", "predicate", "round_up")
LARGEST_FACTOR = 1 << 16  # of a split of symbolic loops that keeps their dtype


def part_dtype(n: Expr) -> DType:
    """The dtype of the loops that a loop of `n` iterations is split into by a size that is known in kernels only."""
    known = const_int(n)
    return n.dtype if known is not None and 2 * known <= n.dtype.max_value() else INT64


def split_dtype(n: Expr, factor: int | None, nparts: int | None) -> DType:
    """The dtype of the loops that a loop of `n` iterations is split into: all that they count fits it.

    Rounded up, a size near 2**31 passes it. Of a symbolic size it is checked when the kernel is called that it
    stays below with a factor added, unless the factor is so large that ordinary sizes would be refused. What elements
    tell is not known then.
    """
    if any(isinstance(e, ProducerLoad) for e in walk(n)):
        return INT64
    known, size = const_int(n), factor or nparts or 1
    if known is not None:
        size = max(1, min(size, known))
        fits = -(-known // size) * size <= n.dtype.max_value()
    else:
        fits = size <= min(LARGEST_FACTOR, n.dtype.max_value() >> 8)
    return n.dtype if fits else INT64


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """parent = outer * (extent of inner) + inner, by the size of the inner or outer loop: one of `factor` and `nparts`
    is a constant or what a kernel is called with, and the other None."""

    parent: IterVar
    outer: IterVar
    inner: IterVar
    factor: Expr | None
    nparts: Expr | None
    size: int | Var  # the factor or the number of parts, at most the iterations that the loop has
    disable_predication: bool = False  # whether the user says that it divides
    tail: str = GUARD  # what becomes of the last part, where it does not divide: one of TAILS

    @staticmethod
    def make(
        parent: IterVar,
        factor: int | Expr | None,
        nparts: int | Expr | None,
        extent: Expr,
        disable_predication: bool = False,
        part: Var | None = None,
        tail: str = GUARD,
    ) -> Split:
        """The split of `parent`, which has at most `extent` iterations: a larger size means all of them. `part` is the
        variable of a size that is known in kernels only, if there is one already."""
        wanted = nparts if factor is None else factor
        size: int | Var
        if isinstance(wanted, Expr):
            dtype = part_dtype(extent)
            word = "nparts" if factor is None else "factor"
            name = wanted.name if isinstance(wanted, Var) else f"{parent.name}.{word}"
            size = Var(name, dtype) if part is None else part
        else:
            dtype = split_dtype(extent, factor, nparts)  # type: ignore[arg-type]
            known, size = const_int(extent), wanted or 1
            size = size if known is None else max(1, min(size, known))

        def loop(suffix: str, kind: AxisKind) -> IterVar:
            return IterVar(None, Var(f"{parent.name}.{suffix}", dtype), kind)

        # Around the part of an extern that only its code knows, an ordinary loop: one call for each iteration.
        around = AxisKind.DATA if parent.kind is AxisKind.OPAQUE else parent.kind
        inside, parts = (None if n is None else convert(n) for n in (factor, nparts))
        return Split(
            parent,
            loop("outer", around),
            loop("inner", parent.kind),
            inside,
            parts,
            size,
            disable_predication,
            tail,
        )

    def size_text(self) -> str:
        """The size, as the user gave it where a kernel is called with it."""
        if not isinstance(self.size, Var):
            return str(self.size)
        return script(self.factor if self.nparts is None else self.nparts)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, eq=False)
class Fuse:
    """fused = outer * (extent of inner) + inner"""

    outer: IterVar
    inner: IterVar
    fused: IterVar

    @staticmethod
    def make(outer: IterVar, inner: IterVar, extents: Extents) -> Fuse:
        """The fusion of two loops that have at most `extents` iterations."""
        dtype = ops.size_product(extents[outer], extents[inner]).dtype
        v = Var(f"{outer.name}.{inner.name}.fused", dtype)
        kind = AxisKind.REDUCE if inner.kind is AxisKind.REDUCE else outer.kind
        return Fuse(outer, inner, IterVar(None, v, kind))


@dataclass(frozen=True, slots=True, eq=False)
class Singleton:
    """A loop of one iteration, of no axis."""

    iter: IterVar

    @staticmethod
    def make() -> Singleton:
        return Singleton(IterVar(None, Var("singleton", INT32), AxisKind.DATA))


@dataclass(frozen=True, slots=True, eq=False)
class Rebase:
    """rebased = parent - (where parent begins): classic TE counts loops from 0 by it. Here all loops are, so that no stage
    has one."""

    parent: IterVar
    rebased: IterVar


Relation = Split | Fuse | Singleton


def mixed_loops(relations: Iterable[Relation]) -> set[IterVar]:
    """The loops over data and reduce axes at once: of kind reduce, and each iteration may be of another element."""
    mixed: set[IterVar] = set()
    for r in relations:
        match r:
            case Split(parent, outer, inner) if parent in mixed:
                mixed |= {outer, inner}
            case Fuse(outer, inner, fused) if (
                outer.kind is not inner.kind or outer in mixed or inner in mixed
            ):
                mixed.add(fused)
    return mixed


def unmixed(relations: Sequence[Relation]) -> tuple[list[Relation], list[IterVar]]:
    """The relations without those of mixed loops, and the loops that were fused into these."""
    mixed = mixed_loops(relations)
    fused = [r for r in relations if isinstance(r, Fuse) and r.fused in mixed]
    parts = [iv for r in fused for iv in (r.outer, r.inner) if iv not in mixed]
    left = [r for r in relations if not (r in fused or (isinstance(r, Split) and r.parent in mixed))]
    return left, parts


def loop_extents(
    relations: Iterable[Relation],
    roots: Mapping[IterVar, Expr],
    analyzer: Analyzer,
    wide: Container[IterVar] = (),
) -> Extents:
    """The extent of every axis and loop, from those of the root axes.

    A factor larger than the loop would make the inner loop run past it, so it is clamped to the extent. Each extent
    has the dtype of its loop, which is that of its axis, or of the extent itself for axes in `wide`.
    """
    extents: Extents = {iv: n if iv in wide else ops.cast(n, iv.dtype) for iv, n in roots.items()}
    for r in relations:
        match r:
            case Split(parent, outer, inner, factor, _, size):
                n = ops.cast(extents[parent], inner.dtype)
                if factor is not None:
                    inside = clamped(size, n)
                    extents[inner] = inside
                    extents[outer] = ceil_div(n, inside, analyzer)
                else:
                    outside = parts_of(size, n)
                    extents[outer] = outside
                    extents[inner] = ceil_div(n, outside, analyzer)
            case Fuse(outer, inner, fused):
                rows, columns = (ops.cast(extents[iv], fused.dtype) for iv in (outer, inner))
                extents[fused] = _simple(ops.mul(_not_negative(rows, columns, analyzer), columns), analyzer)
            case Singleton(one):
                extents[one] = const(1, one.dtype)
    return extents


def _not_negative(rows: Expr, columns: Expr, analyzer: Analyzer) -> Expr:
    """`rows`, so that it is not negative together with `columns`: loops that are empty both are so as one."""
    if any(
        const_int(n) is not None or analyzer.can_prove(ops.greater_equal(n, const(0, n.dtype)))
        for n in (rows, columns)
    ):
        return rows
    return ops.maximum(rows, const(0, rows.dtype))


def clamped(size: int | Var, n: Expr) -> Expr:
    """A size for a part of a loop of `n` iterations."""
    if isinstance(size, Var):
        return ops.cast(size, n.dtype)
    known = const_int(n)
    return const(size if known is None else max(1, min(size, known)), n.dtype)


def parts_of(parts: int | Var, n: Expr) -> Expr:
    """Into how many parts a loop of `n` iterations is split. So many that calls may well have fewer iterations are no more than
    these: 2**31 - 1 parts would run for seconds to do nothing."""
    size = clamped(parts, n)
    most = const_int(size)
    if const_int(n) is not None or most is None or most <= LARGEST_FACTOR:
        return size
    return ops.minimum(size, ops.maximum(n, const(1, n.dtype)))


def ceil_div(n: Expr, d: Expr, analyzer: Analyzer) -> Expr:
    """How many loops of `d` iterations it takes for `n`."""
    size, each = const_int(n), const_int(d)
    if size is not None and each is not None:
        return const(-(-size // each), n.dtype)
    return _simple(ops.floordiv(ops.add(n, ops.sub(d, const(1, d.dtype))), d), analyzer)


def _simple(e: Expr, analyzer: Analyzer) -> Expr:
    return e if const_int(e) is not None else analyzer.simplify(e)


def divides(r: Split, extents: Extents) -> bool:
    """Whether the two loops of a split run over its parent exactly."""
    n, outer, inner = (const_int(extents[x]) for x in (r.parent, r.outer, r.inner))
    return n is not None and outer is not None and inner is not None and outer * inner == n


def index_up(
    relations: Iterable[Relation], values: dict[IterVar, Expr], extents: Extents, analyzer: Analyzer
) -> list[tuple[IterVar, Expr]]:
    """Extend `values` from the loops to all axes (each counted from 0). A value is wider than its axis where the
    loops are that it comes from.

    Returns the conditions under which an iteration is a real one, where splits do not divide, each with
    its axis. A guard stands at the parent of each such split: at the root axis alone it would not keep a
    reduction from combining an element twice.
    """
    guards: list[tuple[IterVar, Expr]] = []
    for r in reversed(list(relations)):
        match r:
            case Split(parent, outer, inner):
                values[parent] = ops.add(first_of(values[outer], r, extents), values[inner])
                if not divides(r, extents) and r.tail not in (SHIFT, ROUND_UP):
                    guards.append((parent, ops.less(values[parent], extents[parent])))
            case Fuse(outer, inner, fused):
                f, n = values[fused], ops.cast(extents[inner], fused.dtype)
                if const_int(n) == 0:  # it never runs
                    values[outer] = values[inner] = const(0, f.dtype)
                elif const_int(extents[outer]) == 1:
                    values[outer], values[inner] = const(0, f.dtype), f
                else:
                    values[outer] = analyzer.simplify(ops.floordiv(f, n))
                    values[inner] = analyzer.simplify(ops.floormod(f, n))
    return guards


def first_of(outer: Expr, r: Split, extents: Extents) -> Expr:
    """The first iteration of a part of a split loop; of the last part, if it is moved inwards, that before which as many are
    left as it has."""
    first = ops.mul(outer, extents[r.inner])
    if r.tail != SHIFT or divides(r, extents):
        return first
    return ops.minimum(first, ops.sub(ops.cast(extents[r.parent], r.inner.dtype), extents[r.inner]))


def with_guards(relations: Iterable[Relation]) -> list[Relation]:
    """The relations where each index is of one iteration, and each iteration of an index: no part is moved inwards or goes on
    past the end."""
    return [
        replace(r, tail=GUARD) if isinstance(r, Split) and r.tail in (SHIFT, ROUND_UP) else r
        for r in relations
    ]


def needed_guards(
    relations: Iterable[Relation], guards: Iterable[tuple[IterVar, Expr]]
) -> list[tuple[IterVar, Expr]]:
    """The guards of `index_up` without those of splits that are said to divide, which a kernel asks once."""
    said = {r.parent for r in relations if isinstance(r, Split) and r.disable_predication}
    return [(iv, g) for iv, g in guards if iv not in said]


def index_down(
    relations: Iterable[Relation], values: dict[IterVar, Expr], extents: Extents, analyzer: Analyzer
) -> None:
    """Extend `values` from the axes (each counted from 0) to the loops: the iteration that makes an element. Loops of axes
    without a value have none."""
    for r in relations:
        match r:
            case Split(parent, outer, inner) if parent in values:
                p, n = ops.cast(values[parent], inner.dtype), extents[inner]
                if const_int(n) == 0:  # it never runs
                    values[outer] = values[inner] = const(0, inner.dtype)
                else:
                    values[outer] = analyzer.simplify(ops.floordiv(p, n))
                    values[inner] = analyzer.simplify(ops.floormod(p, n))
            case Fuse(outer, inner, fused) if outer in values and inner in values:
                rows, columns, n = (
                    ops.cast(e, fused.dtype) for e in (values[outer], values[inner], extents[inner])
                )
                values[fused] = analyzer.simplify(_join(rows, columns, n))
            case Singleton(one):
                values[one] = const(0, one.dtype)


def _join(outer: Expr, inner: Expr, extent: Expr) -> Expr:
    return ops.add(ops.mul(outer, extent), inner)


def intervals_up(
    relations: Iterable[Relation], sets: dict[IterVar, Interval], extents: Extents, analyzer: Analyzer
) -> None:
    """Extend `sets` from the loops to all axes: what a part of the loop nest covers, counted from 0."""
    for r in reversed(list(relations)):
        match r:
            case Split(parent, outer, inner):
                sets[parent] = _join_sets(sets[outer], sets[inner], r, extents)
            case Fuse(outer, inner, fused):
                rows, columns = (ops.cast(extents[iv], fused.dtype) for iv in (outer, inner))
                sets[outer], sets[inner] = _unfuse(sets[fused], rows, columns, extents, r, analyzer)


def is_full(s: Interval, extent: Expr) -> bool:
    """Whether an interval is all of an axis, counted from 0."""
    lo, hi, n = const_int(s.lo), const_int(s.hi), const_int(extent)
    if n is not None:
        return lo == 0 and hi == n - 1
    return lo == 0 and s.hi is not s.lo and _is_last(s.hi, extent)


def _is_last(hi: Expr, extent: Expr) -> bool:
    return is_same_expression(hi, ops.sub(extent, 1))


def full(extent: Expr) -> Interval:
    """All of an axis, counted from 0."""
    return interval(const(0, extent.dtype), extent)


def _join_sets(outer: Interval, inner: Interval, r: Split, extents: Extents) -> Interval:
    if is_full(outer, extents[r.outer]) and is_full(inner, extents[r.inner]):
        return full(ops.cast(extents[r.parent], r.inner.dtype))
    n = extents[r.inner]
    if outer.is_point and inner.is_point:
        return point(ops.add(first_of(outer.lo, r, extents), inner.lo))
    size = const_int(n)
    widths = (outer.width, inner.width)
    width = None if size is None or None in widths else (outer.width or 0) * size + (inner.width or 0)
    coarse = None if size is None or outer.steps is None else scaled(outer.steps, size)
    steps = sum_of(coarse, inner.steps)
    low, high = (ops.add(first_of(x, r, extents), y) for x, y in ((outer.lo, inner.lo), (outer.hi, inner.hi)))
    return Interval(low, high, width, None if r.tail == SHIFT and not divides(r, extents) else steps)


def _unfuse(
    f: Interval, outer: Expr, inner: Expr, extents: Extents, r: Fuse, analyzer: Analyzer
) -> tuple[Interval, Interval]:
    """The rows and columns that an interval of a fused loop covers."""
    if is_full(f, extents[r.fused]) or const_int(inner) == 0:
        return full(outer), full(inner)

    def div(e: Expr) -> Expr:
        return analyzer.simplify(ops.floordiv(e, inner))

    def mod(e: Expr) -> Expr:
        return analyzer.simplify(ops.floormod(e, inner))

    if f.is_point:
        return point(div(f.lo)), point(mod(f.lo))
    first, last = div(f.lo), div(f.hi)
    if first is last or analyzer.can_prove(ops.equal(first, last)):  # within one row
        return point(first), Interval(mod(f.lo), mod(f.hi), f.width, f.steps)
    n = const_int(inner)
    width = None if f.width is None or n is None else -(-f.width // n)
    return Interval(first, last, width), full(inner)
