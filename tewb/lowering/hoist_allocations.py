"""Hoisting: memory that every iteration of a loop needs is taken once, around the loop."""

from __future__ import annotations

from typing import Any

from tewb.ir import Allocate, For, ForKind, Stmt, replace, rewriter, uses


def hoist_allocations(body: Stmt) -> Stmt:
    """Move allocations out of the serial loops whose whole body they are.

        for i in 100:                          with T.allocate(B):
            with T.allocate(B): body    ->         for i in 100: body

    The iterations of a parallel loop keep their own. Sizes that depend on the loop stay inside.
    """

    def loop(n: For) -> Stmt:
        made: Any = n.map_children(rewrite)
        inner = made.body
        if made.kind is not ForKind.SERIAL or not isinstance(inner, Allocate):
            return made  # type: ignore[no-any-return]
        if any(uses(size, [made.var]) for size in inner.buffer.shape):
            return made  # type: ignore[no-any-return]
        return replace(inner, body=replace(made, body=inner.body))

    rewrite: Any = rewriter({For: loop})
    moved: Stmt = rewrite(body)
    return moved
