"""Division that rounds toward zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tewb.arith.rules.conditions import is_index_type
from tewb.arith.rules.declare import rule
from tewb.ir import Div, Expr, FloorDiv, FloorMod, Mod

if TYPE_CHECKING:
    from tewb.arith.analyzer import Analyzer


@rule(Div, Mod)
def truncation_of_no_negative(e: Any, facts: Analyzer) -> Expr | None:
    """truncdiv(a, b)  ->  a // b     when a >= 0 and b > 0; the remainder likewise"""
    if not is_index_type(e):
        return None
    low, divisor = facts.const_bounds(e.a)[0], facts.const_bounds(e.b)[0]
    if low is None or low < 0 or divisor is None or divisor <= 0:
        return None
    return (FloorDiv if isinstance(e, Div) else FloorMod)(e.a, e.b, e.dtype)
