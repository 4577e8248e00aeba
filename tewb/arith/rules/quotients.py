"""Floor division: of sums by a number or by a symbol, and of quotients."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING, Any

from tewb.arith.const_ranges import Bound
from tewb.arith.linear import Linear
from tewb.arith.rules.conditions import are_exact, is_below, stays
from tewb.arith.rules.declare import rule
from tewb.arith.rules.symbolic_divisors import SymbolicDivision, by_symbol
from tewb.ir import Add, Div, Expr, FloorDiv, IntImm, const, ops

if TYPE_CHECKING:
    from tewb.arith.analyzer import Analyzer


@rule(FloorDiv, Div)
def quotient_by_one(e: Any, facts: Analyzer) -> Expr | None:
    """x // 1  ->  x"""
    return e.a if e.b.__class__ is IntImm and e.b.value == 1 else None


@dataclass(slots=True)
class _Quotient:
    """a // c for a number c > 0, where a is whole*c + rest, which does not wrap; the bounds of the rest."""

    a: Expr
    c: int
    whole: Linear
    rest: Linear
    low: Bound
    high: Bound


def _quotient_by_number(e: FloorDiv, facts: Analyzer) -> _Quotient | None:
    if not (isinstance(e.b, IntImm) and e.b.value > 0 and are_exact(e.a, e.b, facts)):
        return None
    c, s = e.b.value, facts.linear.of(e.a)
    whole, rest = Linear(), Linear(s.const)
    for key, t in s.terms.items():
        if t.coeff % c == 0:
            whole.add_term(key, t.atoms, t.coeff // c)
        else:
            rest.add_term(key, t.atoms, t.coeff)
    return _Quotient(e.a, c, whole, rest, *facts.linear_bounds(rest))


@rule(FloorDiv, given=_quotient_by_number)
def quotient_of_a_bounded_rest(q: _Quotient, facts: Analyzer) -> Expr | None:
    """(x*c + r) // c  ->  x + k     when r // c is the number k for all that r can be"""
    if q.low is None or q.high is None or q.low // q.c != q.high // q.c:
        return None
    return facts.canonical(Linear(q.low // q.c, q.whole.terms), q.a.dtype)


@rule(FloorDiv, given=_quotient_by_number)
def quotient_of_multiples(q: _Quotient, facts: Analyzer) -> Expr | None:
    """(x*c + r) // c  ->  x + r // c     when r does not wrap"""
    whole = Linear(q.rest.const // q.c, q.whole.terms)
    rest = Linear(q.rest.const % q.c, q.rest.terms)
    if (whole.is_const and whole.const == 0) or not stays(rest, q.a, facts):
        return None
    dtype = q.a.dtype
    quotient = FloorDiv(facts.canonical(rest, dtype), const(q.c, dtype), dtype)
    return Add(facts.canonical(whole, dtype), quotient, dtype)


@rule(FloorDiv, given=_quotient_by_number)
def common_factor_of_a_quotient(q: _Quotient, facts: Analyzer) -> Expr | None:
    """(x*g + k) // (d*g)  ->  (x + k // g) // d     when g > 1"""
    common = gcd(q.c, *[t.coeff for t in q.rest.terms.values()])
    if common == 1 or q.whole.terms or not stays(q.rest, q.a, facts):
        return None
    return ops.floordiv(facts.canonical(q.rest.divided(common), q.a.dtype), q.c // common)


@rule(FloorDiv, given=_quotient_by_number)
def quotient_of_a_quotient(q: _Quotient, facts: Analyzer) -> Expr | None:
    """(x // a) // b  ->  x // (a*b)     when a, b > 0 and a*b is in the range of the dtype"""
    match q.a:
        case FloorDiv(x, IntImm(a)) if 0 < a <= x.dtype.max_value() // q.c:
            return FloorDiv(x, const(a * q.c, x.dtype), x.dtype)
    return None


@rule(FloorDiv, given=by_symbol)
def quotient_by_a_symbol(q: SymbolicDivision, facts: Analyzer) -> Expr | None:
    """(x*n + y) // n  ->  x     when 0 <= y < n"""
    return facts.canonical(q.whole, q.a.dtype) if is_below(q.rest, q.n, facts) else None


@rule(FloorDiv, given=by_symbol)
def quotient_of_multiples_of_a_symbol(q: SymbolicDivision, facts: Analyzer) -> Expr | None:
    """(x*n + y) // n  ->  x + y // n     when n is not 0 and y does not wrap"""
    if not (q.has_multiples and facts.is_never_zero(q.n)):
        return None
    dtype = q.a.dtype
    return Add(facts.canonical(q.whole, dtype), FloorDiv(q.rest, q.n, dtype), dtype)
