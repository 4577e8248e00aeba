"""Sets of integers by the classic names: which values an index takes while its variables run over sets.

    arith.Analyzer().int_set(x * 2 + y, {x: arith.IntervalSet(0, 9)})    the interval from y to y + 18

Sets are intervals whose ends are expressions; `pos_inf()` and `neg_inf()` where there is no end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from tewb.base import HANDLE, TewbError, here
from tewb.ir import (
    Add,
    Broadcast,
    Call,
    Cast,
    Div,
    Expr,
    FloorDiv,
    FloorMod,
    IterVar,
    Max,
    Min,
    Mod,
    Mul,
    Ramp,
    Range,
    Select,
    Sub,
    Var,
    const,
    convert,
    free_vars,
    ops,
    uses,
)

_POS_INF, _NEG_INF = Var("pos_inf", HANDLE), Var("neg_inf", HANDLE)

End = Expr | None  # None where there is no end
Ends = tuple[End, End]
EVERYTHING: Ends = (None, None)


class Knowledge(Protocol):
    """The questions that sets ask (an Analyzer answers them)."""

    ranges: Any
    symbolic: Any

    def simplify(self, e: Expr) -> Expr: ...
    def can_prove(self, cond: Expr) -> bool: ...
    def const_bounds(self, e: Expr) -> tuple[int | None, int | None]: ...


def pos_inf() -> Var:
    """The end of a set that has none above."""
    return _POS_INF


def neg_inf() -> Var:
    """The end of a set that has none below."""
    return _NEG_INF


def _is_infinite(end: Expr) -> bool:
    return end is _POS_INF or end is _NEG_INF


class IntSet:
    """A set of integers, which is an IntervalSet."""

    min_value: Expr
    max_value: Expr

    @staticmethod
    def single_point(point: Any) -> IntervalSet:
        """The set of one integer."""
        return IntervalSet(point, point)

    @staticmethod
    def vector(vec: Any) -> IntervalSet:
        """The smallest interval with all lanes of a vector."""
        from tewb.arith.analyzer import Analyzer  # which asks sets, too

        return IntervalSet.of(SetOfValues(Analyzer(), {}).lanes(convert(vec)))

    def is_nothing(self) -> bool:
        """Whether the set is certainly empty."""
        if self.min_value is _POS_INF or self.max_value is _NEG_INF:
            return True
        lo, hi = ops.const_int(self.min_value), ops.const_int(self.max_value)
        return lo is not None and hi is not None and lo > hi

    def is_everything(self) -> bool:
        """Whether the set has all integers."""
        return self.min_value is _NEG_INF and self.max_value is _POS_INF


class IntervalSet(IntSet):
    """The integers from `min_value` to `max_value`, both included."""

    def __init__(self, min_value: Any, max_value: Any) -> None:
        self.min_value, self.max_value = convert(min_value), convert(max_value)
        for end in (self.min_value, self.max_value):
            if not _is_infinite(end) and (not end.dtype.is_int or end.dtype.lanes > 1):
                raise TewbError(
                    f"an IntervalSet is from an integer to an integer, and {end!r} is {end.dtype}",
                    hint="IntervalSet(0, 7)",
                    span=here(),
                )

    @staticmethod
    def of(ends: Ends) -> IntervalSet:
        """The interval of two ends, where None is none."""
        lo, hi = ends
        return IntervalSet(_NEG_INF if lo is None else lo, _POS_INF if hi is None else hi)

    @staticmethod
    def nothing() -> IntervalSet:
        """The empty set."""
        return IntervalSet(_POS_INF, _NEG_INF)

    @property
    def ends(self) -> Ends:
        """Its ends, None where there is none."""
        return (
            None if _is_infinite(self.min_value) else self.min_value,
            None if _is_infinite(self.max_value) else self.max_value,
        )

    def __repr__(self) -> str:
        return f"IntervalSet[{self.min_value!r}, {self.max_value!r}]"


def as_set(value: Any) -> IntervalSet:
    """A set as an IntervalSet: one itself, a Range, or an integer. Raises TewbError."""
    match value:
        case IntervalSet():
            return value
        case Range(start, extent):
            return IntervalSet(start, ops.sub(ops.add(start, extent), 1))
        case int() | Expr():
            return IntervalSet(value, value)
    raise TewbError(
        f"{value!r} is no set of integers", hint="arith.IntervalSet(0, 7), or a Range", span=here()
    )


def domains(dom_map: Mapping[Any, Any] | None) -> dict[Var, IntervalSet]:
    """The sets of variables, which may be given by their axes."""
    found: dict[Var, IntervalSet] = {}
    for v, given in (dom_map or {}).items():
        found[v.var if isinstance(v, IterVar) else v] = as_set(given)
    return found


def int_set(analyzer: Knowledge, expr: Any, dom_map: Mapping[Any, Any] | None) -> IntervalSet:
    """An interval that has all values of `expr` while the variables of `dom_map` are in their sets. Other variables
    stand for themselves; without a `dom_map`, variables are in the ranges that the analyzer knows."""
    e = convert(expr)
    known = _known(analyzer, e) if dom_map is None else domains(dom_map)
    return IntervalSet.of(SetOfValues(analyzer, known).of(e))


def _known(analyzer: Knowledge, e: Expr) -> dict[Var, IntervalSet]:
    """The sets of the variables of `e`, and of those in their ends, that an analyzer knows."""
    found: dict[Var, IntervalSet] = {}
    waiting = list(free_vars(e))
    while waiting:
        v = waiting.pop()
        if v in found or v not in analyzer.ranges:
            continue
        symbolic = analyzer.symbolic.get(v, (None, None))
        numbers = [None if n is None else const(n, v.dtype) for n in analyzer.ranges[v]]
        lo, hi = [n if n is not None else s for s, n in zip(symbolic, numbers, strict=True)]
        found[v] = IntervalSet.of((lo, hi))
        waiting += [w for end in (lo, hi) if end is not None for w in free_vars(end)]
    return found


def union_lower_bound(sets: Sequence[Any]) -> IntervalSet:
    """An interval of which each integer is in one of `sets`; those that do not certainly touch it are left out."""
    from tewb.arith.analyzer import Analyzer

    analyzer = Analyzer()
    left = [s for s in map(as_set, sets) if not s.is_nothing()]
    if not left:
        return IntervalSet.nothing()
    lo, hi = left.pop(0).ends
    grown = True
    while grown:
        grown = False
        for other in list(left):
            low, high = other.ends
            if _reaches(analyzer, hi, low) and _reaches(analyzer, high, lo):
                left.remove(other)
                lo = None if lo is None or low is None else analyzer.simplify(ops.minimum(lo, low))
                hi = None if hi is None or high is None else analyzer.simplify(ops.maximum(hi, high))
                grown = True
    return IntervalSet.of((lo, hi))


def _reaches(analyzer: Knowledge, hi: End, low: End) -> bool:
    """Whether there is no integer between an end above, and a beginning."""
    return hi is None or low is None or analyzer.can_prove(ops.greater_equal(ops.add(hi, 1), low))


class SetOfValues:
    """The interval of an expression's values, worked out from those of its parts."""

    def __init__(self, analyzer: Knowledge, known: Mapping[Var, IntervalSet]) -> None:
        self.analyzer, self.known = analyzer, known
        self.memo: dict[Expr, Ends] = {}

    def of(self, e: Expr) -> Ends:
        """The ends of the values of `e`."""
        lo, hi = self.part(self.analyzer.simplify(e))
        return self.simple(lo), self.simple(hi)

    def lanes(self, e: Expr) -> Ends:
        """The ends of all lanes of `e`."""
        return self.of(e)

    def simple(self, end: End) -> End:
        return None if end is None else self.analyzer.simplify(end)

    def part(self, e: Expr) -> Ends:
        """`of` an expression that is simple already."""
        if e.dtype.lanes == 1 and not uses(e, list(self.known)):
            return e, e
        if e not in self.memo:
            self.memo[e] = self._part(e)
        return self.memo[e]

    def _part(self, e: Expr) -> Ends:
        match e:
            case Var():
                return self.variable(e)
            case Add(a, b):
                return _each(ops.add, self.part(a), self.part(b))
            case Sub(a, b):
                lo, hi = self.part(b)
                return _each(ops.sub, self.part(a), (hi, lo))
            case Mul(a, b):
                return self.product(self.part(a), self.part(b))
            case FloorDiv(a, b):
                return self.quotient(ops.floordiv, a, b)
            case Div(a, b) if e.dtype.is_int:
                return self.quotient(ops.truncdiv, a, b)
            case FloorMod(a, b):
                return self.remainder(a, b)
            case Mod(a, b) if e.dtype.is_int:
                return self.truncated_remainder(a, b)
            case Min(a, b):
                return self.extreme(ops.minimum, self.part(a), self.part(b))
            case Max(a, b):
                return self.extreme(ops.maximum, self.part(a), self.part(b))
            case Select(_, a, b) | Call("if_then_else", (_, a, b)):
                return self.hull(self.part(a), self.part(b))
            case Call("likely", (a,)) | Broadcast(a):
                return self.part(a)
            case Cast(a, dtype) if a.dtype.is_int and dtype.is_int and dtype.bits >= a.dtype.bits:
                lo, hi = self.part(a)
                return None if lo is None else ops.cast(lo, dtype), None if hi is None else ops.cast(
                    hi, dtype
                )
            case Ramp(base, stride, lanes):
                steps = (const(0, stride.dtype), const(lanes - 1, stride.dtype))
                return _each(ops.add, self.part(base), self.product(self.part(stride), steps))
        low, high = self.analyzer.const_bounds(e) if e.dtype.is_int else (None, None)
        element = e.dtype.element
        return None if low is None else const(low, element), None if high is None else const(high, element)

    def variable(self, v: Var) -> Ends:
        """The set of a variable, whose ends may use other variables."""
        others = {w: s for w, s in self.known.items() if w is not v}
        inner = SetOfValues(self.analyzer, others)
        lo, hi = self.known[v].ends
        return None if lo is None else inner.of(lo)[0], None if hi is None else inner.of(hi)[1]

    def product(self, x: Ends, y: Ends) -> Ends:
        for a, b in ((x, y), (y, x)):
            if b[0] is not None and b[0] is b[1]:
                return self.scaled(a, b[0])
        numbers = [None if end is None else ops.const_int(end) for end in (*x, *y)]
        if None in numbers:
            return EVERYTHING
        x0, x1, y0, y1 = [n for n in numbers if n is not None]
        corners = (x0 * y0, x0 * y1, x1 * y0, x1 * y1)
        dtype = x[0].dtype if x[0] is not None else "int64"
        return const(min(corners), dtype), const(max(corners), dtype)

    def scaled(self, x: Ends, factor: Expr) -> Ends:
        lo, hi = [None if end is None else ops.mul(end, factor) for end in x]
        sign = self.sign(factor)
        if sign != 0:
            return (lo, hi) if sign > 0 else (hi, lo)
        if ops.const_int(factor) == 0:
            return factor, factor
        return self.hull((lo, lo), (hi, hi)) if lo is not None and hi is not None else EVERYTHING

    def sign(self, e: Expr) -> int:
        """1 for what is certainly at least 1, -1 for what is at most -1, 0 where that is not known."""
        lo, hi = self.analyzer.const_bounds(e)
        return 1 if lo is not None and lo > 0 else -1 if hi is not None and hi < 0 else 0

    def quotient(self, divide: Any, a: Expr, b: Expr) -> Ends:
        x, divisor = self.part(a), self.part(b)
        if divisor[0] is None or divisor[0] is not divisor[1]:
            return EVERYTHING
        lo, hi = [None if end is None else divide(end, divisor[0]) for end in x]
        sign = self.sign(divisor[0])
        return (lo, hi) if sign > 0 else (hi, lo) if sign < 0 else EVERYTHING

    def remainder(self, a: Expr, b: Expr) -> Ends:
        (lo, hi), (divisor, same) = self.part(a), self.part(b)
        if divisor is None or divisor is not same or self.sign(divisor) <= 0:
            return EVERYTHING
        if lo is not None and hi is not None:
            first, last = ops.floordiv(lo, divisor), ops.floordiv(hi, divisor)
            if self.analyzer.can_prove(ops.equal(first, last)):
                start = ops.mul(first, divisor)
                return ops.sub(lo, start), ops.sub(hi, start)
        return const(0, divisor.dtype), ops.sub(divisor, 1)

    def truncated_remainder(self, a: Expr, b: Expr) -> Ends:
        (lo, hi), (divisor, same) = self.part(a), self.part(b)
        if divisor is None or divisor is not same or self.sign(divisor) <= 0:
            return EVERYTHING
        last = ops.sub(divisor, 1)
        if lo is None or not self.analyzer.can_prove(ops.greater_equal(lo, 0)):
            return ops.sub(0, last), last
        if hi is not None and self.analyzer.can_prove(ops.less(hi, divisor)):
            return lo, hi
        return const(0, divisor.dtype), last

    def extreme(self, f: Any, x: Ends, y: Ends) -> Ends:
        """Min or max of two sets. An end that is missing on one side is bounded by the other one where `f` clamps."""
        lows, highs = (x[0], y[0]), (x[1], y[1])
        is_min = f is ops.minimum
        lo = _all(f, lows) if is_min else _any(f, lows)
        hi = _any(f, highs) if is_min else _all(f, highs)
        return lo, hi

    def hull(self, x: Ends, y: Ends) -> Ends:
        return _all(ops.minimum, (x[0], y[0])), _all(ops.maximum, (x[1], y[1]))


