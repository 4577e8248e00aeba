"""Bounds of canonical sums, from the bounds of their terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tewb.arith.atom_bounds import atom_bounds
from tewb.arith.const_ranges import Bound, Bounds, times
from tewb.arith.linear import Linear, Term
from tewb.base import DType
from tewb.ir import Add, Expr, FloorDiv, FloorMod, IntImm, Var, const

if TYPE_CHECKING:
    from tewb.arith.analyzer import Analyzer


def sum_bounds(facts: Analyzer, s: Linear, dtype: DType | None) -> Bounds:
    """Constant bounds of a sum from those of its terms. With the `dtype` of these, its range bounds the terms that
    nothing else is known of."""
    s = _with_remainders(facts, s)
    lo: Bound = s.const
    hi: Bound = s.const
    for t in s.terms.values():
        low, high = _product_bounds(facts, t, dtype)
        if t.coeff < 0:
            low, high = high, low
        lo = None if lo is None or low is None else lo + t.coeff * low
        hi = None if hi is None or high is None else hi + t.coeff * high
    return lo, hi


def _product_bounds(facts: Analyzer, t: Term, dtype: DType | None) -> Bounds:
    bounds = _within(facts, t.atoms[0], dtype)
    for a in t.atoms[1:]:
        bounds = times(bounds, _within(facts, a, dtype))
    return bounds


def _within(facts: Analyzer, e: Expr, dtype: DType | None) -> Bounds:
    """Bounds of an atom; with a `dtype`, those of its range where nothing else is known."""
    lo, hi = atom_bounds(facts, e)
    if dtype is None or (lo is not None and hi is not None):
        return lo, hi
    return dtype.min_value() if lo is None else lo, _reach(facts, e, dtype) if hi is None else hi


def _reach(facts: Analyzer, e: Expr, dtype: DType) -> int:
    """An upper bound of an atom, since sizes have a largest value: that of a loop over n is n - 1, and that of a loop
    over (n + 7) // 8 is about an eighth of it."""
    most = None
    match e:
        # A fact such as i == n leads from i to n - 1 and back to i.
        case Var() if (
            e not in facts.reaching and (last := facts.symbolic.get(e, (None, None))[1]) is not None
        ):
            before, facts.wraps = facts.wraps, False
            facts.reaching.add(e)
            most = facts.linear_bounds(facts.linear.of(last), dtype)[1]
            facts.reaching.discard(e)
            facts.wraps = before
        case FloorDiv(a, IntImm(c)) if c > 0 and not facts.may_wrap(a):
            most = facts.linear_bounds(facts.linear.of(a), dtype)[1]
            most = None if most is None else most // c
    return dtype.max_value() if most is None else min(most, dtype.max_value())


def _with_remainders(facts: Analyzer, s: Linear) -> Linear:
    """(n // c)*c*k - n*k is -(n % c)*k: written so, it is bounded when n is not. ((n + d) // c)*c*k - n*k is likewise
    d*k - ((n + d) % c)*k, if n + d does not wrap."""
    for key, t in s.terms.items():
        match t.atoms:
            case (FloorDiv(Var() as n, IntImm(c)),) if c > 0 and t.coeff % c == 0:
                dividend, more = n, 0
            case (FloorDiv(Add(Var() as n, IntImm(more)) as dividend, IntImm(c)),) if (
                c > 0 and t.coeff % c == 0
            ):
                pass
            case _:
                continue
        other = s.terms.get((id(n),))
        if other is not None and other.coeff == -t.coeff // c and facts.is_exact(dividend):
            rounded = s.copy()
            del rounded.terms[key]
            del rounded.terms[(id(n),)]
            atom = FloorMod(dividend, const(c, n.dtype), n.dtype)
            rounded.add_term((("rounded", id(n), more, c),), (atom,), other.coeff)
            rounded.const -= other.coeff * more
            return rounded
    return s
