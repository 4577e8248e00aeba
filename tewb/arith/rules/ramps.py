"""Vectors whose lanes grow evenly: sums, products, quotients, remainders and comparisons of ramps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tewb.arith.comparisons import decided
from tewb.arith.const_ranges import UNKNOWN, Bounds
from tewb.arith.rules.conditions import are_exact, is_index_type
from tewb.arith.rules.declare import rule
from tewb.ir import (
    EQ,
    GE,
    GT,
    LE,
    LT,
    NE,
    Add,
    Broadcast,
    Expr,
    FloorDiv,
    FloorMod,
    IntImm,
    Mul,
    Ramp,
    Sub,
    const,
    ops,
)

if TYPE_CHECKING:
    from tewb.arith.analyzer import Analyzer


def _of_indices(e: Any, facts: Analyzer) -> Any:
    """The node, when its operands are of an index type and read no data."""
    data = facts.reads_data
    return e if is_index_type(e.a) and not (data(e.a) or data(e.b)) else None


def _of_exact_indices(e: Any, facts: Analyzer) -> Any:
    """The node, when its operands do not wrap either."""
    return e if _of_indices(e, facts) is not None and are_exact(e.a, e.b, facts) else None


@rule(Add, Sub, given=_of_indices, lanes=True)
def sum_of_ramps(e: Any, facts: Analyzer) -> Expr | None:
    """ramp(x, s) + broadcast(y)  ->  ramp(x + y, s)     and ramp(x, s) + ramp(y, t) -> ramp(x + y, s + t)"""
    match e.a, e.b:
        case Ramp(x, s, n), Broadcast(y):
            return ops.ramp(ops.add(x, y) if isinstance(e, Add) else ops.sub(x, y), s, n)
        case Broadcast(y), Ramp(x, s, n) if isinstance(e, Add):
            return ops.ramp(ops.add(y, x), s, n)
        case Ramp(x, s, n), Ramp(y, t, _) if isinstance(e, Add):
            return ops.ramp(ops.add(x, y), ops.add(s, t), n)
    return None


@rule(Mul, given=_of_indices, lanes=True)
def product_of_a_ramp(e: Any, facts: Analyzer) -> Expr | None:
    """ramp(x, s) * broadcast(y)  ->  ramp(x*y, s*y)"""
    match e.a, e.b:
        case Ramp(x, s, n), Broadcast(y):
            return ops.ramp(ops.mul(x, y), ops.mul(s, y), n)
        case Broadcast(y), Ramp(x, s, n):
            return ops.ramp(ops.mul(y, x), ops.mul(y, s), n)
    return None


@rule(FloorDiv, given=_of_exact_indices, lanes=True)
def quotient_of_even_steps(e: FloorDiv, facts: Analyzer) -> Expr | None:
    """ramp(x, s*c) // broadcast(c)  ->  ramp(x // c, s)     when c > 0 and the ramp does not wrap"""
    match e.a, e.b:
        case Ramp(x, IntImm(step) as s, n), Broadcast(IntImm(c)) if c > 0 and step % c == 0:
            return ops.ramp(ops.floordiv(x, c), const(step // c, s.dtype), n)
    return None


@rule(FloorDiv, given=_of_exact_indices, lanes=True)
def quotient_of_all_lanes(e: FloorDiv, facts: Analyzer) -> Expr | None:
    """ramp(x, s) // broadcast(c)  ->  broadcast(x // c)     when c > 0 and the last lane has that quotient too"""
    shared = _one_quotient(e, facts)
    return None if shared is None else ops.broadcast(shared, e.dtype.lanes)


@rule(FloorMod, given=_of_exact_indices, lanes=True)
def remainder_of_even_steps(e: FloorMod, facts: Analyzer) -> Expr | None:
    """ramp(x, s*c) % broadcast(c)  ->  broadcast(x % c)     when c > 0 and the ramp does not wrap"""
    match e.a, e.b:
        case Ramp(x, IntImm(step), n), Broadcast(IntImm(c)) if c > 0 and step % c == 0:
            return ops.broadcast(ops.floormod(x, c), n)
    return None


@rule(FloorMod, given=_of_exact_indices, lanes=True)
def remainder_of_one_quotient(e: FloorMod, facts: Analyzer) -> Expr | None:
    """ramp(x, s) % broadcast(c)  ->  ramp(x - x // c * c, s)     when c > 0 and all lanes have that quotient"""
    shared = _one_quotient(e, facts)
    match e.a, e.b:
        case Ramp(x, s, n), Broadcast(c) if shared is not None:
            return ops.ramp(ops.sub(x, ops.mul(shared, c)), s, n)
    return None


def _one_quotient(e: Any, facts: Analyzer) -> Expr | None:
    """The quotient by a number that all lanes of a ramp share, if they share one."""
    match e.a, e.b:
        case Ramp(x, s, n), Broadcast(IntImm(c)) if c > 0:
            end = facts.simplify(ops.add(x, ops.mul(s, const(n - 1, s.dtype))))
            if not facts.is_exact(end):
                return None
            first, last = (facts.simplify(ops.floordiv(lane, c)) for lane in (x, end))
            return first if facts.keys(first) == facts.keys(last) else None
    return None


@rule(EQ, NE, LT, LE, GT, GE, given=_of_exact_indices, lanes=True)
def comparison_of_all_lanes(e: Any, facts: Analyzer) -> Expr | None:
    """ramp(x, s) < broadcast(y)  ->  broadcast(True)     when the first and the last lane are less; likewise False"""
    verdict = decided(type(e), *_lanes_difference(e.a, e.b, facts))
    return None if verdict is None else ops.broadcast(ops.const(verdict), e.a.dtype.lanes)


def _lanes_difference(a: Expr, b: Expr, facts: Analyzer) -> Bounds:
    """Bounds of a - b in all lanes: those of the first and of the last."""
    ends: list[Bounds] = []
    for number in (0, a.dtype.lanes - 1):
        x, y = facts.lane(a, number), facts.lane(b, number)
        if x is None or y is None:
            return UNKNOWN
        ends.append(facts.linear_bounds(x.add(y, -1)))
    (p, q), (r, s) = ends
    return None if p is None or r is None else min(p, r), None if q is None or s is None else max(q, s)
