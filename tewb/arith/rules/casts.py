"""Conversions between dtypes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tewb.arith.rules.declare import rule
from tewb.ir import Cast, Expr, FloatImm, IntImm, ops

if TYPE_CHECKING:
    from tewb.arith.analyzer import Analyzer


@rule(Cast)
def cast_to_its_own_dtype(e: Cast, facts: Analyzer) -> Expr | None:
    """int32(x)  ->  x     when x is an int32, and so of every dtype"""
    return e.value if e.value.dtype is e.dtype else None


@rule(Cast)
def cast_of_a_number(e: Cast, facts: Analyzer) -> Expr | None:
    """int8(300)  ->  44     converted as data is"""
    if not isinstance(e.value, IntImm | FloatImm):
        return None
    number = ops.cast(e.value, e.dtype)
    return (
        None if isinstance(number, Cast) else number
    )  # a Cast remains of a float beyond the range of the dtype
