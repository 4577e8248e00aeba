"""The difference of two integers, which decides their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tewb.arith.const_ranges import Bound
from tewb.arith.linear import Linear
from tewb.arith.rules.conditions import are_exact
from tewb.ir import Sub

if TYPE_CHECKING:
    from tewb.arith.analyzer import Analyzer


@dataclass(slots=True)
class Difference:
    """The operands of `e`, which do not wrap, as the sum a - b, and its bounds."""

    e: Any
    terms: Linear
    low: Bound
    high: Bound


def difference(e: Any, facts: Analyzer) -> Difference | None:
    """The difference of the operands of `e`; None where one of them may wrap."""
    if not are_exact(e.a, e.b, facts):
        return None
    s = facts.linear.of(Sub(e.a, e.b, e.a.dtype))
    return Difference(e, s, *facts.linear_bounds(s))
