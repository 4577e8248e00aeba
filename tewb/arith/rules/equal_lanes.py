"""Vectors whose lanes are all the same: the operation is done once, on scalars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    Call,
    Cast,
    Div,
    Expr,
    FloorDiv,
    FloorMod,
    Max,
    Min,
    Mod,
    Mul,
    Sub,
)

if TYPE_CHECKING:
    from tewb.arith.analyzer import Analyzer


@rule(Add, Sub, Mul, Div, Mod, FloorDiv, FloorMod, Min, Max, EQ, NE, LT, LE, GT, GE, lanes=True)
def operation_on_equal_lanes(e: Any, facts: Analyzer) -> Expr | None:
    """broadcast(x) + broadcast(y)  ->  broadcast(x + y)     and so every operation and comparison"""
    if isinstance(e.a, Broadcast) and isinstance(e.b, Broadcast):
        return Broadcast(type(e)(e.a.value, e.b.value, e.dtype.element), e.dtype.lanes, e.dtype)
    return None


@rule(Cast, lanes=True)
def cast_of_equal_lanes(e: Cast, facts: Analyzer) -> Expr | None:
    """int64(broadcast(x))  ->  broadcast(int64(x))"""
    if isinstance(e.value, Broadcast):
        return Broadcast(Cast(e.value.value, e.dtype.element), e.dtype.lanes, e.dtype)
    return None


@rule(Call, lanes=True)
def likely_of_equal_lanes(e: Call, facts: Analyzer) -> Expr | None:
    """likely(broadcast(c))  ->  broadcast(c)     which is one guard around a vector"""
    return e.args[0] if e.op == "likely" and isinstance(e.args[0], Broadcast) else None
