"""An expression as it is in some blocks: what is decided there has only the side that is taken.

    B[i] = if_then_else(i >= 1, A[i - 1], 0)      ->      B[i] = A[i - 1]      in blocks that begin after 0

So a block inside of a padded array has no padding, and is the program of all others inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tewb.arith import Analyzer
from tewb.ir import (
    EQ,
    GE,
    GT,
    LE,
    LT,
    NE,
    And,
    Call,
    Compare,
    Expr,
    FloorMod,
    Max,
    Min,
    Not,
    Or,
    ProducerLoad,
    Select,
    const,
    const_int,
    ops,
    rewriter,
    walk,
)


def reads(exprs: Sequence[Expr]) -> Iterator[ProducerLoad]:
    """All reads of elements, in order."""
    return (n for e in exprs for n in walk(e) if isinstance(n, ProducerLoad))


def _reads_elements(*exprs: Expr) -> bool:
    return next(reads(exprs), None) is not None


def decider(here: Analyzer) -> Callable[[Expr], Expr]:
    """The function that rewrites expressions by what `here` knows of their variables."""

    def holds(condition: Expr) -> bool:
        with here.values():  # which may wrap
            return here.can_prove(condition)

    def side(n: Expr) -> Expr:
        cond, then, other = rewrite(n.children()[0]), n.children()[1], n.children()[2]
        if const_int(cond) is not None:
            taken = then if const_int(cond) else other
            return rewrite(taken)
        made: Callable[..., Expr] = ops.select if isinstance(n, Select) else ops.if_then_else
        return made(cond, rewrite(then), rewrite(other))

    def call(n: Call) -> Expr:
        return side(n) if n.op == "if_then_else" else n.map_children(rewrite)

    def compare(n: Compare) -> Expr:
        rewritten = n.map_children(rewrite)
        if not n.a.dtype.is_int or _reads_elements(rewritten):
            return rewritten
        if holds(rewritten):
            return const(True, n.dtype)
        return const(False, n.dtype) if holds(ops.logical_not(rewritten)) else rewritten

    def smaller(n: Min | Max) -> Expr:
        a, b = rewrite(n.a), rewrite(n.b)
        if n.dtype.is_int and not _reads_elements(a, b):
            if holds(ops.less_equal(a, b)):
                return a if isinstance(n, Min) else b
            if holds(ops.less_equal(b, a)):
                return b if isinstance(n, Min) else a
        return n.map_children(rewrite)

    def remainder(n: FloorMod) -> Expr:
        a, b = rewrite(n.a), rewrite(n.b)
        if const_int(b) and not _reads_elements(a):
            with here.values():
                low, high = here.const_bounds(a)
            period = const_int(b) or 1
            if low is not None and high is not None and period > 0 and low // period == high // period:
                return ops.sub(a, const(low // period * period, a.dtype))
        return ops.floormod(a, b)

    rules: dict[Any, Any] = dict.fromkeys((EQ, NE, LT, LE, GT, GE), compare)
    rules |= {Select: side, Call: call, Min: smaller, Max: smaller, FloorMod: remainder}
    rules |= {
        And: lambda n: ops.logical_and(rewrite(n.a), rewrite(n.b)),
        Or: lambda n: ops.logical_or(rewrite(n.a), rewrite(n.b)),
        Not: lambda n: ops.logical_not(rewrite(n.a)),
    }
    rewrite: Callable[[Expr], Expr] = rewriter(rules)
    return rewrite
