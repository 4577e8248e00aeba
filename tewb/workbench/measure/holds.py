"""How often a condition between loops holds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tewb.arith import evaluate_integers
from tewb.ir import Expr, Var, walk
from tewb.workbench.measure.counts import Sizes, value_of

MOST = 1 << 14
"""Points at which a condition is looked at."""

Ranges = Mapping[Var, tuple[float, float]]
"""The first value and the number of values of loops."""


def share_that_holds(condition: Expr, ranges: Ranges, sizes: Sizes) -> float:
    """The part of the iterations of loops, whose ranges are given, in which a condition holds: 0 to 1, by as many of their
    values as can be looked at quickly. 1 where it is about the elements of tensors."""
    variables = list(dict.fromkeys(v for v in walk(condition) if isinstance(v, Var)))
    loops = [v for v in variables if v in ranges]
    each = max(int(MOST ** (1 / len(loops))), 2) if loops else 1
    axes = [_some(*ranges[v], each) for v in loops]
    grid = dict(zip(loops, np.meshgrid(*axes, indexing="ij", sparse=True), strict=True)) if loops else {}
    found = evaluate_integers(condition, {v: grid[v] if v in grid else value_of(v, sizes) for v in variables})
    if found is None:
        return 1.0
    shape = tuple(len(a) for a in axes)
    return float(np.mean(np.broadcast_to(np.asarray(found) != 0, shape)))


def _some(first: float, count: float, most: int) -> np.ndarray:
    """At most so many of the values of a loop, evenly over all of them."""
    number = max(int(count), 1)
    if number <= most:
        return np.arange(int(first), int(first) + number, dtype=np.int64)
    return int(first) + (np.arange(most, dtype=np.int64) * (number - 1)) // (most - 1)
