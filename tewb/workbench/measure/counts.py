"""Counting: the operations that a program asks for and the bytes that it moves at least, whatever its schedule."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tewb.arith import evaluate_number
from tewb.base import ArgumentError, FromParts, any_depth, here
from tewb.ir import (
    Binary,
    BufferLoad,
    Call,
    Compare,
    Expr,
    ProducerLoad,
    Reduce,
    Var,
    const_int,
    script,
)
from tewb.tensor import ComputeOp, Operation, PlaceholderOp, ScanOp, Tensor

# Values of symbolic sizes and scalars: of a variable itself, or of all that have a name.
Sizes = Mapping[Any, int]

# Calls that choose or rename a value and do nothing to it.
_LOADS = (ProducerLoad, BufferLoad)
_FREE_CALLS = ("if_then_else", "likely", "reinterpret")


@any_depth
def operations(outputs: Sequence[Operation], sizes: Sizes) -> int | None:
    """How many operations the definition of `outputs` has: those of each compute's body, at every point of its
    axes and reduce axes. A matmul has 2 n^3.

    An operation is arithmetic, a comparison or a math call on elements of tensors (fma is two); arithmetic on
    indices alone is free. None when a part is an extern or a hybrid function, whose work nobody can see, or the
    number of its terms depends on elements of tensors.
    """
    total = 0
    for op in operations_below(outputs):
        if isinstance(op, ComputeOp):
            each = points(op, sizes)
            if each is None:
                return None
            total += each * _at_a_point(op)
        elif not isinstance(op, PlaceholderOp | ScanOp):  # a scan's computes do all of its work
            return None
    return total


def least_bytes(args: Iterable[Any], sizes: Sizes) -> int:
    """The bytes of all tensors among the arguments of a kernel: each goes over the memory bus once at least."""
    tensors = [a for a in args if isinstance(a, Tensor)]
    return sum(math.prod(shape_of(t, sizes)) * t.dtype.nbytes for t in tensors)


def points(op: ComputeOp, sizes: Sizes) -> int | None:
    """How often the body of a compute is evaluated: the points of its axes and reduce axes. A range that depends on
    other axes counts as it is in their middle, which is right for triangles. None when it depends on elements of
    tensors."""
    axes = (*op.axis, *op.reduce_axis)
    if not op.domains:
        return math.prod(size_of(iv.dom.extent, sizes) for iv in axes if iv.dom is not None)
    total, middle = 1.0, dict[Var, Any]()
    for iv in axes:
        r = op.domain(iv)
        assert r is not None
        low, extent = (value_at(e, middle, sizes) for e in (r.min, r.extent))
        if low is None or extent is None:
            return None
        total *= max(float(extent), 0.0)
        middle[iv.var] = low + (extent - 1) / 2
    return round(total)


def operations_below(outputs: Sequence[Operation]) -> list[Operation]:
    """`outputs` and everything that they are computed from, each once."""
    below: dict[Operation, None] = {}
    pending = list(outputs)
    while pending:
        op = pending.pop()
        if op not in below:
            below[op] = None
            pending.extend(t.op for t in op.inputs)
    return list(below)


def _at_a_point(op: ComputeOp) -> int:
    first = op.body[0]
    if isinstance(first, Reduce):
        c = first.combiner
        return count_operations((*first.source, *c.result), {*c.lhs, *c.rhs})
    return count_operations(op.body, set())


def count_operations(body: Iterable[Expr], values: set[Var]) -> int:
    """The operations on elements in `body`; `values` are variables that hold elements."""

    def holds_elements(e: Expr, part: Callable[[Expr], bool]) -> bool:
        if isinstance(e, _LOADS) or e in values:
            return True
        return any([part(c) for c in e.children() if isinstance(c, Expr)])  # of all, so that each is counted

    is_value = FromParts[Expr, bool](holds_elements)
    for e in body:
        _ = is_value[e]
    return sum(_cost(e) for e, on_elements in is_value.items() if on_elements)


def _cost(e: Expr) -> int:
    if isinstance(e, Call):
        return 0 if e.op in _FREE_CALLS else 2 if e.op == "fma" else 1
    return int(isinstance(e, Binary | Compare))


def shape_of(t: Tensor, sizes: Sizes) -> tuple[int, ...]:
    """The shape of a tensor with its symbolic sizes filled in (128 where none is given)."""
    shape = tuple(size_of(n, sizes) for n in t.shape)
    if min(shape, default=0) < 0:
        raise ArgumentError(
            f"the shape of {t.name} would be {shape}", hint='sizes={"n": 128} gives n a value', span=here()
        )
    return shape


def size_of(n: Expr, sizes: Sizes) -> int:
    """The value of an extent, with its symbolic sizes filled in (128 where none is given)."""
    known = const_int(n)
    if known is not None:
        return known
    value = value_at(n, {}, sizes)
    if value is None:
        raise ArgumentError(
            f"the size {script(n)} does not follow from numbers",
            hint='Session(s, args, sizes={"n": 128})',
            span=here(),
        )
    return int(value)


def value_at(e: Expr, at: Mapping[Var, float], sizes: Sizes) -> Any:
    """The value of an expression where variables of loops have the values of `at`, and others those of `sizes`; None where it
    is no arithmetic on these."""
    return evaluate_number(e, lambda v: at[v] if v in at else value_of(v, sizes))


def value_of(v: Var, sizes: Sizes, default: int = 128) -> int:
    """The value of a variable: its own, or that of its name."""
    return sizes[v] if v in sizes else sizes.get(v.name, default)
