"""Simplification as rules, a file for each family. The engine that applies them is `simplifier.py`.

Rules for one class of nodes are tried in the order of this list. Each is right by itself: the order only decides which
is applied first.
"""

from tewb.arith.rules import (
    casts,
    choices,
    comparisons,
    equal_lanes,
    extremes,
    logic,
    numbers,
    products,
    quotients,
    ramps,
    remainders,
    sums,
    truncation,
)
from tewb.arith.rules.declare import RULES, SCALARS, VECTORS, WHOLE, Rule, Table, rule

FAMILIES = (
    casts, choices, comparisons, equal_lanes, extremes, logic, numbers, products, quotients, ramps, remainders, sums,
    truncation,
)  # fmt: skip

__all__ = ["FAMILIES", "RULES", "Rule", "SCALARS", "Table", "VECTORS", "WHOLE", "rule"]
