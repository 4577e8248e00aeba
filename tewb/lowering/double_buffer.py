"""Double buffering: what the next iteration reads is computed in this one, in memory of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tewb.arith.intset import eval_set, interval
from tewb.base import LowerError
from tewb.ir import (
    Allocate,
    Buffer,
    BufferLoad,
    BufferStore,
    Expr,
    For,
    IfThenElse,
    Origin,
    Stmt,
    Var,
    const,
    const_int,
    ops,
    replace,
    rewriter,
    seq,
    substitute,
    uses,
)


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is computed one iteration ahead: the statement, and the buffers that it stores to."""

    producer: Stmt
    buffers: list[Buffer]
    origin: Origin


def double_buffered(loop: For, ahead: Sequence[Ahead]) -> Stmt:
    """`loop`, whose iterations read what `ahead` store, with these computed one iteration ahead.

    for k in n:                      B = allocate((2, m));  B[0] = f(0)
        B = allocate((m,))           for k in n:
        B = f(k)               ->        if k + 1 < n: B[(k + 1) % 2] = f(k + 1)
        use B                            use B[k % 2]
    """
    v, n = loop.var, loop.extent
    twice = {b: _twice(b, loop, p.origin) for p in ahead for b in p.buffers}
    making = seq(*[_halves(p.producer, twice, v) for p in ahead])
    following: Stmt = substitute(making, {v: ops.add(v, 1)})
    more = ops.likely(ops.less(ops.add(v, 1), n))
    body = seq(IfThenElse(more, following, None, ahead[0].origin), _halves(loop.body, twice, v))
    first: Stmt = substitute(making, {v: const(0, v.dtype)})
    if const_int(n) is None:  # there may be no iteration, and nothing to read for one
        first = IfThenElse(ops.less(const(0, v.dtype), n), first, None, ahead[0].origin)
    whole = seq(first, replace(loop, body=body))
    for b in reversed([*twice.values()]):
        whole = Allocate(b, whole, b.origin)
    return whole


def _twice(b: Buffer, loop: For, origin: Origin) -> Buffer:
    """The memory of two of `b`, each large enough for any iteration of the loop."""
    each = b.map_exprs(lambda size: _largest_size(size, b, loop, origin))
    strides = (ops.mul(each.strides[0], each.shape[0]), *each.strides) if each.strides else ()
    return Buffer(b.name, b.dtype, (const(2), *each.shape), strides, scope=b.scope, origin=b.origin)


def _largest_size(size: Expr, b: Buffer, loop: For, origin: Origin) -> Expr:
    """The largest `size` in any iteration of a loop; raises LowerError where it is not known."""
    if not uses(size, [loop.var]):
        return size
    covered = eval_set(size, {loop.var: interval(const(0, loop.var.dtype), loop.extent)})
    if covered is None or uses(covered.hi, [loop.var]):
        raise LowerError(
            f"double_buffer: how much of {b.name} an iteration of {loop.var.name} needs differs from one to the next, and "
            f"has no largest value that can be told: {size!r}",
            hint=f"compute all of {b.name} outside of {loop.var.name}, or without double_buffer",
            span=origin.span,
        )
    return ops.maximum(covered.hi, 0)


def _halves(s: Stmt, twice: dict[Buffer, Buffer], v: Var) -> Stmt:
    """`s` with each access to a buffer in the half of the iteration `v`."""
    half = ops.floormod(v, 2)

    def load(n: BufferLoad) -> Expr:
        indices = tuple(rewrite(i) for i in n.indices)
        if n.buffer not in twice:
            return BufferLoad(n.buffer, indices, n.dtype)
        return BufferLoad(twice[n.buffer], (half, *indices), n.dtype)

    def store(n: BufferStore) -> Stmt:
        indices, value = tuple(rewrite(i) for i in n.indices), rewrite(n.value)
        if n.buffer not in twice:
            return replace(n, value=value, indices=indices)
        return replace(n, buffer=twice[n.buffer], value=value, indices=(half, *indices))

    rewrite: Any = rewriter({BufferLoad: load, BufferStore: store})
    rewritten: Stmt = rewrite(s)
    return rewritten
