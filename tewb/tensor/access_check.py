"""Whether a compute reads inside of its tensors: proved, refused, or left to a check at run time."""

from __future__ import annotations

from typing import Any

from tewb.arith import Analyzer, detect_linear, unlikely
from tewb.base import BOOL, BoundError, here
from tewb.ir import And, Call, Expr, IntImm, IterVar, Or, ProducerLoad, Reduce, Var, ops, walk

# A load, the dimension, and the condition under which it happens.
Access = tuple[ProducerLoad, int, Expr]
_ALWAYS: Expr = IntImm(1, BOOL)


def check_accesses(op: Any, refuse: bool = True) -> tuple[Access, ...]:
    """The accesses (load, dimension) of a compute that cannot be proved in bounds.

    Raises BoundError for an access that certainly leaves its tensor: one that nothing guards, affine in
    the axes, whose smallest or largest index is outside (unless `refuse` is off).
    """
    analyzer = Analyzer()
    axes = (*op.axis, *op.reduce_axis)
    for iv in axes:
        analyzer.bind_extent(iv.var, iv.dom.min, iv.dom.extent)
    for t in op.inputs:
        for size in t.shape:
            for v in walk(size):
                if isinstance(v, Var):
                    analyzer.bind(v, 0, None)
    unproved: list[Access] = []
    for e in op.body:
        _Checker(op, analyzer, axes, unproved, refuse).check(e, _ALWAYS)
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
            case Reduce(_, source, _, condition):
                self.check(condition, when)
                for s in source:
                    self.under(condition, s, when)
                return
            case ProducerLoad(tensor, indices):
                for d, (i, size) in enumerate(zip(indices, tensor.shape, strict=True)):
                    if self.refuse and not isinstance(i, Var | IntImm):
                        _refuse_overflow(self.op, self.analyzer, e, d, i)
                    if not _inside(self.analyzer, i, size):
                        if self.refuse and when is _ALWAYS:
                            _refuse_if_certain(self.op, self.analyzer, e, d, i, size, self.axes)
                        self.unproved.append((e, d, when))
        for child in e.children():
            self.check(child, when)

    def under(self, cond: Expr, e: Expr, when: Expr) -> None:
        if ops.is_const(cond, 1):
            self.check(e, when)
            return
        with self.analyzer.assume(unlikely(cond), wraps=True):
            self.check(e, cond if when is _ALWAYS else ops.logical_and(when, cond))


def _inside(analyzer: Analyzer, index: Expr, size: Expr) -> bool:
    lo, hi = analyzer.const_bounds(index)
    extent = ops.const_int(size)
    if lo is not None and hi is not None and extent is not None and lo >= 0 and hi < extent:
        return True
    return analyzer.can_prove(ops.greater_equal(index, 0)) and analyzer.can_prove(ops.less(index, size))


def _refuse_overflow(op: Any, analyzer: Analyzer, load: ProducerLoad, d: int, index: Expr) -> None:
    """An index does not overflow: where it is known that it would, it is no index."""
    found = analyzer.overflow(index)
    if found is None:
        return
    part, end = found
    raise BoundError(
        f"compute {op.name} reads {load.producer.name} at an index that passes {part.dtype}: in dimension {d}, "
        f"{part!r} reaches {end}",
        hint='compute the index in 64 bits: i.astype("int64")',
        span=here(),
    )


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
    if not (low or high) or any(_empty(iv) for iv in axes):
        return
    reached = f"{index!r} runs from {lo} to {hi}"
    raise BoundError(
        f"compute {op.name} reads outside of {load.producer.name}: in dimension {d}, {reached}, "
        f"and the size is {size!r}",
        hint="guard it with te.if_then_else(condition, inside, outside), or clamp with te.max(te.min(...))",
        span=here(),
    )


def _empty(iv: IterVar) -> bool:
    return iv.dom is None or ops.const_int(iv.dom.extent) in (0, None)
