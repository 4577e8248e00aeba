"""Whether a compute reads inside of its tensors: proved, refused, or left to a check at run time."""

from __future__ import annotations

from typing import Any

from tewb.arith import Analyzer, detect_linear
from tewb.base import BOOL, BoundError, here
from tewb.ir import And, Call, Expr, IntImm, IterVar, Or, ProducerLoad, Range, Reduce, Var, ops, walk
from tewb.tensor.domains import depends_on

# A load, the dimension, and the condition under which it happens.
Access = tuple[ProducerLoad, int, Expr]
ALWAYS: Expr = IntImm(1, BOOL)


def check_accesses(op: Any, refuse: bool = True) -> tuple[Access, ...]:
    """The accesses (load, dimension) of a compute that cannot be proved in bounds.

    Raises BoundError for an access that certainly leaves its tensor: one that nothing guards, affine in
    the axes, whose smallest or largest index is outside (unless `refuse` is off).
    """
    analyzer = Analyzer()
    axes = (*op.axis, *op.reduce_axis)
    for iv in axes:
        dom = op.domain(iv)
        analyzer.bind_extent(iv.var, dom.min, dom.extent)
    for t in op.inputs:
        for size in t.shape:
            for v in walk(size):
                if isinstance(v, Var):
                    analyzer.bind(v, 0, None)
    unproved: list[Access] = []
    for e in op.body:
        _Checker(op, analyzer, axes, unproved, refuse).check(e, ALWAYS)
    for iv, domain in op.domains.items():
        around = (*op.axis, *depends_on(iv, op.domains, op.reduce_axis))
        for e in domain.exprs:
            _Checker(op, analyzer, around, unproved, refuse).check(e, ALWAYS)
    return tuple(unproved)


class _Checker:
    def __init__(
        self, op: Any, analyzer: Analyzer, axes: tuple[IterVar, ...], unproved: list[Access], refuse: bool
    ) -> None:
        self.op, self.analyzer, self.axes, self.unproved, self.refuse = op, analyzer, axes, unproved, refuse

    def check(self, e: Expr, when: Expr) -> None:
        """Look at every load of `e`, which is evaluated when `when` holds."""
        match e:
            case Call("if_then_else", (cond, then, other)):
                self.check(cond, when)
                self.under(cond, then, when)
                self.under(ops.logical_not(cond), other, when)
                return
            case And(a, b) | Or(a, b):
                self.check(a, when)
                self.under(a if isinstance(e, And) else ops.logical_not(a), b, when)
                return
            case Reduce(_, source, _, condition, _, init):
                for s in (*init, condition):
                    self.check(s, when)
                for s in source:
                    self.under(condition, s, when)
                return
            case ProducerLoad(tensor, indices):
                for i in indices:  # what an index reads is checked before the index is
                    self.check(i, when)
                for d, (i, size) in enumerate(zip(indices, tensor.shape, strict=True)):
                    if not _inside(self.analyzer, i, size):
                        if self.refuse and when is ALWAYS:
                            _refuse_if_certain(self.op, self.analyzer, e, d, i, size, self.axes)
                        self.unproved.append((e, d, when))
                return
        for child in e.children():
            self.check(child, when)

    def under(self, cond: Expr, e: Expr, when: Expr) -> None:
        if ops.is_const(cond, 1):
            self.check(e, when)
            return
        with self.analyzer.assume(cond):
            self.check(e, cond if when is ALWAYS else ops.logical_and(when, cond))


def _inside(analyzer: Analyzer, index: Expr, size: Expr) -> bool:
    lo, hi = analyzer.const_bounds(index)
    extent = ops.const_int(size)
    if lo is not None and hi is not None and extent is not None and lo >= 0 and hi < extent:
        return True
    return analyzer.can_prove(ops.greater_equal(index, 0)) and analyzer.can_prove(ops.less(index, size))


def _refuse_if_certain(
    op: Any,
    analyzer: Analyzer,
    load: ProducerLoad,
    d: int,
    index: Expr,
    size: Expr,
    axes: tuple[IterVar, ...],
) -> None:
    """Bounds of an affine index are reached, so an index that can leave the tensor does."""
    if detect_linear(index, [iv.var for iv in axes]) is None:
        return
    lo, hi = analyzer.const_bounds(index)
    extent = ops.const_int(size)
    low = lo is not None and lo < 0
    high = hi is not None and extent is not None and hi >= extent
    if not (low or high) or any(_empty(op.domain(iv)) for iv in axes):
        return
    reached = f"{index!r} runs from {lo} to {hi}"
    raise BoundError(
        f"compute {op.name} reads outside of {load.producer.name}: in dimension {d}, {reached}, "
        f"and the size is {size!r}",
        hint="guard it with te.if_then_else(condition, inside, outside), or clamp with te.max(te.min(...))",
        span=here(),
    )


def _empty(dom: Range | None) -> bool:
    return dom is None or ops.const_int(dom.extent) in (0, None)
