"""Which knobs mattered: how much of the spread of the times each of them explains.

The times of trials that have the same value of a knob make a group. What lies between the groups' means is what the knob explains
of all variance (of logarithms, as a factor of two is as much at 1 ms as at 1 s), less what chance would give with so many
groups: epsilon squared (Kelley 1935). Interactions of knobs are nobody's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tewb.tuning.study import Trial


def importances(trials: Sequence[Trial]) -> dict[str, float]:
    """The share (0 to 1) of the spread of times that each knob explains, the largest first; all of them together explain no
    more than 1. Trials without a time do not count; empty where fewer than two have one, or all take as long. A knob that has one
    value in all that have a time, as where the others were refused, is left out: nothing is known of it."""
    timed = [(t.point, math.log(t.time.median)) for t in trials if t.time is not None and t.time.median > 0]
    mean = sum(y for _, y in timed) / len(timed) if timed else 0.0
    total = sum((y - mean) ** 2 for _, y in timed)
    if len(timed) < 2 or total == 0:
        return {}
    shares = {}
    for name in dict.fromkeys(name for point, _ in timed for name in point):
        groups: dict[str, list[float]] = {}
        for point, y in timed:
            groups.setdefault(repr(point.get(name)), []).append(y - mean)
        if len(groups) > 1:
            shares[name] = _explained(list(groups.values()), total)
    whole = max(1.0, sum(shares.values()))
    return {name: s / whole for name, s in sorted(shares.items(), key=lambda item: -item[1])}


def _explained(groups: list[list[float]], total: float) -> float:
    """The share of `total`, the sum of squares of deviations, that lies between groups of deviations."""
    count, more = sum(map(len, groups)), len(groups) - 1
    between = sum(sum(g) ** 2 / len(g) for g in groups)
    by_chance = more * (total - between) / (count - len(groups)) if count > len(groups) else 0.0
    return min(max((between - by_chance) / total, 0.0), 1.0)
