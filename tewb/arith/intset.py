"""Symbolic intervals: the values of an index while some variables run over their ranges.

After the interval analysis that classic TE used for its regions, with two additions: an interval also
has a constant bound of `hi - lo`, so that a clamped stencil keeps a constant size; and it knows the steps in which its
values lie, so that of `i*5` every fifth is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from tewb.arith.steps import Steps, all_steps, is_same, scaled, span, sum_of, union_of
from tewb.base import FromParts
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
    is_same_expression,
    ops,
)


class Prover(Protocol):
    """The questions that intervals ask (an Analyzer answers them)."""

    def simplify(self, e: Expr) -> Expr: ...
    def can_prove(self, cond: Expr) -> bool: ...
    def const_bounds(self, e: Expr) -> tuple[int | None, int | None]: ...
    def upper_bound(self, e: Expr) -> int | None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """The integers from `lo` to `hi`. `width`, when known, is a constant with hi - lo <= width. With `steps` it holds only
    the sums of `lo` and one of these, of which `hi` is the last."""

    lo: Expr
    hi: Expr
    width: int | None = None
    steps: Steps | None = None

    @property
    def is_point(self) -> bool:
        return self.lo is self.hi


def point(e: Expr) -> Interval:
    """The interval that holds one value."""
    return Interval(e, e, 0, ())


def interval(lo: Expr, extent: Expr) -> Interval:
    """The interval of `extent` integers from `lo` on."""
    n = ops.const_int(extent)
    if n == 1:
        return point(lo)
    end = ops.add(lo, extent)
    width = None if n is None else max(n - 1, 0)
    return Interval(lo, ops.sub(end, const(1, end.dtype)), width, all_steps(extent))


def eval_set(e: Expr, ranges: Mapping[Var, Interval | None]) -> Interval | None:
    """An interval that covers `e` when each variable of `ranges` runs over its interval.

    Other variables stand for themselves. None when the bounds are not known, as for a loaded index or a variable
    without a known range.
    """
    fixed = everywhere(
        lambda n: n not in ranges if isinstance(n, Var) else not isinstance(n, ProducerLoad | BufferLoad)
    )
    intervals = FromParts[Expr, Interval | None](
        lambda x, part: point(x) if fixed(x) else _covered(x, ranges, part)
    )
    return intervals[e]


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
            return (
                None
                if s is None
                else Interval(ops.cast(s.lo, dtype), ops.cast(s.hi, dtype), s.width, s.steps)
            )
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
    steps = sum_of(x.steps, lo.steps)
    most = None if steps is None else span(steps)
    if most is None:
        return Interval(lo.lo, hi.hi, width)
    return Interval(lo.lo, ops.add(lo.lo, const(most, lo.lo.dtype)), most, steps)


def _both(
    x: Interval | None, y: Interval | None, f: Callable[[Interval, Interval], Interval]
) -> Interval | None:
    return None if x is None or y is None else f(x, y)


def _sum_of_widths(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else a + b


def _add(x: Interval, y: Interval) -> Interval:
    if x.is_point and y.is_point:
        return point(ops.add(x.lo, y.lo))
    width = _sum_of_widths(x.width, y.width)
    return Interval(ops.add(x.lo, y.lo), ops.add(x.hi, y.hi), width, sum_of(x.steps, y.steps))


def _sub(x: Interval, y: Interval) -> Interval:
    if x.is_point and y.is_point:
        return point(ops.sub(x.lo, y.lo))
    width = _sum_of_widths(x.width, y.width)
    return Interval(ops.sub(x.lo, y.hi), ops.sub(x.hi, y.lo), width, sum_of(x.steps, y.steps))


def _scaled_interval(x: Interval | None, c: int, dtype: str) -> Interval | None:
    if x is None:
        return None
    factor = const(c, dtype)
    if x.is_point:
        return point(ops.mul(x.lo, factor))
    lo, hi = ops.mul(x.lo, factor), ops.mul(x.hi, factor)
    width = None if x.width is None else x.width * abs(c)
    steps = None if x.steps is None else scaled(x.steps, c)
    return Interval(lo, hi, width, steps) if c >= 0 else Interval(hi, lo, width, steps)


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
    if x is not None and x.width is not None and x.width < c:
        multiple, rest = _congruence(x.lo)
        whole = math.gcd(multiple, c)
        if rest % whole + x.width < whole:  # it passes no multiple of c
            lo = ops.floormod(x.lo, const(c, x.lo.dtype))
            return Interval(lo, ops.add(lo, const(x.width, lo.dtype)), x.width, x.steps)
    return Interval(const(0, dtype), const(c - 1, dtype), c - 1)


def _congruence(e: Expr) -> tuple[int, int]:
    """Numbers m and r such that `e` is r more than a multiple of m; m is 0 for the constant r."""
    match e:
        case IntImm(value):
            return 0, value
        case Add(a, b) | Sub(a, b):
            (m, r), (n, s) = _congruence(a), _congruence(b)
            return math.gcd(m, n), r + s if isinstance(e, Add) else r - s
        case Mul(a, IntImm(c)) | Mul(IntImm(c), a):
            m, r = _congruence(a)
            return m * abs(c), r * c
        case Cast(a, dtype) if a.dtype.is_int and dtype.is_int and dtype.bits >= a.dtype.bits:
            return _congruence(a)
    return 1, 0


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
    if x.steps is not None and y.steps is not None:
        low, high = prover.const_bounds(prover.simplify(ops.sub(y.lo, x.lo)))
        if low is not None and low == high:
            first, second = (x, y) if low >= 0 else (y, x)
            joined = _joined(first, second, abs(low))
            if joined is not None:
                return joined
    lo, hi = _outer_end(x.lo, y.lo, prover), _outer_end(y.hi, x.hi, prover, largest=True)
    return Interval(lo, hi, _width_of_union(lo, x, y, prover))


def _width_of_union(lo: Expr, x: Interval, y: Interval, prover: Prover) -> int | None:
    """The width of two intervals together, of which one begins at `lo`, where the distance of the other is bounded."""
    if x.width is None or y.width is None or not (lo is x.lo or lo is y.lo):
        return None
    first, other = (x, y) if lo is x.lo else (y, x)
    assert first.width is not None and other.width is not None
    distance = _difference(other.lo, lo, prover, {})
    return None if distance is None else max(first.width, distance + other.width)


def _joined(x: Interval, y: Interval, distance: int) -> Interval | None:
    """The union of two intervals with steps, of which `y` begins by `distance` after `x`."""
    assert x.steps is not None and y.steps is not None
    if is_same(x.steps, y.steps):
        width = None if x.width is None else x.width + distance
        return Interval(x.lo, y.hi, width, union_of(x.steps, y.steps, distance))
    first, second = span(x.steps), span(y.steps)
    if first is None or second is None:
        return None
    hi = y.hi if distance + second >= first else x.hi
    return Interval(x.lo, hi, max(first, distance + second), union_of(x.steps, y.steps, distance))


def _outer_end(a: Expr, b: Expr, prover: Prover, largest: bool = False) -> Expr:
    if a is b:
        return a
    clamped = _clamped_end(a, b, prover, largest)
    if clamped is not None:
        return clamped
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


def _clamped_end(a: Expr, b: Expr, prover: Prover, largest: bool) -> Expr | None:
    """The outer one of two ends that are clamped alike: clamping keeps the order."""
    match a, b:
        case (Min(x, m), Min(y, n)) | (Max(x, m), Max(y, n)) if is_same_expression(m, n):
            end = _outer_end(x, y, prover, largest)
            return a if end is x else b if end is y else None
    return None


def largest_extent(x: Interval, prover: Prover) -> int | None:
    """A constant bound of the number of integers in `x`, or None.

    Ends that are min and max of several expressions are tried branch by branch: hi <= each argument of a min, and
    lo >= each argument of a max; a max on top, or a min below, must hold for every argument.
    """
    own = x.width
    difference = _difference(x.hi, x.lo, prover, {})
    width = min((w for w in (own, difference) if w is not None), default=None)
    return None if width is None else width + 1


Differences = dict[tuple[Expr, Expr], int | None]


def _difference(hi: Expr, lo: Expr, prover: Prover, known: Differences) -> int | None:
    """A constant upper bound of hi - lo. `known` are those of parts."""
    if (hi, lo) not in known:
        known[hi, lo] = _find_difference(hi, lo, prover, known)
    return known[hi, lo]


def _find_difference(hi: Expr, lo: Expr, prover: Prover, known: Differences) -> int | None:
    match hi, lo:
        # max(a, b) - max(c, d) is at most the larger one of a - c and b - d, and so is min(a, b) - min(c, d).
        case (Min(a, b), Min(c, d)) | (Max(a, b), Max(c, d)):
            pairs = _larger_width(_difference(a, c, prover, known), _difference(b, d, prover, known))
            return _smaller_width(pairs, _difference_of_branches(hi, lo, prover, known))
    return _difference_of_branches(hi, lo, prover, known)


def _difference_of_branches(hi: Expr, lo: Expr, prover: Prover, known: Differences) -> int | None:
    def difference(a: Expr, b: Expr) -> int | None:
        return _difference(a, b, prover, known)

    match hi:
        case Max(a, b):
            return _larger_width(difference(a, lo), difference(b, lo))
    match lo:
        case Min(a, b):
            return _larger_width(difference(hi, a), difference(hi, b))
    match hi:
        case Min(a, b):
            return _smaller_width(difference(a, lo), difference(b, lo))
    match lo:
        case Max(a, b):
            return _smaller_width(difference(hi, a), difference(hi, b))
    return prover.upper_bound(prover.simplify(ops.sub(hi, lo)))


def _larger_width(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else max(a, b)


def _smaller_width(a: int | None, b: int | None) -> int | None:
    return min((w for w in (a, b) if w is not None), default=None)
