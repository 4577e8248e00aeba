"""Arithmetic on ranges of integers whose ends are numbers or unknown."""

from __future__ import annotations

Bound = int | None
Bounds = tuple[Bound, Bound]
UNKNOWN: Bounds = (None, None)


def hull(a: Bounds, b: Bounds) -> Bounds:
    """Bounds of a value that is one of two."""
    lo = None if a[0] is None or b[0] is None else min(a[0], b[0])
    hi = None if a[1] is None or b[1] is None else max(a[1], b[1])
    return lo, hi


def times(a: Bounds, b: Bounds) -> Bounds:
    """Bounds of a * b."""
    if a[0] is not None and b[0] is not None and a[0] >= 0 and b[0] >= 0:
        return a[0] * b[0], None if a[1] is None or b[1] is None else a[1] * b[1]
    if None in (*a, *b):
        return UNKNOWN
    products = [x * y for x in a for y in b if x is not None and y is not None]
    return min(products), max(products)


def quotient(a: Bounds, b: Bounds) -> Bounds:
    """Bounds of a // b (and of the truncating quotient) for positive b."""
    if b[0] is None or b[0] <= 0 or (b[1] is not None and b[1] < b[0]):  # no value at all: a dead branch
        return UNKNOWN
    ends = [b[0]] if b[1] is None else [b[0], b[1]]
    lo = None if a[0] is None else min(a[0] // d for d in ends)
    hi = None if a[1] is None else max(a[1] // d for d in ends)
    if lo is not None and b[1] is None:
        lo = min(lo, 0) if lo >= 0 else lo
    if hi is not None and b[1] is None and hi < 0:
        hi = -1
    if hi is not None and hi < 0:
        hi = 0  # a truncating quotient rounds up to 0
    return lo, hi
