"""Factors of splits: which ones divide a loop, near one that is wanted.

Advice takes a factor that divides where there is one, and finds fault with a factor only where there is one, by the same
function: so it never finds fault with its own.
"""

from __future__ import annotations


def dividing(n: int, wanted: int, multiple: int = 1, most: int | None = None) -> list[int]:
    """The factors from half of `wanted` to twice as many that divide a loop of `n` iterations, fewest first. Those of a loop
    whose inner part is written out or in vectors have at most `most`, which registers hold, and are each a `multiple` of
    the lanes of a vector."""
    last = min(2 * wanted, n, 2 * wanted if most is None else most)
    return [d for d in range(max(wanted // 2, 2), last + 1) if n % d == 0 and d % multiple == 0]


def fitting(n: int, wanted: int, multiple: int = 1, most: int | None = None) -> int:
    """The factor that divides and is nearest to what is wanted, the larger one of two; else what is wanted itself."""
    if wanted >= n:
        return wanted
    return min(dividing(n, wanted, multiple, most), key=lambda d: (abs(d - wanted), -d), default=wanted)
