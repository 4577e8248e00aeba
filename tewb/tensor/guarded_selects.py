"""Selects that guard what they read: `te.select(i >= 1, A[i - 1], 0)` reads where the condition holds."""

from __future__ import annotations

from typing import Any

from tewb.base import any_depth
from tewb.ir import Call, Expr, Select, everywhere, rewriter, walk
from tewb.tensor.access_check import check_accesses


@any_depth
def with_guarded_selects(op: Any) -> tuple[Expr, ...]:
    """The bodies of a compute, where a select around a read becomes an if_then_else, unless the read is proved to be in
    bounds wherever the select is evaluated. A select whose sides may both be evaluated stays: it needs no branch.

        select(i >= 1, A[i - 1], 0)      ->      if_then_else(i >= 1, A[i - 1], 0)
        select(B[i] > 0, A[i], 0)        stays
    """
    bodies: tuple[Expr, ...] = op.body
    if not any(isinstance(n, Select) for e in bodies for n in walk(e)):
        return bodies
    leaving = {load for load, _, _ in check_accesses(op, refuse=False)}
    is_safe = everywhere(lambda n: n not in leaving)

    def select(n: Select) -> Expr:
        rewritten = n.map_children(rewrite)
        if is_safe(n.then) and is_safe(n.other):
            return rewritten
        return Call("if_then_else", rewritten.children(), n.dtype)

    rewrite = rewriter({Select: select})
    return tuple([rewrite(e) for e in bodies]) if leaving else bodies
