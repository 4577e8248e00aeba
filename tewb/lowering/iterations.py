"""The iterations of a loop in which a condition holds, as expressions of values known before the loop."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tewb.arith import Analyzer, detect_linear
from tewb.arith.intset import Interval, eval_set
from tewb.ir import BufferLoad, Call, Expr, Let, Var, const_int, free_vars, ops, walk


@dataclass(frozen=True, slots=True)
class Ends:
    """From iteration `begin` on, or in those before `end`."""

    begin: Expr | None
    end: Expr | None


def iterations_where(
    below: Expr | None, v: Var, inner: Mapping[Var, Interval], unknown: Collection[Var], analyzer: Analyzer
) -> Ends | None:
    """The iterations of `v` in which `below` is negative whatever the loops inside do, whose variables run over
    `inner`; None when `below` does not grow or fall evenly with `v`, or uses a variable that is `unknown`
    before the loop.

        i*32 + j - n < 0,  j from 0 to 31    ->    i < n // 32
    """
    linear = None if below is None else detect_linear(below, [v])
    if linear is None or v not in linear[0]:
        return None
    slope, rest = const_int(linear[0][v]), eval_set(linear[1], inner)
    if slope is None or slope == 0 or rest is None:
        return None
    worst = analyzer.simplify(rest.hi)
    if any(isinstance(n, BufferLoad | Call | Let) for n in walk(worst)):
        return None
    if any(
        x is v or x in inner or x in unknown for x in free_vars(worst)
    ):  # an inner loop may end where v says
        return None
    if slope > 0:  # slope*v + worst < 0 holds for v < -worst/slope
        return Ends(None, analyzer.simplify(ops.floordiv(ops.sub(slope - 1, worst), slope)))
    return Ends(analyzer.simplify(ops.add(ops.floordiv(worst, -slope), 1)), None)


def at_most(e: Expr, limit: Expr, analyzer: Analyzer) -> Expr:
    """The smaller of two, as simple as can be proved."""
    smaller = _never_larger(e, limit, analyzer)
    return ops.minimum(e, limit) if smaller is None else smaller


def at_least(e: Expr, limit: Expr, analyzer: Analyzer) -> Expr:
    """The larger of two, as simple as can be proved."""
    smaller = _never_larger(e, limit, analyzer)
    if smaller is None:
        return ops.maximum(e, limit)
    return limit if smaller is e else e


def _never_larger(a: Expr, b: Expr, analyzer: Analyzer) -> Expr | None:
    """The one of two expressions that is never larger than the other, if that can be proved."""
    if analyzer.can_prove(ops.less_equal(a, b)):
        return a
    return b if analyzer.can_prove(ops.less_equal(b, a)) else None
