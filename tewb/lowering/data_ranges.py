"""Ranges of reduce loops that depend on other axes or on elements: they are computed right before the loop.

for i in n:                                            for i in n:
    for k in range(indptr[i], indptr[i + 1]):    ->        k.begin: T.int32 = indptr[i]
        C[i] += A[k]                                       k.extent: T.int32 = T.max(indptr[i + 1], indptr[i]) - indptr[i]
                                                           assert indptr[i + 1] <= indptr[i] or k.begin >= 0 and ...
                                                           for k in range(k.extent): C[i] += A[k.begin + k]
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING

from tewb.arith import detect_linear
from tewb.base import INT64
from tewb.ir import (
    AssertStmt,
    AxisValues,
    BufferLoad,
    Cast,
    Expr,
    IterVar,
    LetStmt,
    ProducerLoad,
    Reduce,
    Stmt,
    Var,
    at_axes,
    const_int,
    ops,
    substitute,
    uses,
    walk,
)
from tewb.schedule import LARGEST_FACTOR
from tewb.tensor import ALWAYS, UnprovedRead

if TYPE_CHECKING:
    from tewb.lowering.compute_nest import ComputeNest

# Expressions of at most this many nodes that read no element are written where they are used:
# `range(i.outer * 8 + i.inner + 1)`.
SHORT = 8


def dependent_ranges(nest: ComputeNest, values: Mapping[IterVar, Expr]) -> list[DependentRange]:
    """The ranges of the reduce axes of a stage that depend on something, outermost first."""
    if not nest.op.domains:
        return []
    translate = nest.translate({iv.var: values[iv] for iv in nest.own.ranges})
    return [DependentRange(nest, iv, translate) for iv in nest.op.domains]


class DependentRange:
    """The range of the reduce axis `axis`, which is known before loop `position`. The accesses in `checked` are
    checked there, for all iterations at once."""

    def __init__(self, nest: ComputeNest, axis: IterVar, translate: AxisValues) -> None:
        self.nest, self.axis, self.translate = nest, axis, translate
        self.domain, self.range = nest.op.domains[axis], nest.own.ranges[axis]
        assert isinstance(self.range.extent, Var)
        self.position = nest.own.dependent_vars[self.range.extent]
        self.others = self._others()
        self.checked = [a for a in nest.op.unproved if self._ends(a) is not None]

    def around(self, body: Stmt) -> Stmt:
        """`body`, in which the begin and the extent are known."""
        for a in reversed(self.checked):
            body = self._check(a, body)
        simple: dict[Var, Expr] = {}
        wanted = self.domain.range
        for v, e in ((self.range.extent, wanted.extent), (self.range.min, wanted.min)):
            if not isinstance(v, Var):
                continue
            value = self.nest.analyzer.simplify(self.translate(e))
            nodes = list(islice(walk(value), SHORT + 1))
            if len(nodes) > SHORT or any(isinstance(n, BufferLoad) for n in nodes):
                body = LetStmt(v, value, body, self.nest.stage.origin(self.axis))
            else:
                simple[v] = value
        body = self._countable(substitute(body, simple))
        return self.nest.checked(self.domain.exprs, self.translate, body)

    def _countable(self, body: Stmt) -> Stmt:
        """`body`, behind a check that the number of iterations, which elements give, fits its dtype. No check is needed
        where an access in every iteration is checked to lie in a tensor."""
        begin, end = (self.translate(e) for e in self.domain.exprs)
        most = end.dtype.max_value() - (LARGEST_FACTOR if self.nest.stage.relations else 0)
        starts_at_0 = (const_int(begin) or 0) >= 0 and const_int(begin) is not None
        is_sure = starts_at_0 and not self.nest.stage.relations and not _from_uint64(end)
        is_short = all(e.dtype.bits <= 32 or _from_narrow(e) for e in (begin, end))
        if not self.domain.reads_elements or self.checked or is_sure or is_short:
            return body
        count = ops.sub(end, begin)
        fits = ops.any_of(
            ops.less_equal(end, begin), ops.logical_and(ops.greater(count, 0), ops.less_equal(count, most))
        )
        signs = [ops.greater_equal(e, 0) for e in (begin, end) if _from_uint64(e)]
        what = f"{self.nest.stage.name} has more iterations of {self.axis.name} than {end.dtype} counts"
        return AssertStmt(ops.all_of(*signs, fits), what, body, self.nest.origin)

    # ---- checks for all iterations

    def _others(self) -> list[Expr] | None:
        """The extents of the other axes in loops inside, where these are sizes; None where they are not known here."""
        nest, sizes = self.nest, list[Expr]()
        inside = nest.leaves[self.position :]
        for iv, r in nest.own.ranges.items():
            if iv is self.axis or not any(x in nest.stage.loops_of(iv) for x in inside):
                continue
            if r.extent in nest.own.dependent_vars:
                return None
            if (const_int(r.extent) or 0) <= 0:
                sizes.append(r.extent)
        return sizes

    def _ends(self, access: UnprovedRead) -> tuple[Expr, Expr] | None:
        """The smallest and the largest index of an access that every iteration makes and whose index moves with the
        loop; None for other accesses."""
        load, d, when = access
        reduction, v = self.nest.op.body[0], self.axis.var
        assert isinstance(reduction, Reduce)
        index = load.indices[d]
        if when is not ALWAYS or self.others is None or not uses(index, [v]):
            return None
        if not any(n is load for e in reduction.source for n in walk(e)):
            return None
        linear = detect_linear(index, [v])
        step = None if linear is None else const_int(linear[0].get(v, ops.const(0)))
        inside = [iv.var for iv in self.nest.own.ranges if iv is not self.axis and self._is_inside(iv)]
        if not step or uses(index, inside) or any(isinstance(n, ProducerLoad) for n in walk(index)):
            return None
        end = (
            self.domain.end
            if index is v or not self.domain.reads_elements
            else ops.cast(self.domain.end, INT64)
        )
        ends = self.range.min, ops.sub(end, 1)
        index = self.nest.compared(access)
        first, last = (self.translate.index(at_axes({v: e}).index(index)) for e in ends)
        return (first, last) if step > 0 else (last, first)

    def _is_inside(self, iv: IterVar) -> bool:
        return any(x in self.nest.stage.loops_of(iv) for x in self.nest.leaves[self.position :])

    def _check(self, access: UnprovedRead, body: Stmt) -> Stmt:
        ends = self._ends(access)
        assert ends is not None and self.others is not None
        size = access[0].producer.shape[access[1]]
        inside = ops.logical_and(ops.greater_equal(ends[0], 0), ops.less(ends[1], size))
        # Ends are compared, not an extent with 0: uninitialised elements may be too far apart for a difference.
        begin, end = (self.translate(e) for e in self.domain.exprs)
        empty = ops.less_equal(end, begin)
        none = [empty, *(ops.less_equal(n, 0) for n in self.others)]
        return AssertStmt(ops.any_of(*none, inside), self.nest.outside(access), body, self.nest.origin)


def _from_narrow(e: Expr) -> bool:
    """Whether `e` fits in 32 bits: differences of such numbers are counted in int64."""
    value = const_int(e)
    return abs(value) < 1 << 32 if value is not None else isinstance(e, Cast) and e.value.dtype.bits <= 32


def _from_uint64(e: Expr) -> bool:
    """Whether an end comes from an unsigned element, which may be more than a signed number holds."""
    return any(
        isinstance(n, Cast) and n.value.dtype.kind == "uint" and n.value.dtype.bits == 64 for n in walk(e)
    )
