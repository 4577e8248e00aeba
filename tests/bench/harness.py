"""Timing two functions of this process in turn, so that a busy moment hits both: for what is no row of the table.

The rows of the table are timed by contest.py, each contestant in a process of its own.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """A line of the table: medians in seconds, and the ratio of the second to the first (above 1 tewb is faster)."""

    name: str
    tewb: float
    other: float
    spread: float

    def __str__(self) -> str:
        return (
            f"{self.name:<44} {shown(self.tewb):>10} ±{self.spread:>4.0%} {shown(self.other):>10} "
            f"{self.other / self.tewb:>7.2f}"
        )


ROWS: list[Row] = []  # all of this run, in order


def shown(seconds: float) -> str:
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= factor:
            return f"{seconds / factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def samples(f: Callable[[], Any], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        f()
    return (time.perf_counter() - start) / calls


def race(
    name: str, tewb: Callable[[], Any], other: Callable[[], Any], repeat: int = 15, seconds: float = 0.02
) -> Row:
    """Time two functions in turn."""
    calls = []
    for f in (tewb, other):
        f()
        calls.append(max(1, int(seconds / max(samples(f, 1), 1e-7))))
    first, second = [], []
    for _ in range(repeat):
        first.append(samples(tewb, calls[0]))
        second.append(samples(other, calls[1]))
    quarter, _, three = statistics.quantiles(first, n=4)
    median = statistics.median(first)
    row = Row(name, median, statistics.median(second), (three - quarter) / 2 / median)
    ROWS.append(row)
    return row


def heading(title: str, other: str) -> None:
    print(f"\n{title}\n{'':<44} {'tewb':>10}  {'':>4} {other:>10} {'ratio':>7}")
