"""Unrolling: the iterations of a loop written one after the other."""

from __future__ import annotations

from collections.abc import Callable

from tewb.base import LowerError
from tewb.ir import (
    For,
    ForKind,
    Stmt,
    const,
    const_int,
    ops,
    replace,
    rewriter,
    seq,
    substitute,
    walk,
    without_loop,
)

MOST_NODES = 200_000  # IR nodes after unrolling; more would take minutes to compile


def unroll_loops(body: Stmt) -> Stmt:
    """Replace every loop marked `unroll` by its iterations in sequence.

        for i in 3 (unroll):  A[i] = 0      ->      A[0] = 0; A[1] = 0; A[2] = 0

    Requires constant extents; raises LowerError otherwise, or when the result would be enormous.
    Afterwards no loop is marked `unroll`; the statements remember the loop that they came from.
    """

    def loop(n: For) -> Stmt:
        inner = rewrite(n.body)
        if n.kind is not ForKind.UNROLLED:
            return n if inner is n.body else replace(n, body=inner)
        count = _count(n, inner)
        inner = without_loop(inner, n.origin)
        return seq(*[substitute(inner, {n.var: ops.add(n.min, const(i, n.var.dtype))}) for i in range(count)])

    rewrite: Callable[[Stmt], Stmt] = rewriter({For: loop})
    return rewrite(body)


def _count(n: For, inner: Stmt) -> int:
    extent = const_int(n.extent)
    span = n.origin.span if n.origin else None
    if extent is None:
        raise LowerError(
            f"unroll: loop {n.var.name} has an extent that is not constant, {n.extent!r}",
            hint="split it by a constant and unroll the inner loop",
            span=span,
        )
    size = sum(1 for _ in walk(inner)) * extent
    if size > MOST_NODES:
        raise LowerError(
            f"unroll: loop {n.var.name} would become about {size} nodes of IR",
            hint="unroll fewer iterations",
            span=span,
        )
    return extent
