"""Operations on numbers, of every dtype, and division by the number 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tewb.arith.rules.conditions import is_index_type
from tewb.arith.rules.declare import rule
from tewb.ir import (
    EQ,
    GE,
    GT,
    LE,
    LT,
    NE,
    Add,
    Div,
    Expr,
    FloatImm,
    FloorDiv,
    FloorMod,
    IntImm,
    Max,
    Min,
    Mod,
    Mul,
    Sub,
    ops,
)

if TYPE_CHECKING:
    from tewb.arith.analyzer import Analyzer

_SUMS: dict[type, Callable[[Any, Any], Expr]] = {Add: ops.add, Sub: ops.sub, Mul: ops.mul}
_OTHERS: dict[type, Callable[[Any, Any], Expr]] = {
    FloorDiv: ops.floordiv, FloorMod: ops.floormod, Div: ops.truncdiv, Mod: ops.truncmod,
    Min: ops.minimum, Max: ops.maximum,
    EQ: ops.equal, NE: ops.not_equal, LT: ops.less, LE: ops.less_equal, GT: ops.greater, GE: ops.greater_equal,
}  # fmt: skip
_NUMBERS = (IntImm, FloatImm)


@rule(FloorDiv, FloorMod, Div, Mod)
def division_by_zero(e: Any, facts: Analyzer) -> Expr | None:
    """x // 0  ->  0     and so x % 0, of integers of every sign"""
    b = e.b
    return b if b.__class__ is IntImm and b.value == 0 else None


@rule(*_SUMS)
def sum_of_numbers(e: Any, facts: Analyzer) -> Expr | None:
    """3 + 4  ->  7     as data computes: rounded, or wrapped where the integers are no indices"""
    if e.b.__class__ not in _NUMBERS or e.a.__class__ not in _NUMBERS or is_index_type(e):
        return None
    return _SUMS[e.__class__](e.a, e.b)


@rule(*_OTHERS)
def operation_on_numbers(e: Any, facts: Analyzer) -> Expr | None:
    """7 // 2  ->  3     and 3 < 4 -> True: as data computes"""
    if e.b.__class__ not in _NUMBERS or e.a.__class__ not in _NUMBERS:
        return None
    if e.a.dtype.is_float and e.__class__ in (Div, Mod, Min, Max):
        return _float_quotient(e) if e.__class__ is Div else None
    return _OTHERS[e.__class__](e.a, e.b)


def _float_quotient(e: Div) -> Expr | None:
    return None if ops.is_const(e.b, 0) else ops.div(e.a, e.b)
