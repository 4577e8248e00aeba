"""Remainders of floor division: of sums by a number or by a symbol, and of remainders."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING

from tewb.arith.const_ranges import Bound
from tewb.arith.linear import Linear
from tewb.arith.rules.conditions import are_exact, is_below, stays
from tewb.arith.rules.declare import rule
from tewb.arith.rules.symbolic_divisors import SymbolicDivision, by_symbol
from tewb.ir import Expr, FloorMod, IntImm, Mul, const

if TYPE_CHECKING:
    from tewb.arith.analyzer import Analyzer


@rule(FloorMod)
def remainder_by_one(e: FloorMod, facts: Analyzer) -> Expr | None:
    """x % 1  ->  0"""
    return const(0, e.dtype) if e.b.__class__ is IntImm and e.b.value == 1 else None


@dataclass(slots=True)
class _Remainder:
    """a % c for a number c > 0, where a, a multiple of c plus a rest, does not wrap; the bounds of the rest."""

    a: Expr
    c: int
    terms: Linear  # of a
    rest: Linear
    low: Bound
    high: Bound


def _remainder_by_number(e: FloorMod, facts: Analyzer) -> _Remainder | None:
    if not (isinstance(e.b, IntImm) and e.b.value > 0 and are_exact(e.a, e.b, facts)):
        return None
    c, s = e.b.value, facts.linear.of(e.a)
    # Other coefficients stay, so that (x // c)*c + x % c still finds its x.
    rest = Linear(s.const % c, {key: t for key, t in s.terms.items() if t.coeff % c})
    return _Remainder(e.a, c, s, rest, *facts.linear_bounds(rest))


def _remainder_of(rest: Linear, r: _Remainder, facts: Analyzer) -> Expr:
    return FloorMod(facts.canonical(rest, r.a.dtype), const(r.c, r.a.dtype), r.a.dtype)


@rule(FloorMod, given=_remainder_by_number)
def remainder_of_a_remainder(r: _Remainder, facts: Analyzer) -> Expr | None:
    """((x % m)*k + y) % c  ->  (x*k + y) % c     when m > 0, c divides m*k, and x does not wrap"""
    rest = Linear(r.rest.const)
    for key, t in r.rest.terms.items():
        match t.atoms:
            case (FloorMod(x, IntImm(m)),) if m > 0 and (m * t.coeff) % r.c == 0 and facts.is_exact(x):
                rest.add(facts.linear.of(x), t.coeff)
            case _:
                rest.add_term(key, t.atoms, t.coeff)
    if rest.terms == r.rest.terms:
        return None
    rest.const %= r.c
    return _remainder_of(rest, r, facts) if stays(rest, r.a, facts) else None


@rule(FloorMod, given=_remainder_by_number)
def remainder_of_a_bounded_rest(r: _Remainder, facts: Analyzer) -> Expr | None:
    """(x*c + r) % c  ->  r - k*c     when r // c is the number k for all that r can be"""
    if r.low is None or r.high is None or r.low // r.c != r.high // r.c:
        return None
    return facts.canonical(Linear(r.rest.const - r.low // r.c * r.c, r.rest.terms), r.a.dtype)


@rule(FloorMod, given=_remainder_by_number)
def remainder_of_multiples(r: _Remainder, facts: Analyzer) -> Expr | None:
    """(x*c + r) % c  ->  r % c     when r does not wrap"""
    if len(r.rest.terms) == len(r.terms.terms) and r.rest.const == r.terms.const:
        return None
    return _remainder_of(r.rest, r, facts) if stays(r.rest, r.a, facts) else None


@rule(FloorMod, given=_remainder_by_number)
def common_factor_of_a_remainder(r: _Remainder, facts: Analyzer) -> Expr | None:
    """(x*g) % (d*g)  ->  (x % d)*g     when g > 1"""
    common = gcd(r.c, r.rest.const, *[t.coeff for t in r.rest.terms.values()])
    if not 1 < common < r.c or not stays(r.rest, r.a, facts):
        return None
    dtype = r.a.dtype
    x = facts.canonical(r.rest.divided(common), dtype)
    return Mul(FloorMod(x, const(r.c // common, dtype), dtype), const(common, dtype), dtype)


@rule(FloorMod, given=by_symbol)
def remainder_by_a_symbol(r: SymbolicDivision, facts: Analyzer) -> Expr | None:
    """(x*n + y) % n  ->  y     when 0 <= y < n"""
    return r.rest if is_below(r.rest, r.n, facts) else None


@rule(FloorMod, given=by_symbol)
def remainder_of_multiples_of_a_symbol(r: SymbolicDivision, facts: Analyzer) -> Expr | None:
    """(x*n + y) % n  ->  y % n     when y does not wrap; both are 0 where n is"""
    return FloorMod(r.rest, r.n, r.a.dtype) if r.has_multiples else None
