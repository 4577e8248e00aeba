"""Comparisons: opposites, equivalents as sums, and what bounds decide."""

from __future__ import annotations

import itertools

import pytest

from tests.arith.grid import on_grid
from tewb.arith.comparisons import as_nonpositive, decided, negated
from tewb.base import DType
from tewb.ir import EQ, GE, GT, LE, LT, NE, Expr, Var, const, ops, script

x, y = (Var(name, DType("int32")) for name in "xy")
f, g = (Var(name, DType("float32")) for name in "fg")
KINDS = {
    EQ: ops.equal,
    NE: ops.not_equal,
    LT: ops.less,
    LE: ops.less_equal,
    GT: ops.greater,
    GE: ops.greater_equal,
}
SMALL = {x: (-3, 3), y: (-3, 3)}


@pytest.mark.parametrize("kind", KINDS)
def test_the_opposite_holds_where_a_comparison_does_not(kind: type) -> None:
    cond = KINDS[kind](x, y)
    opposite = negated(cond)
    assert opposite is not None
    assert (on_grid(opposite, SMALL) == ~on_grid(cond, SMALL)).all()


def test_the_order_of_floats_has_no_opposite() -> None:
    assert all(negated(KINDS[kind](f, g)) is None for kind in (LT, LE, GT, GE))
    equal = negated(ops.not_equal(f, g))
    assert equal is not None and script(equal) == "f == g"


def test_of_other_conditions_only_a_negation_and_a_hint_have_opposites() -> None:
    cond = ops.less(x, y)
    assert negated(ops.logical_not(ops.logical_and(cond, cond))) is not None
    likely = negated(ops.likely(cond))
    assert likely is not None and script(likely) == "x >= y"
    assert negated(ops.logical_and(cond, ops.less(y, 3))) is None
    assert negated(Var("p", DType("bool"))) is None


@pytest.mark.parametrize("kind", KINDS)
def test_sums_are_all_at_most_0_where_a_comparison_holds(kind: type) -> None:
    cond = KINDS[kind](x, y)
    sums = as_nonpositive(cond)
    if kind is NE:
        assert sums == []
        return
    holds = on_grid(sums[0], SMALL) <= 0
    for s in sums[1:]:
        holds = holds & (on_grid(s, SMALL) <= 0)
    assert (holds == on_grid(cond, SMALL)).all()


def test_numbers_at_the_end_of_a_dtype_are_not_folded() -> None:
    (s,) = as_nonpositive(LT(const(2**31 - 1), x))
    assert "2147483647" in script(s)


@pytest.mark.parametrize("dtype", ["float32", "uint32", "int16", "bool"])
def test_what_orders_otherwise_is_no_sum(dtype: str) -> None:
    a, b = (Var(name, DType(dtype)) for name in "ab")
    cond: Expr = ops.equal(a, b) if dtype == "bool" else ops.less(a, b)
    assert as_nonpositive(cond) == []


@pytest.mark.parametrize("kind", KINDS)
def test_bounds_decide_what_all_differences_agree_on(kind: type) -> None:
    ends = [None, -2, -1, 0, 1, 2]
    for lo, hi in itertools.product(ends, ends):
        if lo is not None and hi is not None and lo > hi:
            continue
        differences = range(-5 if lo is None else lo, (5 if hi is None else hi) + 1)
        answers = {bool(on_grid(KINDS[kind](x, 0), {x: (d, d)})) for d in differences}
        assert decided(kind, lo, hi) == (answers.pop() if len(answers) == 1 else None), (lo, hi)
