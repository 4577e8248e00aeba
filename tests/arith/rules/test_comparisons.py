"""Rules for comparisons: what bounds decide, and sums compared with a number."""

from __future__ import annotations

import pytest

from tests.arith.one_rule import apply, becomes
from tewb.arith import Analyzer
from tewb.base import INT32, DType
from tewb.ir import EQ, LT, Expr, Var, const, ops

x, y, n = (Var(name, INT32) for name in "xyn")


@pytest.mark.parametrize(
    ("e", "after"),
    [
        (ops.less(x, y), "T.bool(True)"),  # 4 < 5
        (ops.less(x, y - 1), None),  # 4 < 4
        (ops.less_equal(x, y - 1), "T.bool(True)"),
        (ops.greater(x, y), "T.bool(False)"),
        (ops.greater_equal(x, y), "T.bool(False)"),
        (ops.equal(x, y), "T.bool(False)"),
        (ops.not_equal(x, y), "T.bool(True)"),
        (ops.equal(x, y - 1), None),
        (ops.equal(x + n, n + x), "T.bool(True)"),
        (ops.less(x, n), None),
    ],
    ids=str,
)
def test_bounds_decide_a_comparison(e: Expr, after: str | None) -> None:
    ranges = {x: (0, 4), y: (5, 9), n: (None, None)} if "n" in str(e) else {x: (0, 4), y: (5, 9)}
    assert becomes("comparison_by_bounds", e, ranges) == after


def test_values_that_may_wrap_and_floats_are_not_decided() -> None:
    f = Var("f", DType("float32"))
    assert becomes("comparison_by_bounds", ops.less(n, n + 1), values=True) is None
    assert becomes("comparison_by_bounds", ops.less(n, n + 1)) == "T.bool(True)"
    assert becomes("comparison_by_bounds", ops.less(f, f)) is None
    u = Var("u", DType("uint32"))
    assert becomes("comparison_by_bounds", LT(u, u, DType("bool"))) is None


def test_only_what_is_assumed_itself_is_true() -> None:
    a = Analyzer()
    with a.assume(ops.less(x, y)):
        assert str(apply("assumed_comparison", ops.less(x, y), a)) == "T.bool(True)"
        assert apply("assumed_comparison", ops.less(y, x), a) is None
        assert apply("assumed_comparison", ops.less_equal(x, y), a) is None
    assert apply("assumed_comparison", ops.less(x, y), a) is None


@pytest.mark.parametrize(
    ("e", "after"),
    [
        (ops.equal(x * 4 + 1, 3), "T.bool(False)"),
        (ops.not_equal(x * 4 + 1, 3), "T.bool(True)"),
        (ops.equal(x * 4 + y * 6, 7), "T.bool(False)"),
        (ops.equal(x * 4 + y * 6, 10), None),
        (ops.equal(x * 4 + 1, 5), None),
        (ops.equal(x * 4, y * 2 + 1), None),  # with a number only
    ],
    ids=str,
)
def test_an_equation_without_solution(e: Expr, after: str | None) -> None:
    assert becomes("equation_without_solution", e, {x: (-5, 5), y: (-5, 5)}) == after


@pytest.mark.parametrize(
    ("e", "after"),
    [
        (ops.less(x * 4, 9), "x < 3"),
        (ops.less(x * 4, 8), "x < 2"),
        (ops.less_equal(x * 4, 9), "x <= 2"),
        (ops.greater(x * 4, 9), "x > 2"),
        (ops.greater_equal(x * 4, 9), "x >= 3"),
        (ops.less(x * 4 + 1, 0), "x < 0"),
        (ops.greater_equal(x * 4 + 1, 0), "x >= 0"),
        (ops.less(x * -4, 9), "x * (-1) < 3"),
        (ops.less(x + 5, 3), "x < -2"),
        (ops.less(x * 4 + y * 6, 9), "x * 2 + y * 3 < 5"),
        (ops.less(x * 3 + y * 2, 9), None),
        (ops.less(x, 9), None),
        (ops.less(x * 4, y), None),
    ],
    ids=str,
)
def test_a_sum_compared_with_a_number_is_divided(e: Expr, after: str | None) -> None:
    assert becomes("comparison_with_a_number", e, {x: (-7, 7), y: (-7, 7)}) == after


def test_a_limit_beyond_the_dtype_is_left_alone() -> None:
    least = const(-(2**31))
    assert becomes("comparison_with_a_number", LT(x + 5, least, DType("bool"))) is None
    assert becomes("comparison_with_a_number", LT(x + 5, const(9), DType("bool")), values=True) is None
    assert (
        becomes("comparison_with_a_number", EQ(x * 2, const(2**31 - 2), DType("bool"))) == "x == 1073741823"
    )
