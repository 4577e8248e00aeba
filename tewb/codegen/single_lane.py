"""A single lane of a vector expression, for what can only be done element by element."""

from __future__ import annotations

from collections.abc import Callable

from tewb.base import CodegenError
from tewb.ir import (
    Broadcast,
    BufferLoad,
    Call,
    Cast,
    Expr,
    Not,
    Ramp,
    Select,
    Shuffle,
    Var,
    intrinsics,
    ops,
    script,
)


def lane_of(e: Expr, lane: int) -> Expr:
    """One lane of a vector expression, as a scalar expression."""
    lanes: dict[tuple[Expr, int], Expr] = {}

    def part(x: Expr, at: int) -> Expr:
        if x.dtype.lanes == 1:
            return x
        if (x, at) not in lanes:
            lanes[x, at] = _lane_of(x, at, part)
        return lanes[x, at]

    return part(e, lane)


def _lane_of(e: Expr, lane: int, part: Callable[[Expr, int], Expr]) -> Expr:
    """`lane_of` a vector, from that of its parts."""
    match e:
        case Ramp(base, stride, _):
            return ops.add(base, ops.mul(stride, lane))
        case Broadcast(value):
            return value
        case BufferLoad(buffer, (index,)):
            return BufferLoad(buffer, (part(index, lane),), buffer.dtype)
        case Call(op, args, dtype) if op not in intrinsics.DOTS:
            return Call(op, tuple([part(a, lane) for a in args]), dtype.element)
        case Cast(value, dtype):
            return Cast(part(value, lane), dtype.element)
        case Select(cond, then, other, dtype):
            return Select(part(cond, lane), part(then, lane), part(other, lane), dtype.element)
        case Shuffle(vectors, indices):
            position = indices[lane]
            for v in vectors:
                if position < v.dtype.lanes:
                    return part(v, position)
                position -= v.dtype.lanes
        case Not(a):
            return Not(part(a, lane), e.dtype.element)
        case Var():
            return Shuffle((e,), (lane,), e.dtype.element)
        case Call():
            raise CodegenError(f"the vector {script(e)} cannot be taken apart")
    a, b = part(e.a, lane), part(e.b, lane)  # type: ignore[attr-defined]
    return type(e)(a, b, e.dtype.element)  # type: ignore[call-arg]
