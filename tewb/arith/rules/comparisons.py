"""Comparisons: assumed ones, those that bounds decide, and comparisons with a number."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING, Any

from tewb.arith.comparisons import decided
from tewb.arith.linear import Linear
from tewb.arith.rules.conditions import stays
from tewb.arith.rules.declare import rule
from tewb.arith.rules.differences import Difference, difference
from tewb.ir import EQ, GE, GT, LE, LT, NE, Expr, IntImm, Var, const, ops

if TYPE_CHECKING:
    from tewb.arith.analyzer import Analyzer


@rule(EQ, NE, LT, LE, GT, GE, whole=True)
def assumed_comparison(e: Any, facts: Analyzer) -> Expr | None:
    """a < b  ->  True     when a condition around it, or an assertion before it, says so"""
    return ops.const(True) if facts.known_true and facts.keys(e) in facts.known_true else None


@rule(EQ, NE, LT, LE, GT, GE, given=difference)
def comparison_by_bounds(d: Difference, facts: Analyzer) -> Expr | None:
    """a < b  ->  True     when a - b is never more than -1; the other comparisons likewise, and False"""
    verdict = decided(type(d.e), d.low, d.high)
    return None if verdict is None else ops.const(verdict)


@rule(EQ, NE, given=difference)
def equation_without_solution(d: Difference, facts: Analyzer) -> Expr | None:
    """x*c + k == d  ->  False     when c does not divide d - k"""
    if not _is_with_number(d):
        return None
    return ops.const(isinstance(d.e, NE)) if d.terms.const % _common_factor(d) else None


@rule(EQ, NE, LT, LE, GT, GE, given=difference)
def comparison_with_a_number(d: Difference, facts: Analyzer) -> Expr | None:
    """x*c + k < d  ->  x < (d - k) / c     rounded the way that keeps the meaning; x does not wrap"""
    if not _is_with_number(d):
        return None
    a, s, common = d.e.a, d.terms, _common_factor(d)
    limit = -s.const
    if common == 1 and limit == d.e.b.value:
        return None
    limit = -(-limit // common) if isinstance(d.e, LT | GE) else limit // common
    left = Linear(0, s.terms).divided(common)
    if not (a.dtype.min_value() <= limit <= a.dtype.max_value() and stays(left, a, facts)):
        return None
    return type(d.e)(facts.canonical(left, a.dtype), const(limit, a.dtype), d.e.dtype)  # type: ignore[no-any-return]


def _is_with_number(d: Difference) -> bool:
    """Whether a sum is compared with a number."""
    return isinstance(d.e.b, IntImm) and not isinstance(d.e.a, Var)


def _common_factor(d: Difference) -> int:
    return gcd(*[t.coeff for t in d.terms.terms.values()])
