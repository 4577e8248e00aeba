"""Timing: many samples, their median and their spread."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tewb.base import digits, readable


@readable
@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds per call, one for each sample."""

    results: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.results)

    @property
    def mean(self) -> float:
        return statistics.fmean(self.results)

    @property
    def min(self) -> float:
        return min(self.results)

    @property
    def max(self) -> float:
        return max(self.results)

    @property
    def std(self) -> float:
        return statistics.pstdev(self.results)

    @property
    def spread(self) -> float:
        """Half of the distance between the quartiles."""
        if len(self.results) < 4:
            return (self.max - self.min) / 2
        quarter, _, three = statistics.quantiles(self.results, n=4)
        return (three - quarter) / 2

    def __str__(self) -> str:
        return f"{shown(self.median)} ± {shown(self.spread)}"


def shown(seconds: float) -> str:
    """Seconds in a readable unit."""
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= factor:
            return f"{digits(seconds / factor)} {unit}"
    return f"{digits(seconds * 1e9)} ns"


def calls_for(f: Callable[[], Any], seconds: float) -> int:
    """How many calls of `f` take about `seconds` (at least one)."""
    f()
    start = time.perf_counter()
    f()
    once = max(time.perf_counter() - start, 1e-8)
    return max(1, int(seconds / once))


def sample(f: Callable[[], Any], number: int) -> float:
    """Seconds for one of `number` calls of `f`."""
    start = time.perf_counter()
    for _ in range(number):
        f()
    return (time.perf_counter() - start) / number


def time_call(
    f: Callable[[], Any],
    number: int = 0,
    repeat: int = 7,
    min_seconds: float = 0.0,
    before: Callable[[int], None] = lambda sample: None,
) -> Timing:
    """`repeat` samples of `f`, each of `number` calls (0: as many as take 20 ms); `before` each of them, it is called
    with its number."""
    count = number or calls_for(f, 0.02)
    if min_seconds:
        count = max(count, calls_for(f, min_seconds))
    results = []
    for n in range(repeat):
        before(n)
        results.append(sample(f, count))
    return Timing(tuple(results))
