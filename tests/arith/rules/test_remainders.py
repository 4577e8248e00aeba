"""Rules for the remainder of floor division."""

from __future__ import annotations

import pytest

from tests.arith.one_rule import apply, becomes
from tewb.arith import Analyzer
from tewb.base import INT32, DType
from tewb.ir import Expr, FloorMod, IntImm, Mul, Var

x, y, n = (Var(name, INT32) for name in "xyn")
RANGES = {x: (-9, 9), y: (0, 3)}


def test_a_remainder_by_1_is_0() -> None:
    for dtype in ("int32", "uint8"):
        v = Var("v", DType(dtype))
        zero = apply("remainder_by_one", FloorMod(v, IntImm(1, v.dtype), v.dtype))
        assert isinstance(zero, IntImm) and (zero.value, zero.dtype) == (0, dtype)
        assert apply("remainder_by_one", FloorMod(v, IntImm(2, v.dtype), v.dtype)) is None


@pytest.mark.parametrize(
    ("e", "after"),
    [
        ((x * 4 + y) % 4, "y"),
        ((x * 4 + y + 1) % 4, None),
        ((x * 4 + y + 4) % 4, "y"),
        ((x * 4 - y - 1) % 4, "3 - y"),
        (y % 4, "y"),
        (y % 3, None),
        ((x * 2 + y) % 4, None),
        ((x * 4 + y) % -4, None),
    ],
    ids=str,
)
def test_a_rest_with_one_quotient(e: Expr, after: str | None) -> None:
    assert becomes("remainder_of_a_bounded_rest", e, RANGES) == after


@pytest.mark.parametrize(
    ("e", "after"),
    [
        ((x * 4 + y * 3) % 4, "y * 3 % 4"),
        ((x * 3 + 9) % 4, "(x * 3 + 1) % 4"),
        ((x * 3 - 1) % 4, "(x * 3 + 3) % 4"),
        ((x * 5 + 1) % 4, None),  # 5 stays, so that x // 4 * 4 + x % 4 finds its x
        (x % 4, None),
    ],
    ids=str,
)
def test_multiples_are_left_out(e: Expr, after: str | None) -> None:
    assert becomes("remainder_of_multiples", e, RANGES) == after


@pytest.mark.parametrize(
    ("e", "after"),
    [
        (x % 12 % 4, "x % 4"),
        ((x % 6 * 2 + y) % 4, "(x * 2 + y) % 4"),
        (x % 6 % 4, None),
        (x % -12 % 4, None),
        ((x + 5) % 8 % 4, "(x + 1) % 4"),
        (x % 4 % 8, None),
    ],
    ids=str,
)
def test_a_remainder_of_a_remainder(e: Expr, after: str | None) -> None:
    assert becomes("remainder_of_a_remainder", e, RANGES) == after


@pytest.mark.parametrize(
    ("e", "after"),
    [
        (x * 6 % 8, "x * 3 % 4 * 2"),
        ((x * 6 + 4) % 8, "(x * 3 + 2) % 4 * 2"),
        ((x * 6 + 1) % 8, None),
        (x * 8 % 8, None),
        (x % 8, None),
    ],
    ids=str,
)
def test_a_common_factor_is_taken_out(e: Expr, after: str | None) -> None:
    assert becomes("common_factor_of_a_remainder", e, RANGES) == after


def test_by_a_symbol_the_rest_must_be_less_than_it() -> None:
    e = FloorMod(Mul(x, n, INT32) + y, n, INT32)
    assert becomes("remainder_by_a_symbol", e, {**RANGES, n: (4, 9)}) == "y"
    assert becomes("remainder_by_a_symbol", e, {**RANGES, n: (3, 9)}) is None
    a = Analyzer()
    a.bind_extent(y, 0, n)
    assert apply("remainder_by_a_symbol", e, a) is y


def test_multiples_of_a_symbol_are_left_out_also_where_it_may_be_0() -> None:
    e = FloorMod(Mul(x, n, INT32) + y, n, INT32)
    assert becomes("remainder_of_multiples_of_a_symbol", e, {**RANGES, n: (-2, 9)}) == "y % n"
    assert (
        becomes("remainder_of_multiples_of_a_symbol", FloorMod(y, n, INT32), {y: (0, 3), n: (1, 9)}) is None
    )


def test_values_that_wrap_are_not_divided() -> None:
    for name, e in (
        ("remainder_of_multiples", (x * 3 + y * 4) % 3),
        ("remainder_of_a_bounded_rest", (x * 4 + y) % 4),
        ("common_factor_of_a_remainder", x * 6 % 8),
    ):
        assert becomes(name, e, values=True) is None
        assert becomes(name, e, RANGES, values=True) is not None
