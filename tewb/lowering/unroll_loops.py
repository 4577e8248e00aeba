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
    substitute_each,
    walk,
    walk_statements,
    without_loop,
)

MAX_NODES = 60_000  # IR nodes of the unrolled loops of a function: these take LLVM 2 to 12 s

LOOP = 30  # nodes that a loop in an unrolled one counts as: LLVM takes long for hundreds of loops


def unroll_loops(body: Stmt) -> Stmt:
    """Replace every loop marked `unroll` by its iterations in sequence.

        for i in 3 (unroll):  A[i] = 0      ->      A[0] = 0; A[1] = 0; A[2] = 0

    Requires constant extents (`check_unrolled`). Afterwards no loop is marked `unroll`; the statements remember
    the loop that they came from.
    """

    def loop(n: For) -> Stmt:
        inner = rewrite(n.body)
        if n.kind is not ForKind.UNROLLED:
            return n if inner is n.body else replace(n, body=inner)
        inner = without_loop(inner, n.origin)
        values = [ops.add(n.min, const(i, n.var.dtype)) for i in range(_count(n))]
        return seq(*substitute_each(inner, n.var, values))

    rewrite: Callable[[Stmt], Stmt] = rewriter({For: loop})
    return rewrite(body)


def check_unrolled(body: Stmt) -> None:
    """Raise LowerError for a loop marked `unroll` whose extent is not constant, or when all such loops of a function
    would become more than MAX_NODES nodes."""
    loops = _outermost(body)
    sizes = [unrolled_nodes(n) for n in loops]
    if sum(sizes) <= MAX_NODES:
        return
    largest = max(sizes)
    n = loops[sizes.index(largest)]
    inside = [x for x in walk_statements(n) if isinstance(x, For) and x.kind is ForKind.UNROLLED]
    names = " and ".join(f"{x.var.name} ({const_int(x.extent)} iterations)" for x in inside)
    others = f", and {len(loops) - 1} others {sum(sizes) - largest:,}" if largest < sum(sizes) else ""
    raise LowerError(
        f"unroll: {names} would become about {largest:,} nodes of IR{others}: more than {MAX_NODES:,} in all",
        hint=f"split {inside[-1].var.name}, and unroll the inner loop",
        span=n.origin.span if n.origin else None,
    )


def _outermost(s: Stmt) -> list[For]:
    """The loops marked `unroll` that are inside of no other."""
    if isinstance(s, For) and s.kind is ForKind.UNROLLED:
        return [s]
    return [n for c in s.children() if isinstance(c, Stmt) for n in _outermost(c)]


def unrolled_nodes(n: Node) -> int:
    """How many nodes `n` has when the loops in it are unrolled, counted up to MAX_NODES in each expression. Lanes that
    are loaded or stored one by one take three instructions each."""
    if isinstance(n, For) and n.kind is ForKind.UNROLLED:
        return _count(n) * unrolled_nodes(n.body)
    if isinstance(n, Stmt):
        return (
            (LOOP if isinstance(n, For) else 1)
            + 3 * _lanes_apart(n)
            + sum(unrolled_nodes(c) for c in n.children())
        )
    return sum(1 + 3 * _lanes_apart(e) for e in islice(walk(n), MAX_NODES))


def _lanes_apart(n: Node) -> int:
    if not isinstance(n, BufferLoad | BufferStore):
        return 0
    lanes = max((i.dtype.lanes for i in n.indices), default=1)
    return 0 if lanes == 1 or is_contiguous(n.indices[-1]) else lanes


def _count(n: For) -> int:
    extent = const_int(n.extent)
    if extent is None:
        raise LowerError(
            f"unroll: loop {n.var.name} has an extent that is not constant, {n.extent!r}",
            hint="split it by a constant and unroll the inner loop",
            span=n.origin.span if n.origin else None,
        )
    return extent