def _each(f: Any, x: Ends, y: Ends) -> Ends:
    if x[0] is x[1] and y[0] is y[1] and x[0] is not None and y[0] is not None:
        both = f(x[0], y[0])
        return both, both
    return _all(f, (x[0], y[0])), _all(f, (x[1], y[1]))


def _all(f: Any, ends: tuple[End, End]) -> End:
    a, b = ends
    return None if a is None or b is None else f(a, b)


def _any(f: Any, ends: tuple[End, End]) -> End:
    a, b = ends
    return b if a is None else a if b is None else f(a, b)


# ---------------------------------------------------------------- regions


def estimate_region_upper_bound(
    region: Sequence[Range], var_dom: Mapping[Any, Any], predicate: Any = True
) -> list[IntervalSet]:
    """For each dimension, an interval with all that a region covers while variables run over their ranges. Where the
    `predicate` bounds a variable, it runs over less."""
    from tewb.arith.clip_bound import clipped  # which asks about sets

    known = clipped(domains(var_dom), convert(predicate))
    return [_covered(r, known) for r in region]


def _covered(r: Range, known: Mapping[Var, IntervalSet]) -> IntervalSet:
    from tewb.arith.analyzer import Analyzer

    sets = SetOfValues(Analyzer(), known)
    if ops.const_int(r.extent) == 1:
        return IntervalSet.of(sets.of(r.min))
    last = ops.sub(ops.add(r.min, r.extent), 1)
    return IntervalSet.of((sets.of(r.min)[0], sets.of(last)[1]))


