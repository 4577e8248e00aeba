"""Ranges with gaps: of a stage that is read in steps, only what is read is computed and kept.

    for i in 3:  C[i] = B[i*5 + j]    ->    for q in 3:  B[q] = A[q*5 + j]
                                            for i in 3:  C[i] = B[i]

An axis then counts the places of its elements, in their order, and memory holds them side by side. The polyhedral compiler
PPCG keeps tiles of arrays so ("shift" and "stride"); classic TE and Halide keep everything from the first to the last.
"""

from __future__ import annotations

from tewb.arith.intset import Interval, point
from tewb.arith.steps import Steps, at_place, place_of, scaled, span
from tewb.ir import Expr, Range, const, const_int, node, ops


@node
class RangeWithGaps(Range):
    """The integers that are `min` and one of `steps` more: `extent` of them."""

    steps: Steps


def element_at(r: Range, place: Expr) -> Expr:
    """The integer at a place in a range, counted from 0."""
    return ops.add(r.min, at_place(r.steps, place) if isinstance(r, RangeWithGaps) else place)


def place_in(r: Range, value: Expr) -> Expr:
    """The place of an integer in a range, counted from 0."""
    place = ops.sub(value, r.min)
    return place_of(r.steps, place) if isinstance(r, RangeWithGaps) else place


def steps_in(r: Range) -> Steps | None:
    """The steps of a range with gaps; None for other ranges."""
    return r.steps if isinstance(r, RangeWithGaps) else None


def elements_of(r: Range, places: Interval) -> Interval:
    """The integers at an interval of places."""
    if isinstance(r, RangeWithGaps):
        places = _with_gaps(r, places)
    if const_int(r.min) == 0:
        return places
    if places.is_point:
        return point(ops.add(r.min, places.lo))
    return Interval(ops.add(r.min, places.lo), ops.add(r.min, places.hi), places.width, places.steps)


def _with_gaps(r: RangeWithGaps, places: Interval) -> Interval:
    """What lies at an interval of places in a range with gaps that begins at 0."""
    lo = at_place(r.steps, places.lo)
    if places.is_point:
        return point(lo)
    hi, widest = at_place(r.steps, places.hi), span(r.steps)
    if len(r.steps) == 1:
        step = r.steps[0][1]
        width = None if places.width is None else places.width * step
        return Interval(lo, hi, width, None if places.steps is None else scaled(places.steps, step))
    count = const_int(r.extent)
    if widest is not None and const_int(places.lo) == 0 and count == (const_int(places.hi) or 0) + 1:
        return Interval(lo, const(widest, lo.dtype), widest, r.steps)
    return Interval(lo, hi, widest)
