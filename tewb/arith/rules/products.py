"""Products with 1 and with 0. Those of indices are canonical sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tewb.arith.rules.declare import rule
from tewb.ir import Expr, Mul, const, ops

if TYPE_CHECKING:
    from tewb.arith.analyzer import Analyzer


@rule(Mul)
def product_with_one(e: Mul, facts: Analyzer) -> Expr | None:
    """x * 1  ->  x"""
    if ops.is_const(e.b, 1):
        return e.a
    return e.b if ops.is_const(e.a, 1) else None


@rule(Mul)
def product_with_zero(e: Mul, facts: Analyzer) -> Expr | None:
    """x * 0  ->  0     of integers: a float may be NaN or infinite"""
    if e.dtype.is_int and (ops.is_const(e.b, 0) or ops.is_const(e.a, 0)):
        return const(0, e.dtype)
    return None