def estimate_region_strict_bound(
    region: Sequence[Range], var_dom: Mapping[Any, Any], predicate: Any = True
) -> list[IntervalSet] | None:
    """For each dimension, the interval that a region covers, all of it and no more; None where it is not shown that the
    region is such a box: dimensions that share a variable, strides with gaps, a predicate that cuts something out."""
    from tewb.arith.analyzer import Analyzer
    from tewb.arith.detect_linear import detect_linear

    analyzer, known = Analyzer(), domains(var_dom)
    for v, own in known.items():
        lo, hi = own.ends
        analyzer.bind(v, lo, hi)
    if not analyzer.can_prove(convert(predicate)):
        return None
    used: set[Var] = set()
    for r in region:
        found = detect_linear(analyzer.simplify(r.min), list(known))
        extent = ops.const_int(r.extent)
        if found is None or extent is None or uses(r.extent, list(known)):
            return None
        coefficients = {v: ops.const_int(c) for v, c in found[0].items()}
        if used & coefficients.keys() or not _has_no_gaps(coefficients, known, extent):
            return None
        used |= coefficients.keys()
    return [_covered(r, known) for r in region]


estimate_region_lower_bound = estimate_region_strict_bound


def _has_no_gaps(
    coefficients: Mapping[Var, int | None], known: Mapping[Var, IntervalSet], extent: int
) -> bool:
    """Whether sums of multiples of variables, and the `extent` integers from there on, are all integers of an interval."""
    reach = extent
    by_size = sorted(coefficients.items(), key=lambda pair: abs(pair[1] or 0))
    for v, c in by_size:
        lo, hi = [None if end is None else ops.const_int(end) for end in known[v].ends]
        if c is None or lo is None or hi is None or hi < lo:
            return False
        if hi > lo and abs(c) > reach:
            return False
        reach += abs(c) * (hi - lo)
    return True


__all__ = [
    "IntSet", "IntervalSet", "estimate_region_lower_bound", "estimate_region_strict_bound", "estimate_region_upper_bound", "int_set",
    "neg_inf", "pos_inf", "union_lower_bound",
]  # fmt: skip
