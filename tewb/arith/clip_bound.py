"""What conditions say of single variables: linear equations, clipped ranges, and the bound of one variable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tewb.arith.analyzer import Analyzer
from tewb.arith.comparisons import negated
from tewb.arith.detect_linear import detect_linear
from tewb.arith.int_sets import IntervalSet, SetOfValues, domains
from tewb.ir import (
    EQ,
    GE,
    GT,
    LE,
    LT,
    Add,
    And,
    Call,
    Expr,
    FloorDiv,
    IterVar,
    Max,
    Min,
    Mul,
    Not,
    Or,
    Sub,
    Var,
    convert,
    ops,
    uses,
    walk,
)


def detect_linear_equation(expr: Any, var_list: Sequence[Any]) -> list[Expr]:
    """The coefficients of variables in `expr`, in their order, and the rest, which has none of them. Empty if it is not
    linear in them.

        detect_linear_equation(a * 4 + b * 6 + 7, [a])    [4, b * 6 + 7]
    """
    e, variables = convert(expr), [_var(v) for v in var_list]
    found = detect_linear(e, variables) if e.dtype.lanes == 1 else None
    if found is None:
        return []
    coefficients, rest = found
    simplify = Analyzer().simplify
    zero = ops.const(0, e.dtype)
    return [simplify(coefficients.get(v, zero)) for v in variables] + [simplify(rest)]


def _var(v: Any) -> Var:
    return v.var if isinstance(v, IterVar) else v


# ---------------------------------------------------------------- conditions as inequalities


def at_most_zero(cond: Expr) -> list[Expr] | None:
    """Integers that are all at most 0 exactly where `cond` holds; None where it is no conjunction of comparisons.

    a < b and c == d    ->    a - b + 1, c - d, d - c
    """
    match cond:
        case And(a, b):
            first, second = at_most_zero(a), at_most_zero(b)
            return None if first is None or second is None else [*first, *second]
        case Call("likely", (a,)):
            return at_most_zero(a)
        case Not(Or(a, b)):
            return at_most_zero(And(Not(a, a.dtype), Not(b, b.dtype), cond.dtype))
        case Not(a):
            denied = negated(a)
            return None if denied is None else at_most_zero(denied)
        case LT(a, b) | LE(a, b) | GT(a, b) | GE(a, b) | EQ(a, b) if a.dtype.is_int and a.dtype.lanes == 1:
            if isinstance(cond, EQ):
                return [ops.sub(a, b), ops.sub(b, a)]
            if isinstance(cond, GT | GE):
                a, b = b, a
            one = 1 if isinstance(cond, LT | GT) else 0
            return _taken_apart(a, b, one)
    return None


def _taken_apart(a: Expr, b: Expr, one: int) -> list[Expr]:
    """a + one <= b as sums that are at most 0: a max is at most b if both of its sides are, and so on."""
    match a, b:
        case Max(x, y), _:
            return [*_taken_apart(x, b, one), *_taken_apart(y, b, one)]
        case _, Min(x, y):
            return [*_taken_apart(a, x, one), *_taken_apart(a, y, one)]
    return [ops.add(ops.sub(a, b), one)]


# ---------------------------------------------------------------- clipped ranges


def detect_clip_bound(expr: Any, var_list: Sequence[Any]) -> list[Expr | None]:
    """The least and the largest value of each variable for which `expr` holds, in the order of the variables; None where
    it has no such bound. Empty if the condition does not say it of each variable by itself.

        detect_clip_bound(te.all(a < b * 6, a > 1), [a])    [2, b * 6 - 1]
    """
    variables = [_var(v) for v in var_list]
    sums = at_most_zero(convert(expr))
    if sums is None:
        return []
    analyzer = Analyzer()
    bounds: dict[Var, list[Expr | None]] = {v: [None, None] for v in variables}
    for s in sums:
        found = detect_linear(analyzer.simplify(s), variables)
        if found is None or len(found[0]) != 1:
            return []
        ((v, coefficient),) = found[0].items()
        factor = ops.const_int(coefficient)
        if not factor:
            return []
        low, high = bounds[v]
        if factor > 0:  # factor * v <= -rest
            end = ops.floordiv(ops.sub(0, found[1]), factor)
            high = end if high is None else ops.minimum(high, end)
        else:  # v >= rest / -factor
            end = ops.sub(0, ops.floordiv(ops.sub(0, found[1]), -factor))
            low = end if low is None else ops.maximum(low, end)
        bounds[v] = [low, high]
    return [None if e is None else analyzer.simplify(e) for v in variables for e in bounds[v]]


def clipped(known: Mapping[Var, IntervalSet], predicate: Expr) -> dict[Var, IntervalSet]:
    """The sets of variables, without what a predicate says that they do not have."""
    result = dict(known)
    analyzer = Analyzer()
    for s in at_most_zero(predicate) or []:
        for v in [v for v in known if uses(s, [v])]:
            found = detect_linear(analyzer.simplify(s), [v])
            factor = ops.const_int(found[0][v]) if found is not None and v in found[0] else None
            if found is None or not factor:
                continue
            others = {w: own for w, own in known.items() if w is not v}
            rest = SetOfValues(analyzer, others).of(found[1])[0]
            if rest is None:
                continue
            low, high = result[v].ends
            if factor > 0:
                end = ops.floordiv(ops.sub(0, rest), factor)
                high = end if high is None else analyzer.simplify(ops.minimum(high, end))
            else:
                end = ops.sub(0, ops.floordiv(ops.sub(0, rest), -factor))
                low = end if low is None else analyzer.simplify(ops.maximum(low, end))
            result[v] = IntervalSet.of((low, high))
    return result


# ---------------------------------------------------------------- the bound of one variable


def deduce_bound(
    var: Any, cond: Any, hint_map: Mapping[Any, Any], relax_map: Mapping[Any, Any]
) -> IntervalSet:
    """The values of `var` for which a comparison certainly holds, whatever values of their sets the variables of
    `relax_map` have. The sets of `hint_map` only tell signs. Nothing, where that cannot be told.

        deduce_bound(a, a * 4 + b < c, {}, {})    up to floordiv(c - b - 1, 4)
    """
    target, condition = _var(var), convert(cond)
    hints, relaxed = domains(hint_map), domains(relax_map)
    analyzer = Analyzer()
    for v, own in {**hints, **relaxed}.items():
        if v is not target and not own.is_nothing():
            analyzer.bind(v, *own.ends)
    if not isinstance(condition, LT | LE | GT | GE | EQ) or _count(condition, target) != 1:
        return IntervalSet.nothing()
    a, b = condition.a, condition.b
    if not a.dtype.is_int or a.dtype.lanes > 1:
        return IntervalSet.nothing()
    op: type[Expr] = type(condition)
    if uses(b, [target]):
        a, b, op = b, a, {LT: GT, LE: GE, GT: LT, GE: LE, EQ: EQ}[type(condition)]
    if op is LT:
        b, op = ops.sub(b, 1), LE
    if op is GT:
        b, op = ops.add(b, 1), GE
    return _solved(target, a, b, op, analyzer, relaxed)


def _count(e: Expr, v: Var) -> int:
    """How often a variable stands in an expression."""
    return sum(1 for n in walk(e) for c in n.children() if c is v)


def _solved(
    target: Var, e: Expr, bound: Expr, op: type[Expr], analyzer: Analyzer, relaxed: Mapping[Var, IntervalSet]
) -> IntervalSet:
    """The set of `target`, which stands once in `e`, where e <= bound, e >= bound or e == bound holds."""
    while e is not target:
        step = _inverted(target, e, bound, op, analyzer)
        if step is None:
            return IntervalSet.nothing()
        e, bound, op = step
    ends = SetOfValues(analyzer, relaxed).of(bound)
    if op is EQ:
        is_point = ends[0] is not None and ends[1] is not None
        if is_point and analyzer.can_prove(ops.equal(ends[0], ends[1])):
            return IntervalSet.of(ends)
        return IntervalSet.nothing()
    end = ends[0] if op is LE else ends[1]  # it holds for all values of what is relaxed
    if end is None:
        return IntervalSet.nothing()
    return IntervalSet.of((None, end) if op is LE else (end, None))


def _inverted(
    target: Var, e: Expr, bound: Expr, op: type[Expr], analyzer: Analyzer
) -> tuple[Expr, Expr, type[Expr]] | None:
    """The comparison with the operand of `e` in which the target stands, and what it is compared with then."""
    if not isinstance(e, Add | Sub | Mul | FloorDiv):
        return None
    a, b = e.a, e.b
    on_left = uses(a, [target])
    inner, other = (a, b) if on_left else (b, a)
    turned: dict[type[Expr], type[Expr]] = {LE: GE, GE: LE, EQ: EQ}
    if isinstance(e, Add):
        return inner, ops.sub(bound, other), op
    if isinstance(e, Sub):
        return (a, ops.add(bound, b), op) if on_left else (b, ops.sub(a, bound), turned[op])
    low, high = analyzer.const_bounds(other)
    sign = 1 if low is not None and low > 0 else -1 if high is not None and high < 0 else 0
    if sign == 0 or (isinstance(e, FloorDiv) and (sign < 0 or not on_left)):
        return None
    if isinstance(e, FloorDiv):  # a // b <= n  is  a <= n * b + b - 1
        least = ops.mul(bound, other)
        if op is EQ:
            return None
        return a, (least if op is GE else ops.sub(ops.add(least, other), 1)), op
    if op is EQ:
        is_whole = analyzer.can_prove(ops.equal(ops.floormod(bound, other), 0))
        return (inner, ops.floordiv(bound, other), op) if is_whole else None
    down = ops.floordiv(bound, other)
    up = ops.sub(0, ops.floordiv(ops.sub(0, bound), other))
    rounded_down = (op is LE) == (sign > 0)
    return inner, (down if rounded_down else up), (op if sign > 0 else turned[op])


__all__ = ["deduce_bound", "detect_clip_bound", "detect_linear_equation"]
