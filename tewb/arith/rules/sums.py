"""Sums, differences and products of indices in canonical form, and sums with 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tewb.arith.linear import Linear, in_range
from tewb.arith.rules.conditions import is_index_type
from tewb.arith.rules.declare import rule
from tewb.ir import Add, Expr, Mul, Sub, ops

if TYPE_CHECKING:
    from tewb.arith.analyzer import Analyzer


@dataclass(slots=True)
class _Sum:
    """A node, its canonical sum, and whether a quotient in it was joined with its remainder."""

    e: Expr
    terms: Linear
    is_joined: bool


def _as_sum(e: Expr, facts: Analyzer) -> _Sum | None:
    """The canonical sum of a node; None where it is not of an index type, and for an index whose numbers are out of
    range: modulo 2**bits it would be another index."""
    if not is_index_type(e):
        return None
    terms, is_joined = facts.linear.joined(e)
    return _Sum(e, terms, is_joined) if facts.wraps or in_range(terms, e.dtype) else None


def _canonical(s: _Sum, facts: Analyzer) -> Expr:
    simple = facts.canonical(s.terms, s.e.dtype)
    return s.e if facts.keys(simple) == facts.keys(s.e) else simple


@rule(Add, Sub, Mul, given=_as_sum, whole=True)
def quotient_and_remainder(s: _Sum, facts: Analyzer) -> Expr | None:
    """(x // c)*c*k + (x % c)*k  ->  x*k     when c is not 0 and x does not wrap"""
    return _canonical(s, facts) if s.is_joined else None


@rule(Add, Sub, Mul, given=_as_sum, whole=True)
def canonical_sum(s: _Sum, facts: Analyzer) -> Expr | None:
    """(x + y + 2)*3 - x  ->  x*2 + y*3 + 6     sums in one order, equal terms joined"""
    return _canonical(s, facts)


@rule(Add, Sub)
def sum_with_zero(e: Any, facts: Analyzer) -> Expr | None:
    """x + 0  ->  x     of integers: -0.0 + 0.0 is 0.0"""
    if not e.dtype.is_int:
        return None
    if ops.is_const(e.b, 0):
        return e.a  # type: ignore[no-any-return]
    return e.b if isinstance(e, Add) and ops.is_const(e.a, 0) else None
