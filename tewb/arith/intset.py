"""Symbolic intervals: the values of an index while some variables run over their ranges.

After the interval analysis that classic TE used for its regions, with one addition: an interval also
has a constant bound of `hi - lo`, so that a clamped stencil keeps a constant size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from tewb.ir import (
    Add,
    BufferLoad,
    Call,
    Cast,
    Expr,
    FloorDiv,
    FloorMod,
    IntImm,
    Max,
    Min,
    Mul,
    ProducerLoad,
    Select,
    Sub,
    Var,
    const,
    everywhere,
    ops,
)


class Prover(Protocol):
    """The questions that intervals ask (an Analyzer answers them)."""

    def simplify(self, e: Expr) -> Expr: ...
    def can_prove(self, cond: Expr) -> bool: ...
    def const_bounds(self, e: Expr) -> tuple[int | None, int | None]: ...


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """The integers from `lo` to `hi`. `width`, when known, is a constant with hi - lo <= width."""

    lo: Expr
    hi: Expr
    width: int | None = None

    @property
    def is_point(self) -> bool:
        return self.lo is self.hi


def point(e: Expr) -> Interval:
    """The interval that holds one value."""
    return Interval(e, e, 0)


def interval(lo: Expr, extent: Expr) -> Interval:
    """The interval of `extent` integers from `lo` on."""
    n = ops.const_int(extent)
    if n == 1:
        return point(lo)
    end = ops.add(lo, extent)
    return Interval(lo, ops.sub(end, const(1, end.dtype)), None if n is None else max(n - 1, 0))


def eval_set(e: Expr, ranges: Mapping[Var, Interval | None]) -> Interval | None:
    """An interval that covers `e` when each variable of `ranges` runs over its interval.

    Other variables stand for themselves. None when the bounds are not known, as for a loaded index or a variable
    without a known range.
    """
    fixed = everywhere(
        lambda n: n not in ranges if isinstance(n, Var) else not isinstance(n, ProducerLoad | BufferLoad)
    )
    intervals: dict[Expr, Interval | None] = {}

    def covered(x: Expr) -> Interval | None:
        if fixed(x):
            return point(x)
        if x not in intervals:
            intervals[x] = _covered(x, ranges, covered)
        return intervals[x]

    return covered(e)


def _covered(
    e: Expr, ranges: Mapping[Var, Interval | None], part: Callable[[Expr], Interval | None]
) -> Interval | None:
    """`eval_set` of an expression that uses variables of `ranges`, from the intervals of its parts."""
    match e:
        case Var():
            return ranges[e]
        case Add(a, b):
            return _both(part(a), part(b), _add)
        case Sub(a, b):
            return _both(part(a), part(b), _sub)
        case Mul(a, IntImm(c)):
            return _scaled_interval(part(a), c, e.dtype)
        case Mul(IntImm(c), a):
            return _scaled_interval(part(a), c, e.dtype)
        case FloorDiv(a, IntImm(c)) if c > 0:
            return _divided(part(a), c)
        case FloorMod(a, IntImm(c)) if c > 0:
            return _remainder_interval(part(a), c, e.dtype)
        case Min(a, b):
            return _both(part(a), part(b), lambda x, y: _ordered(x, y, ops.minimum))
        case Max(a, b):
            return _both(part(a), part(b), lambda x, y: _ordered(x, y, ops.maximum))
        case Cast(a, dtype) if a.dtype.is_int and dtype.is_int and dtype.bits >= a.dtype.bits:
            s = part(a)
            return None if s is None else Interval(ops.cast(s.lo, dtype), ops.cast(s.hi, dtype), s.width)
        case Select(_, a, b) | Call("if_then_else", (_, a, b)):
            return _both(part(a), part(b), _hull)
        case Call("likely", (a,)):
            return part(a)
    return None


def relaxed(x: Interval | None, ranges: Mapping[Var, Interval]) -> Interval | None:
    """An interval that covers `x` when each variable of `ranges` runs over its interval."""
    if x is None or not ranges:
        return x
    lo, hi = eval_set(x.lo, ranges), eval_set(x.hi, ranges)
    if lo is None or hi is None:
        return None
    if x.is_point:
        return lo
    # hi(v) - lo(v) <= width for each v; over all v the ends move apart by as much as lo itself moves.
    width = None if x.width is None or lo.width is None else x.width + lo.width
    return Interval(lo.lo, hi.hi, width)


def _both(
    x: Interval | None, y: Interval | None, f: Callable[[Interval, Interval], Interval]
) -> Interval | None:
    return None if x is None or y is None else f(x, y)


def _sum_of_widths(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else a + b


def _add(x: Interval, y: Interval) -> Interval:
    if x.is_point and y.is_point:
        return point(ops.add(x.lo, y.lo))
    return Interval(ops.add(x.lo, y.lo), ops.add(x.hi, y.hi), _sum_of_widths(x.width, y.width))


def _sub(x: Interval, y: Interval) -> Interval:
    if x.is_point and y.is_point:
        return point(ops.sub(x.lo, y.lo))
    return Interval(ops.sub(x.lo, y.hi), ops.sub(x.hi, y.lo), _sum_of_widths(x.width, y.width))


def _scaled_interval(x: Interval | None, c: int, dtype: str) -> Interval | None:
    if x is None:
        return None
    factor = const(c, dtype)
    if x.is_point:
        return point(ops.mul(x.lo, factor))
    lo, hi = ops.mul(x.lo, factor), ops.mul(x.hi, factor)
    width = None if x.width is None else x.width * abs(c)
    return Interval(lo, hi, width) if c >= 0 else Interval(hi, lo, width)


def _divided(x: Interval | None, c: int) -> Interval | None:
    if x is None:
        return None
    if x.is_point:
        return point(ops.floordiv(x.lo, c))
    # hi - lo <= w gives hi // c - lo // c <= ceil(w / c).
    width = None if x.width is None else -(-x.width // c)
    return Interval(ops.floordiv(x.lo, c), ops.floordiv(x.hi, c), width)


def _remainder_interval(x: Interval | None, c: int, dtype: str) -> Interval | None:
    if x is not None and x.is_point:
        return point(ops.floormod(x.lo, c))
    if (
        x is not None
        and isinstance(x.lo, IntImm)
        and isinstance(x.hi, IntImm)
        and x.lo.value // c == x.hi.value // c
    ):
        return Interval(ops.floormod(x.lo, c), ops.floormod(x.hi, c), x.width)
    return Interval(const(0, dtype), const(c - 1, dtype), c - 1)


def _ordered(x: Interval, y: Interval, f: object) -> Interval:
    """Min or max of two intervals. Clamping by a point does not widen an interval."""
    lo, hi = f(x.lo, y.lo), f(x.hi, y.hi)  # type: ignore[operator]
    widths = [w for w in (x.width, y.width)]
    width = None if None in widths else max(w for w in widths if w is not None)
    return Interval(lo, hi, width)


def _hull(x: Interval, y: Interval) -> Interval:
    return Interval(ops.minimum(x.lo, y.lo), ops.maximum(x.hi, y.hi), None)


def union(x: Interval, y: Interval, prover: Prover) -> Interval:
    """The smallest interval that covers both, as far as the prover can order their ends."""
    lo, hi = _outer_end(x.lo, y.lo, prover), _outer_end(y.hi, x.hi, prover, largest=True)
    return Interval(lo, hi, None)


def _outer_end(a: Expr, b: Expr, prover: Prover, largest: bool = False) -> Expr:
    if a is b:
        return a
    low, high = prover.const_bounds(prover.simplify(ops.sub(a, b)))
    if high is not None and high <= 0:
        return b if largest else a
    if low is not None and low >= 0:
        return a if largest else b
    if prover.can_prove(ops.less_equal(a, b)):
        return b if largest else a
    if prover.can_prove(ops.greater_equal(a, b)):
        return a if largest else b
    return ops.maximum(a, b) if largest else ops.minimum(a, b)


def largest_extent(x: Interval, prover: Prover) -> int | None:
    """A constant bound of the number of integers in `x`, or None.

    Ends that are min and max of several expressions are tried branch by branch: hi <= each argument of a min, and
    lo >= each argument of a max; a max on top, or a min below, must hold for every argument.
    """
    own = x.width
    difference = _difference(x.hi, x.lo, prover)
    width = min((w for w in (own, difference) if w is not None), default=None)
    return None if width is None else width + 1


def _difference(hi: Expr, lo: Expr, prover: Prover) -> int | None:
    """A constant upper bound of hi - lo."""
    match hi:
        case Max(a, b):
            return _larger_width(_difference(a, lo, prover), _difference(b, lo, prover))
    match lo:
        case Min(a, b):
            return _larger_width(_difference(hi, a, prover), _difference(hi, b, prover))
    match hi:
        case Min(a, b):
            return _smaller_width(_difference(a, lo, prover), _difference(b, lo, prover))
    match lo:
        case Max(a, b):
            return _smaller_width(_difference(hi, a, prover), _difference(hi, b, prover))
    return prover.const_bounds(prover.simplify(ops.sub(hi, lo)))[1]


def _larger_width(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else max(a, b)


def _smaller_width(a: int | None, b: int | None) -> int | None:
    return min((w for w in (a, b) if w is not None), default=None)
