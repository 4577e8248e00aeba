"""Facts that follow from a condition: sums that are at most 0, and narrower ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tewb.arith.comparisons import as_nonpositive, negated
from tewb.arith.const_ranges import UNKNOWN
from tewb.arith.linear import Linear
from tewb.ir import GE, GT, LE, LT, And, Call, Expr, Not, Or, Var, conjuncts, disjuncts, ops

if TYPE_CHECKING:
    from tewb.arith.analyzer import Analyzer


def learn(facts: Analyzer, cond: Expr) -> bool:
    """Remember that `cond` holds, and what follows for integers where neither of its sides wraps. Returns whether
    everything that follows was found."""
    match cond:
        case And():
            return _learn_all(facts, conjuncts(cond))
        case Call("likely", (a,)):
            return _learn_of_indices(facts, a)
        case Not(Or() as either):
            return _learn_all(facts, [ops.logical_not(c) for c in disjuncts(either)])
        case Not(Call("likely", (a,))):
            return _learn_of_indices(facts, ops.logical_not(a))
        case Not(a):
            opposite = negated(a)
            return opposite is None or learn(facts, opposite)
    if cond.dtype.lanes > 1:
        return True
    facts.known_true.add(facts.keys(cond))
    wanted = [facts.linear.of(below) for below in as_nonpositive(cond)]
    if wanted and not (facts.is_exact(cond.a) and facts.is_exact(cond.b)):  # type: ignore[attr-defined]
        end = _within_one_turn(facts, cond)
        if end is None:
            return False
        wanted.append(end)
    for fact in wanted:
        facts.known_sums.add(fact)
        _tighten(facts, fact)
    return True


def _learn_all(facts: Analyzer, terms: list[Expr]) -> bool:
    """Remember that all of `terms` hold. One may imply that another does not wrap."""
    later = [c for c in terms if not learn(facts, c)]
    return len(later) < len(terms) and all([learn(facts, c) for c in later])


def _learn_of_indices(facts: Analyzer, cond: Expr) -> bool:
    before, facts.wraps = facts.wraps, False
    is_all = learn(facts, cond)
    facts.wraps = before
    return is_all


def _within_one_turn(facts: Analyzer, cond: Expr) -> Linear | None:
    """A sum that is at most 0 because x does not wrap, where lower <= x implies that: if it wrapped, it would be below
    every value of `lower`. An example for i from 0 on is i*2 >= 1, since i*2 is negative once it wraps. Likewise for
    x <= upper. None when the comparison may hold although x wraps."""
    match cond:
        case LE(a, b) | GE(b, a) if facts.is_exact(a):  # a <= b
            x, other, is_lower = b, a, True
        case LE(a, b) | GE(b, a) if facts.is_exact(b):
            x, other, is_lower = a, b, False
        case LT(a, b) | GT(b, a) if facts.is_exact(a):
            x, other, is_lower = b, a, True
        case LT(a, b) | GT(b, a) if facts.is_exact(b):
            x, other, is_lower = a, b, False
        case _:
            return None
    d, s, t = x.dtype, facts.linear.of(x), facts.linear.of(other)
    (least, most), (low, high) = facts.linear_bounds(s, d), facts.linear_bounds(t, d)
    if least is None or most is None or low is None or high is None:
        return None
    turn = 1 << d.bits
    if is_lower and least >= d.min_value() and most - turn < low:
        return s.add(Linear(-d.max_value()))
    if not is_lower and most <= d.max_value() and least + turn > high:
        return Linear(d.min_value()).add(s, -1)
    return None


def _tighten(facts: Analyzer, fact: Linear) -> None:
    """A fact about one variable, c*v + k <= 0, narrows its range."""
    if len(fact.terms) != 1:
        return
    (t,) = fact.terms.values()
    if len(t.atoms) != 1 or not isinstance(t.atoms[0], Var):
        return
    v = t.atoms[0]
    lo, hi = facts.ranges.get(v, UNKNOWN)
    if t.coeff > 0:
        limit = -fact.const // t.coeff
        hi = limit if hi is None else min(hi, limit)
    else:
        limit = -(-fact.const // -t.coeff)
        lo = limit if lo is None else max(lo, limit)
    facts.ranges[v] = (lo, hi)
