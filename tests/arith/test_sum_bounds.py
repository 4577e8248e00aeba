"""Bounds of sums from those of their terms."""

from __future__ import annotations

import pytest

from tests.arith.grid import on_grid, within
from tewb.arith import Analyzer
from tewb.arith.sum_bounds import sum_bounds
from tewb.base import INT32, DType
from tewb.ir import Expr, Var, ops

x, y, n = (Var(name, INT32) for name in "xyn")
RANGES = {x: (-3, 5), y: (0, 7)}


@pytest.mark.parametrize(
    "e", [x + y, x * 3 - y * 2 + 1, x * y, x * y - x, y - x // 2, (x + 1) * (y + 1), x * x], ids=str
)
def test_bounds_hold_for_all_values(e: Expr) -> None:
    a = within(RANGES)
    lo, hi = sum_bounds(a, a.linear.of(e), None)
    values = on_grid(e + (x + y) * 0, RANGES)
    assert lo is not None and hi is not None and lo <= values.min() and values.max() <= hi


def test_bounds_of_sums_of_variables_are_exact() -> None:
    a = within(RANGES)
    assert sum_bounds(a, a.linear.of(x * 3 - y * 2 + 1), None) == (-9 - 14 + 1, 15 + 1)
    assert sum_bounds(a, a.linear.of(x - x + 4), None) == (4, 4)


def test_one_unknown_end_leaves_the_other() -> None:
    a = within(RANGES)
    a.bind(n, 2, None)
    assert sum_bounds(a, a.linear.of(n + x), None) == (-1, None)
    assert sum_bounds(a, a.linear.of(x - n), None) == (None, 3)


def test_with_a_dtype_its_range_bounds_what_nothing_else_does() -> None:
    a, d = within(RANGES), DType("int32")
    assert sum_bounds(a, a.linear.of(n + x), d) == (d.min_value() - 3, d.max_value() + 5)
    assert sum_bounds(a, a.linear.of(n // 8), d)[1] == d.max_value() // 8


def test_a_loop_over_a_size_ends_before_the_largest_number() -> None:
    a, d = Analyzer(), DType("int32")
    a.bind(n, 0, None)
    a.bind_extent(x, 0, n)
    assert sum_bounds(a, a.linear.of(x), d) == (0, d.max_value() - 1)
    a.bind_extent(y, 0, (n + 7) // 8)
    assert sum_bounds(a, a.linear.of(y), d)[1] == (d.max_value() + 7) // 8 - 1


def test_a_size_less_what_fills_it_is_a_remainder() -> None:
    a = Analyzer()
    a.bind(n, 0, None)
    assert sum_bounds(a, a.linear.of(n - n // 8 * 8), None) == (0, 7)
    assert sum_bounds(a, a.linear.of(n // 8 * 8 - n + 3), None) == (-4, 3)
    assert sum_bounds(a, a.linear.of(n // 8 * 4 - n), None) == (None, None)


def test_bounds_that_lead_to_each_other_end() -> None:
    a, d = Analyzer(), DType("int32")
    a.bind(x, 0, y)
    a.bind(y, 0, x)
    low, high = sum_bounds(a, a.linear.of(ops.add(x, y)), d)
    assert low == 0 and high is not None and high >= 0


def test_a_size_less_what_is_rounded_up_is_a_remainder_too() -> None:
    a = Analyzer()
    a.bind(n, 0, None)
    assert a.const_bounds((n + 7) // 8 * 8 - n) == (0, 7)
    assert a.const_bounds(n - (n + 7) // 8 * 8) == (-7, 0)
    assert a.const_bounds((n + 7) // 8 * 16 - n * 2 + 3) == (3, 17)
    with a.values():  # n + 7 may wrap, and then it is far below n
        assert a.const_bounds((n + 7) // 8 * 8 - n) != (0, 7)
