"""Expressions on all numbers of small ranges: a second opinion for tests of what is known about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tewb.arith import Analyzer, evaluate_integers
from tewb.ir import Expr, Var

Ranges = Mapping[Var, tuple[int, int]]


def on_grid(e: Expr, ranges: Ranges) -> Any:
    """The values of `e` when each variable takes all numbers of its range, ends included."""
    axes: dict[Var, Any] = {}
    for d, (v, (lo, hi)) in enumerate(ranges.items()):
        shape = [1] * len(ranges)
        shape[d] = hi - lo + 1
        axes[v] = np.arange(lo, hi + 1).reshape(shape)
    result = evaluate_integers(e, axes)
    assert result is not None, e
    return np.broadcast_to(result, [hi - lo + 1 for lo, hi in ranges.values()])


def within(ranges: Ranges) -> Analyzer:
    """An analyzer that knows the ranges."""
    a = Analyzer()
    for v, (lo, hi) in ranges.items():
        a.bind(v, lo, hi)
    return a
