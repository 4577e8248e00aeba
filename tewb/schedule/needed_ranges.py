"""The range of a dimension to compute, from the interval of it that is read.

    [8i, 8i + 9]    ->    10 elements from 8i on

Its extent is a constant where one is proved, at the cost of some elements more, and never exceeds the declared shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tewb.arith import Analyzer
from tewb.arith.intset import Interval, largest_extent, union
from tewb.arith.steps import count_of, is_same, leaves_out_half, span
from tewb.ir import Expr, Max, Min, Range, const, const_int, free_vars, is_same_expression, ops
from tewb.schedule.extern_tiles import at_edge
from tewb.schedule.ranges_with_gaps import RangeWithGaps
from tewb.tensor import Region

if TYPE_CHECKING:
    from tewb.schedule.bounds import Bounds

# A part of a symbolic dimension has a constant number of elements up to this one: calls may have far fewer.
LARGEST_CONSTANT = 1 << 24

# For each dimension of a tensor an interval, or None for all of it.
Box = list[Interval | None]


def region_around(boxes: Sequence[Box], shape: Sequence[Expr], bounds: Bounds, gaps: bool = False) -> Region:
    """The smallest region around all boxes, with or without gaps."""
    box = smallest_box(boxes, bounds.analyzer)
    return tuple(needed_range(x, n, bounds, gaps) for x, n in zip(box, shape, strict=True))


def smallest_box(boxes: Sequence[Box], analyzer: Analyzer) -> Box:
    """The smallest box around all boxes."""
    around = boxes[0]
    for box in boxes[1:]:
        around = [
            None if a is None or b is None else _union(a, b, analyzer)
            for a, b in zip(around, box, strict=True)
        ]
    return around


def _union(a: Interval, b: Interval, analyzer: Analyzer) -> Interval:
    same = a.lo is b.lo and a.hi is b.hi
    if is_same(a.steps, b.steps) and (
        same or (is_same_expression(a.lo, b.lo) and is_same_expression(a.hi, b.hi))
    ):
        return a
    return union(a, b, analyzer)


def needed_range(x: Interval | None, size: Expr, bounds: Bounds, gaps: bool = False) -> Range:
    """The range to compute for an interval: of constant extent where that can be proved, all if it is no less."""
    if x is None:
        return Range(const(0, size.dtype), size)
    if gaps and x.steps is not None and leaves_out_half(x.steps):
        return _with_gaps(x, size, bounds)
    return range_without_gaps(x, size, bounds)


def _with_gaps(x: Interval, size: Expr, bounds: Bounds) -> Range:
    """The range of what is read in steps; without gaps where these would not save half of it."""
    assert x.steps is not None
    analyzer = bounds.analyzer
    count, known, all_of_it = count_of(x.steps), span(x.steps), const_int(size)
    if isinstance(count, int):
        most = min(n for n in (all_of_it, None if known is None else known + 1) if n is not None)
        if 2 * count > most + 1:
            return range_without_gaps(x, size, bounds)
    places = (
        const(count, size.dtype) if isinstance(count, int) else analyzer.simplify(ops.cast(count, size.dtype))
    )
    return RangeWithGaps(_decided(analyzer.simplify(x.lo), analyzer), places, x.steps)


def range_without_gaps(x: Interval, size: Expr, bounds: Bounds) -> Range:
    """The range of everything in an interval."""
    analyzer = bounds.analyzer
    whole = Range(const(0, size.dtype), size)
    lo = _decided(analyzer.simplify(x.lo), analyzer)
    if x.is_point:
        return Range(lo, const(1, size.dtype))
    extent = analyzer.simplify(ops.add(ops.sub(x.hi, x.lo), 1))
    n, e = const_int(size), const_int(extent)
    if e is None:
        e = largest_extent(Interval(lo, analyzer.simplify(x.hi), x.width), analyzer)
        if e is None and n is None and analyzer.can_prove(ops.less_equal(size, extent)):
            return whole
    if e is None:
        variables = {*free_vars(extent)} if bounds.part_sizes else set()
        if not variables & bounds.part_sizes:
            return whole if n is not None else _within(lo, x.hi, size, analyzer)
        # One size everywhere, as if it was a number.
        one_size = variables <= bounds.part_sizes and analyzer.can_prove(ops.greater_equal(extent, 0))
        return Range(lo, extent) if one_size else _within(lo, x.hi, size, analyzer)
    if n is not None and e >= n:
        return whole
    if n is None and e > LARGEST_CONSTANT:
        return _within(lo, x.hi, size, analyzer)
    return Range(lo, const(max(e, 0), size.dtype))


def _within(lo: Expr, hi: Expr, size: Expr, analyzer: Analyzer) -> Range:
    """The range from `lo` to `hi`, of which neither the extent nor the size of the dimension are constant: without what lies
    outside of the dimension."""
    zero, last = const(0, lo.dtype), ops.cast(ops.sub(size, 1), hi.dtype)
    first, end = lo, hi
    if not analyzer.can_prove(ops.greater_equal(lo, zero)):
        first = ops.maximum(lo, zero)
    if not analyzer.can_prove(ops.less_equal(hi, ops.maximum(last, 0))):
        end = ops.minimum(hi, last)
    extent = analyzer.simplify(ops.add(ops.sub(end, first), 1))
    if first is not lo or end is not hi:
        extent = _decided(ops.maximum(extent, const(0, extent.dtype)), analyzer)
    return Range(first, extent)


def moved_inside(r: Range, size: Expr, analyzer: Analyzer) -> Range:
    """A range of the same extent that is moved so that it lies in a dimension of `size`."""
    low = r.min if analyzer.can_prove(ops.greater_equal(r.min, 0)) else ops.maximum(r.min, 0)
    return at_edge(Range(low, r.extent), size, "shift", analyzer)


def _decided(e: Expr, analyzer: Analyzer) -> Expr:
    """An end without the sides of its min and max that are proved not to matter."""
    match e:
        case Min(a, b) | Max(a, b):
            first, second = _decided(a, analyzer), _decided(b, analyzer)
            smaller = isinstance(e, Min)
            if analyzer.can_prove(ops.less_equal(first, second)):
                return first if smaller else second
            if analyzer.can_prove(ops.less_equal(second, first)):
                return second if smaller else first
            return ops.minimum(first, second) if smaller else ops.maximum(first, second)
    return e
