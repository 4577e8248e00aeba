"""Comparisons: their opposites, their equivalents as sums that are at most 0, and how bounds decide them."""

from __future__ import annotations

from tewb.arith.const_ranges import Bound
from tewb.ir import EQ, GE, GT, LE, LT, NE, Add, Call, Expr, IntImm, Not, Sub, ops


def negated(cond: Expr) -> Expr | None:
    """The opposite of a comparison, or None for other conditions. Ordering comparisons of floats have none: with NaN
    neither a < b nor a >= b holds."""
    if isinstance(cond, LT | LE | GT | GE) and cond.a.dtype.is_float:
        return None
    match cond:
        case LT(a, b):
            return ops.greater_equal(a, b)
        case LE(a, b):
            return ops.greater(a, b)
        case GT(a, b):
            return ops.less_equal(a, b)
        case GE(a, b):
            return ops.less(a, b)
        case EQ(a, b):
            return ops.not_equal(a, b)
        case NE(a, b):
            return ops.equal(a, b)
        case Not(a):
            return a
        case Call("likely", (a,)):
            return negated(a)
    return None


def as_nonpositive(cond: Expr) -> list[Expr]:
    """Expressions that are all <= 0 exactly when the integer comparison `cond` holds; [] for others."""
    if not isinstance(cond, LT | LE | GT | GE | EQ):
        return []
    a, b = cond.a, cond.b
    if not a.dtype.is_int or a.dtype.lanes > 1 or a.dtype.kind != "int" or a.dtype.bits < 32:
        return []
    # Bare nodes: the constructors would fold constants, and wrap.
    d = a.dtype
    match cond:
        case LT():
            return [Add(Sub(a, b, d), IntImm(1, d), d)]
        case LE():
            return [Sub(a, b, d)]
        case GT():
            return [Add(Sub(b, a, d), IntImm(1, d), d)]
        case GE():
            return [Sub(b, a, d)]
    return [Sub(a, b, d), Sub(b, a, d)]


def decided(kind: type, lo: Bound, hi: Bound) -> bool | None:
    """The result of comparing a - b with 0 when lo <= a - b <= hi; None when that does not decide it."""
    if kind in (GT, GE, NE):
        opposite = decided({GT: LE, GE: LT, NE: EQ}[kind], lo, hi)
        return None if opposite is None else not opposite
    if kind is EQ:
        if lo is not None and lo == hi:
            return lo == 0
        apart = (lo is not None and lo > 0) or (hi is not None and hi < 0)
        return False if apart else None
    most = -1 if kind is LT else 0
    if hi is not None and hi <= most:
        return True
    return False if lo is not None and lo > most else None
