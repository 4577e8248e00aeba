"""Minimum and maximum of two expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tewb.arith.rules.declare import rule
from tewb.arith.rules.differences import Difference, difference
from tewb.ir import Expr, Max, Min

if TYPE_CHECKING:
    from tewb.arith.analyzer import Analyzer


@rule(Min, Max)
def extreme_of_one_term(e: Any, facts: Analyzer) -> Expr | None:
    """min(x, x)  ->  x     and max likewise"""
    return e.a if e.a is e.b else None


@rule(Min, Max, given=difference)
def order_of_min_and_max(d: Difference, facts: Analyzer) -> Expr | None:
    """min(a, b)  ->  a     when a <= b is certain; max likewise"""
    e = d.e
    if d.high is not None and d.high <= 0:  # a <= b
        return e.a if isinstance(e, Min) else e.b
    if d.low is not None and d.low >= 0:
        return e.b if isinstance(e, Min) else e.a
    return None
