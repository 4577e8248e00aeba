"""Whether a compute reads inside of its tensors: proved, refused, or left to a check at run time."""

from __future__ import annotations

from typing import Any

from tewb.arith import Analyzer, detect_linear
from tewb.base import BoundError, here
from tewb.ir import And, Call, Expr, IterVar, Or, ProducerLoad, Reduce, Var, ops, walk

Access = tuple[ProducerLoad, int]


def check_accesses(op: Any) -> tuple[Access, ...]:
    """The accesses (load, dimension) of a compute that cannot be proved in bounds.

    Raises BoundError for an access that certainly leaves its tensor: one that nothing guards, affine in
    the axes, whose smallest or largest index is outside.
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
        _check(op, e, analyzer, axes, False, unproved)
    return tuple(unproved)


def _check(
    op: Any, e: Expr, analyzer: Analyzer, axes: tuple[IterVar, ...], guarded: bool, unproved: list[Access]
) -> None:
    match e:
        case Call("if_then_else", (cond, then, other)):
            _check(op, cond, analyzer, axes, guarded, unproved)
            with analyzer.assume(cond):
                _check(op, then, analyzer, axes, True, unproved)
            with analyzer.assume(ops.logical_not(cond)):
                _check(op, other, analyzer, axes, True, unproved)
            return
        case And(a, b) | Or(a, b):
            _check(op, a, analyzer, axes, guarded, unproved)
            with analyzer.assume(a if isinstance(e, And) else ops.logical_not(a)):
                _check(op, b, analyzer, axes, True, unproved)
            return
        case Reduce(_, source, _, condition):
            _check(op, condition, analyzer, axes, guarded, unproved)
            with analyzer.assume(condition):
                for s in source:
                    _check(op, s, analyzer, axes, guarded or not _is_true(condition), unproved)
            return
        case ProducerLoad(tensor, indices):
            for d, (i, size) in enumerate(zip(indices, tensor.shape, strict=True)):
                if not _inside(analyzer, i, size):
                    if not guarded:
                        _refuse_if_certain(op, analyzer, e, d, i, size, axes)
                    unproved.append((e, d))
    for child in e.children():
        _check(op, child, analyzer, axes, guarded, unproved)


def _is_true(e: Expr) -> bool:
    return ops.is_const(e, 1)


def _inside(analyzer: Analyzer, index: Expr, size: Expr) -> bool:
    lo, hi = analyzer.const_bounds(index)
    extent = ops.const_int(size)
    if lo is not None and hi is not None and extent is not None and 0 <= lo and hi < extent:
        return True
    return analyzer.can_prove(ops.greater_equal(index, 0)) and analyzer.can_prove(ops.less(index, size))


def _refuse_if_certain(
    op: Any, analyzer: Analyzer, load: ProducerLoad, d: int, index: Expr, size: Expr, axes: tuple[IterVar, ...]
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
