"""Hoisting: memory that every iteration of a loop needs is allocated once, around the loop."""

from __future__ import annotations

from typing import Any

from tewb.ir import GRAIN, Allocate, AttrStmt, For, ForKind, Seq, Stmt, Var, replace, rewriter, seq, uses
from tewb.lowering.rewrite_storage import peak_bytes

SMALL = 4 << 10  # bytes that live on the stack: keeping them longer costs nothing


def hoist_allocations(body: Stmt) -> Stmt:
    """Move allocations out of the serial loops whose iterations hold them to their end.

        for i in 100:                              with T.allocate(B):
            A[i] = i                                   for i in 100:
            with T.allocate(B): body        ->             A[i] = i
                                                           body

    The iterations of a parallel loop keep their own: code takes it once for each chunk of them (`kept_by_threads`). Allocations whose size depends on the loop stay inside, and so
    do those in a sequence with other allocations, which would then be alive at the same time.
    """

    def loop(n: For) -> Stmt:
        rewritten: Any = n.map_children(rewrite)
        if rewritten.kind is not ForKind.SERIAL:
            return rewritten  # type: ignore[no-any-return]
        taken: list[Allocate] = []
        inner = _without_allocations(rewritten.body, rewritten.var, taken)
        if not taken:
            return rewritten  # type: ignore[no-any-return]
        rewritten = replace(rewritten, body=inner)
        for a in reversed(taken):
            rewritten = replace(a, body=rewritten)
        return rewritten  # type: ignore[no-any-return]

    rewrite: Any = rewriter({For: loop})
    moved: Stmt = rewrite(body)
    return moved


def kept_by_threads(loop: For) -> list[Allocate]:
    """The allocations of an iteration of a parallel loop that the next one on the same thread can use."""
    taken: list[Allocate] = []
    _without_allocations(loop.body, loop.var, taken)
    return taken


def _without_allocations(s: Stmt, loop: Var, taken: list[Allocate]) -> Stmt:
    """The body of `loop` without the allocations that can move out of it, which are added to `taken`."""
    match s:
        case Allocate(b, body):
            fixed = not any(uses(size, [loop]) for size in b.shape)
            if fixed:
                taken.append(s)
            inner = _without_allocations(body, loop, taken)
            return inner if fixed else replace(s, body=inner)
        case AttrStmt(_, key, _, body) if key == GRAIN:
            return replace(s, body=_without_allocations(body, loop, taken))
        case Seq(stmts):
            large = [c for c in stmts if (peak := peak_bytes(c)) is None or peak > SMALL]
            if len(large) == 1:
                return seq(*(_without_allocations(c, loop, taken) if c is large[0] else c for c in stmts))
    return s
