"""Storage flattening: arrays of several dimensions become one line of elements."""

from __future__ import annotations

from typing import Any

from tewb.arith import Analyzer
from tewb.base import INT32, INT64, DType
from tewb.ir import (
    Allocate,
    Buffer,
    BufferLoad,
    BufferStore,
    DeclBuffer,
    Expr,
    PrimFunc,
    Ramp,
    Stmt,
    Var,
    const,
    const_int,
    free_vars,
    ops,
    rewriter,
    substitute,
)
from tewb.lowering.bind_buffers import compact_strides

Layout = tuple[DType, Expr, tuple[Expr, ...]]  # the dtype of its indices, its first element, its strides


def flatten_storage(f: PrimFunc) -> PrimFunc:
    """Give every access one index: elements from the start of the buffer's memory.

        A[i, j]  of shape (n, m)    ->    A[i*m + j]

    Views disappear into the memory that they view. Parameters keep their shapes, which the caller's arrays
    are checked against. Index arithmetic is done in 64 bits where 32 might not be enough.

    The shape of a flat buffer is the number of elements that its memory spans, and its elem_offset the
    lowest of their indices: 0, or less where a stride is negative. Debug builds check accesses with them.
    """
    flat: dict[Buffer, Buffer] = {}
    layouts: dict[Buffer, Layout] = {}
    owners = {p.data: p for p in f.params if isinstance(p, Buffer)}

    def line(b: Buffer) -> Buffer:
        flattened = flat.get(b)
        if flattened is None:
            low, size = _span(owners.get(b.data, b))
            flattened = flat[b] = b.with_(shape=(size,), strides=(), elem_offset=low)
        return flattened

    def layout(b: Buffer) -> Layout:
        chosen = layouts.get(b)
        if chosen is None:
            dtype = INT32 if fits_int32(b) else INT64
            strides = tuple(_as(step, dtype) for step in compact_strides(b))
            chosen = layouts[b] = (dtype, _as(b.elem_offset, dtype), strides)
        return chosen

    def index(b: Buffer, indices: tuple[Expr, ...]) -> Expr:
        dtype, start, strides = layout(b)
        at = start
        for i, step in zip([rewrite(i) for i in indices], strides, strict=True):
            at = _further(at, _as(i, dtype), step)
        return at

    def load(n: BufferLoad) -> Expr:
        at = index(n.buffer, n.indices)
        return BufferLoad(line(n.buffer), (at,), n.dtype)

    def store(n: BufferStore) -> Stmt:
        at = index(n.buffer, n.indices)
        return BufferStore(line(n.buffer), rewrite(n.value), (at,), n.origin, n.nontemporal)

    def allocate(n: Allocate) -> Stmt:
        owners[n.buffer.data] = n.buffer  # of several iterations that were written out, each has its own size
        return Allocate(line(n.buffer), rewrite(n.body), n.origin)

    rules: dict[type, Any] = {
        BufferLoad: load,
        BufferStore: store,
        Allocate: allocate,
        DeclBuffer: lambda n: rewrite(n.body),
    }
    rewrite: Any = rewriter(rules)
    body = rewrite(f.body)
    return f.with_body(body)


def _as(e: Expr, dtype: str) -> Expr:
    """`e` in `dtype`. Indices do not overflow, so a ramp stays one, and neighbours are seen as such."""
    if isinstance(e, Ramp):
        return ops.ramp(_as(e.base, dtype), _as(e.stride, dtype), e.lanes)
    return ops.cast(e, DType(dtype).with_lanes(e.dtype.lanes))


def _further(at: Expr, i: Expr, step: Expr) -> Expr:
    """at + i*step; a ramp plus scalars stays a ramp, which spares the simplifier the work."""
    if isinstance(i, Ramp) and at.dtype.lanes == 1:
        return ops.ramp(ops.add(at, ops.mul(i.base, step)), ops.mul(i.stride, step), i.lanes)
    if isinstance(at, Ramp) and i.dtype.lanes == 1:
        return ops.ramp(ops.add(at.base, ops.mul(i, step)), at.stride, at.lanes)
    return ops.add(at, ops.mul(i, step))


def _span(b: Buffer) -> tuple[Expr, Expr]:
    """The lowest index and the number of elements from there to the highest."""
    if not b.strides:
        return const(0), _element_count(b)
    low, high = const(0, INT64), const(0, INT64)
    for n, step in zip(b.shape, b.strides, strict=True):
        reach = ops.mul(ops.sub(_as(n, INT64), 1), _as(step, INT64))
        low, high = ops.add(low, ops.minimum(reach, 0)), ops.add(high, ops.maximum(reach, 0))
    size = ops.add(ops.sub(high, low), 1)
    if fits_int32(b):  # constants, which text writes as plain numbers
        return ops.cast(low, INT32), ops.cast(size, INT32)
    return low, size


def _element_count(b: Buffer) -> Expr:
    size: Expr = const(1)
    if not fits_int32(b):
        size = const(1, INT64)
    for n in b.shape:
        size = ops.mul(size, ops.maximum(n, 0) if _is_less_than_none(n) else n)
    return size


def _is_less_than_none(extent: Expr) -> bool:
    """Whether an extent is negative where there is nothing: (n + 3)//4*4 - 3, which steps of 4 span, is -3 for n = 0."""
    zeros = {v: const(0, v.dtype) for v in free_vars(extent)}
    at_zero = const_int(Analyzer().simplify(substitute(extent, zeros))) if zeros else None
    return at_zero is not None and at_zero < 0


def fits_int32(b: Buffer) -> bool:
    """Whether every element of `b` certainly has a number below 2**31. Symbolic sizes are not certain."""
    total = 1
    for n in (*b.shape, *b.strides):
        size = const_int(n)
        if size is None:
            return False
        total *= max(abs(size), 1)
    offset = b.elem_offset
    small = const_int(offset) is not None or not isinstance(offset, Var)
    return small and total < 1 << 31 and offset.dtype.bits <= 32
