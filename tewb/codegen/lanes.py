"""Lanes: a vector expression taken apart, for what can only be done element by element."""

from __future__ import annotations

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
    if e.dtype.lanes == 1:
        return e
    match e:
        case Ramp(base, stride, _):
            return ops.add(base, ops.mul(stride, lane))
        case Broadcast(value):
            return value
        case BufferLoad(buffer, (index,)):
            return BufferLoad(buffer, (lane_of(index, lane),), buffer.dtype)
        case Call(op, args, dtype) if op not in intrinsics.DOTS:
            return Call(op, tuple(lane_of(a, lane) for a in args), dtype.element)
        case Cast(value, dtype):
            return Cast(lane_of(value, lane), dtype.element)
        case Select(cond, then, other, dtype):
            return Select(lane_of(cond, lane), lane_of(then, lane), lane_of(other, lane), dtype.element)
        case Shuffle(vectors, indices):
            found = indices[lane]
            for v in vectors:
                if found < v.dtype.lanes:
                    return lane_of(v, found)
                found -= v.dtype.lanes
        case Not(a):
            return Not(lane_of(a, lane), e.dtype.element)
        case Var() | Call():
            raise CodegenError(f"the vector {script(e)} cannot be taken apart")
    a, b = lane_of(e.a, lane), lane_of(e.b, lane)  # type: ignore[attr-defined]
    return type(e)(a, b, e.dtype.element)  # type: ignore[call-arg]
