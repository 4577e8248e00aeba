"""Dot products: loops over neighbouring products become one sum of all of them."""

from __future__ import annotations

from collections.abc import Callable

from tewb.arith import detect_linear
from tewb.base import DType
from tewb.ir import (
    Add,
    Broadcast,
    BufferLoad,
    BufferStore,
    Cast,
    Expr,
    For,
    ForKind,
    Mul,
    Ramp,
    Stmt,
    Var,
    const_int,
    intrinsics,
    is_same_expression,
    ops,
    replace,
    rewriter,
    uses,
    without_loop,
)


def form_dot_products(body: Stmt) -> Stmt:
    """Replace every loop marked `dot` by one statement on the neighbours that it multiplies.

        for k in 4 (dot):  C[0:16] = C[0:16] + int32(Broadcast(A[k])) * int32(B[Ramp(k, 4, 16)])
                     ->    C[0:16] = dot4(C[0:16], A[0:4], B[0:64])

    Each access has one index. A loop of any other form (a guard remains in it, the groups of the lanes do not
    follow each other, strides are not known) becomes serial. Afterwards no loop is marked `dot`.
    """

    def loop(n: For) -> Stmt:
        inner = rewrite(n.body)
        if n.kind is not ForKind.DOT:
            return n if inner is n.body else replace(n, body=inner)
        dot = _dot(n.var, n.min, const_int(n.extent), inner)
        if dot is None:
            return replace(n, kind=ForKind.SERIAL, body=inner)
        return without_loop(dot, n.origin)

    rewrite: Callable[[Stmt], Stmt] = rewriter({For: loop})
    return rewrite(body)


def _dot(v: Var, first: Expr, count: int | None, s: Stmt) -> Stmt | None:
    """`s` in all `count` iterations of `v` at once, when it adds a product to an element or to lanes."""
    match s:
        case BufferStore(buffer, Add(total, Mul(x, y)), (index,)) | BufferStore(
            buffer, Add(Mul(x, y), total), (index,)
        ):
            pass
        case _:
            return None
    if not (
        isinstance(total, BufferLoad)
        and total.buffer is buffer
        and is_same_expression(total.indices[0], index)
        and not uses(index, [v])
    ):
        return None
    a, b = (_neighbours(e, v, first, count) for e in (x, y))
    if a is None or b is None or a.dtype.bits != b.dtype.bits:
        return None
    return replace(s, value=intrinsics.dot(total, a, b))


def _neighbours(e: Expr, v: Var, first: Expr, count: int | None) -> BufferLoad | None:
    """The load of all elements that `e`, an element or lanes cast to int32, reads in the iterations of `v`, when these
    are `count` neighbours for each lane; one group of them where all lanes are the same."""
    load = _widened(e)
    if load is None or count != 32 // load.dtype.bits:
        return None
    (index,) = load.indices
    base, lanes = index, 1
    if isinstance(index, Ramp):
        if const_int(index.stride) != count:
            return None
        base, lanes = index.base, index.lanes
    linear = detect_linear(base, [v])
    if linear is None or const_int(linear[0].get(v, ops.const(0))) != 1:
        return None
    start, n = ops.add(linear[1], ops.cast(first, base.dtype)), count * lanes
    return BufferLoad(load.buffer, (ops.ramp(start, ops.const(1, base.dtype), n),), load.dtype.with_lanes(n))


def _widened(e: Expr) -> BufferLoad | None:
    """The load of 8-bit or 16-bit integers whose int32 value is `e`, in each lane."""
    is_int32 = e.dtype.element is DType("int32")
    while isinstance(e, Cast | Broadcast):
        if isinstance(e, Cast) and e.dtype.element != "int32":
            return None  # a value that is first truncated, or changes its sign, is another number
        e = e.value
    return e if is_int32 and isinstance(e, BufferLoad) and e.dtype.is_int and e.dtype.bits < 32 else None
