"""Grains: what a step said of the tasks of a parallel loop is stated inside of the loop, where code generation finds it."""

from __future__ import annotations

from collections.abc import Callable

from tewb.base import INT64
from tewb.ir import GRAIN, AttrStmt, For, IterVar, Stmt, const, replace, rewriter
from tewb.schedule import Stage


def state_grain(stage: Stage, iv: IterVar, body: Stmt) -> Stmt:
    """The body of a loop, with its grain where it has one.

    for i in T.parallel(n): S    ->    for i in T.parallel(n):
                                           with T.attr(0, "tewb.grain", T.int64(4)): S
    """
    grain = stage.grains.get(iv)
    if grain is None:
        return body
    return AttrStmt(const(0), GRAIN, const(grain, INT64), body, stage.origin(iv))


def state_grains(stage: Stage, body: Stmt) -> Stmt:
    """The loops of a hybrid function with the grains of those that have one."""
    loops = {iv.var: iv for iv in stage.grains}
    if not loops:
        return body

    def loop(n: For) -> Stmt:
        rewritten: For = n.map_children(rewrite)
        iv = loops.get(n.var)
        return rewritten if iv is None else replace(rewritten, body=state_grain(stage, iv, rewritten.body))

    rewrite: Callable[[Stmt], Stmt] = rewriter({For: loop})
    return rewrite(body)
