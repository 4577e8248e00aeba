"""Conditions that rules of several families share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tewb.arith.linear import Linear, in_range
from tewb.ir import Expr, ops

if TYPE_CHECKING:
    from tewb.arith.analyzer import Analyzer


def is_index_type(e: Expr) -> bool:
    """Whether `e` is of a dtype that indices have."""
    return e.dtype.kind == "int" and e.dtype.bits >= 32


def are_exact(a: Expr, b: Expr, facts: Analyzer) -> bool:
    """Whether both are indices that do not wrap, so that they can be ordered and divided as integers."""
    return is_index_type(a) and facts.is_exact(a) and facts.is_exact(b)


def stays(s: Linear, e: Expr, facts: Analyzer) -> bool:
    """Whether a sum of terms of `e` does not wrap either; for an index, as far as is known."""
    if facts.may_wrap(e):
        return facts.fits(s, e.dtype)
    lo, hi = facts.linear_bounds(s)
    return (
        in_range(s, e.dtype)
        and (lo is None or lo >= e.dtype.min_value())
        and (hi is None or hi <= e.dtype.max_value())
    )


def is_below(y: Expr, n: Expr, facts: Analyzer) -> bool:
    """Whether 0 <= y < n is certain."""
    return facts.can_prove(ops.greater_equal(y, 0)) and facts.can_prove(ops.less(y, n))
