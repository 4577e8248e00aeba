"""Unrolling: the iterations of a loop written one after the other."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from tewb.base import LowerError
from tewb.ir import (
    BufferLoad,
    BufferStore,
    For,
    ForKind,
    Node,
    Stmt,
    const,
    const_int,
    is_contiguous,
    ops,
    replace,
    rewriter,
    seq,
    substitute,
    walk,
    without_loop,
)

MAX_NODES = 60_000  # IR nodes of a loop nest after unrolling: these take LLVM up to 8 s


def unroll_loops(body: Stmt) -> Stmt:
    """Replace every loop marked `unroll` by its iterations in sequence.

        for i in 3 (unroll):  A[i] = 0      ->      A[0] = 0; A[1] = 0; A[2] = 0

    Requires constant extents; raises LowerError otherwise, or when more than MAX_NODES nodes would come of it.
    Afterwards no loop is marked `unroll`; the statements remember the loop that they came from.
    """

    if unrolled_nodes(body) > MAX_NODES:
        raise _too_much(body)

    def loop(n: For) -> Stmt:
        inner = rewrite(n.body)
        if n.kind is not ForKind.UNROLLED:
            return n if inner is n.body else replace(n, body=inner)
        inner = without_loop(inner, n.origin)
        return seq(
            *[substitute(inner, {n.var: ops.add(n.min, const(i, n.var.dtype))}) for i in range(_count(n))]
        )

    rewrite: Callable[[Stmt], Stmt] = rewriter({For: loop})
    return rewrite(body)


def unrolled_nodes(s: Stmt) -> int:
    """How many nodes of IR `s` has when the loops in it that are marked `unroll` are written out. Where they are
    more than MAX_NODES, some number beyond."""
    if isinstance(s, For) and s.kind is ForKind.UNROLLED:
        return _count(s) * unrolled_nodes(s.body)
    size = 1 + 3 * _lanes_apart(s)
    for c in s.children():
        size += unrolled_nodes(c) if isinstance(c, Stmt) else _nodes(c)
    return size


def _nodes(e: Node) -> int:
    """The nodes of an expression. Lanes that are loaded or stored one by one take three instructions each."""
    return sum(1 + 3 * _lanes_apart(n) for n in islice(walk(e), MAX_NODES))


def _lanes_apart(n: Node) -> int:
    if not isinstance(n, BufferLoad | BufferStore):
        return 0
    lanes = max((i.dtype.lanes for i in n.indices), default=1)
    return 0 if lanes == 1 or is_contiguous(n.indices[-1]) else lanes


def _too_much(body: Stmt) -> LowerError:
    """The error that names the loop which makes the most of it."""
    loops = [n for n in walk(body) if isinstance(n, For) and n.kind is ForKind.UNROLLED]
    sizes = {id(n): unrolled_nodes(n) for n in loops}
    largest = max(loops, key=lambda n: sizes[id(n)])
    around = [n for n in loops if n is largest or any(x is largest for x in walk(n.body))]
    names = " and ".join(f"{n.var.name} ({const_int(n.extent)} iterations)" for n in around)
    return LowerError(
        f"unroll: loop {names} would become about {sizes[id(largest)]:,} nodes of IR, more than {MAX_NODES:,}",
        hint=f"split {largest.var.name}, and unroll the inner loop",
        span=largest.origin.span if largest.origin else None,
    )


def _count(n: For) -> int:
    extent = const_int(n.extent)
    if extent is None:
        raise LowerError(
            f"unroll: loop {n.var.name} has an extent that is not constant, {n.extent!r}",
            hint="split it by a constant and unroll the inner loop",
            span=n.origin.span if n.origin else None,
        )
    return extent
