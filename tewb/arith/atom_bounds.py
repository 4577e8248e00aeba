"""Bounds of the atoms of sums: variables, quotients, remainders, choices, conversions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tewb.arith.const_ranges import UNKNOWN, Bounds, hull, quotient
from tewb.ir import (
    BufferLoad,
    Call,
    Cast,
    Div,
    Expr,
    FloorDiv,
    FloorMod,
    Let,
    Max,
    Min,
    Mod,
    ProducerLoad,
    Select,
    Var,
)

if TYPE_CHECKING:
    from tewb.arith.analyzer import Analyzer


def atom_bounds(facts: Analyzer, e: Expr) -> Bounds:
    """Constant bounds of an atom of a sum, which is no sum itself."""
    if isinstance(e, Var):
        return facts.ranges.get(e, UNKNOWN)
    match e:
        case FloorDiv(a, b) | Div(a, b):
            return quotient(facts.const_bounds(a), facts.const_bounds(b))
        case FloorMod(a, b) | Mod(a, b):
            return _remainder_bounds(e, facts.const_bounds(a), facts.const_bounds(b))
        case Min(a, b):
            (p, q), (r, s) = facts.const_bounds(a), facts.const_bounds(b)
            low = None if p is None or r is None else min(p, r)
            return low, min((x for x in (q, s) if x is not None), default=None)
        case Max(a, b):
            (p, q), (r, s) = facts.const_bounds(a), facts.const_bounds(b)
            high = None if q is None or s is None else max(q, s)
            return max((x for x in (p, r) if x is not None), default=None), high
        case Select(_, a, b) | Call("if_then_else", (_, a, b)):
            return hull(facts.const_bounds(a), facts.const_bounds(b))
        case Cast(a) if a.dtype.is_int and e.dtype.is_int:
            lo, hi = facts.const_bounds(a)
            least, most = e.dtype.min_value(), e.dtype.max_value()
            fits = lo is not None and hi is not None and least <= lo and hi <= most
            widens = e.dtype.bits >= a.dtype.bits and a.dtype.kind == e.dtype.kind
            return (lo, hi) if fits or widens else UNKNOWN
        case Cast(a) if a.dtype.is_bool:
            return 0, 1
        case Let(_, _, body):
            return facts.const_bounds(body)
        case BufferLoad() | ProducerLoad() if e.dtype.bits < 32:
            return e.dtype.min_value(), e.dtype.max_value()
    return UNKNOWN


def _remainder_bounds(e: Expr, a: Bounds, b: Bounds) -> Bounds:
    if b[0] is None or b[0] <= 0:
        return UNKNOWN
    high = None if b[1] is None else b[1] - 1
    if isinstance(e, FloorMod):
        if a[0] is not None and a[0] >= 0 and a[1] is not None:
            high = a[1] if high is None else min(high, a[1])
        return 0, high
    low = 0 if a[0] is not None and a[0] >= 0 else (None if high is None else -high)
    return low, high
