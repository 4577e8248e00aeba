"""Rules for sums, differences and products of indices."""

from __future__ import annotations

import pytest

from tests.arith.one_rule import apply, becomes
from tewb.base import INT32, DType
from tewb.ir import Add, Expr, IntImm, Mul, Sub, Var, const, ops

x, y, c = (Var(name, INT32) for name in "xyc")
RANGES = {x: (-9, 9), y: (-4, 4)}


@pytest.mark.parametrize(
    ("e", "after"),
    [
        ((x + y + 2) * 3 - x, "x * 2 + y * 3 + 6"),
        (x - x + y - y, "0"),
        (y * 2 + x, "y * 2 + x"),
        (Add(x, const(0), INT32), "x"),
        (Mul(x, const(1), INT32), "x"),
        (x - (-3), "x + 3"),
        ((x - y) * (x + y), "x * x - y * y"),
    ],
    ids=str,
)
def test_sums_are_put_in_order(e: Expr, after: str) -> None:
    assert becomes("canonical_sum", e, RANGES) == after


def test_a_sum_in_order_is_the_same_object() -> None:
    e = x * 2 + y + 6
    assert apply("canonical_sum", e) is e


def test_other_dtypes_have_no_canonical_sums() -> None:
    for dtype in ("int16", "uint32", "float32"):
        v = Var("v", DType(dtype))
        assert apply("canonical_sum", Add(v, v, v.dtype)) is None


def test_numbers_beyond_the_dtype_are_left_in_an_index_and_wrap_in_a_value() -> None:
    e = x * 2**20 * 2**12
    assert becomes("canonical_sum", e) is None
    assert becomes("canonical_sum", e, values=True) == "0"


@pytest.mark.parametrize(
    ("e", "after"),
    [
        (x // 4 * 4 + x % 4, "x"),
        (x // 4 * 12 + x % 4 * 3 + y, "y + x * 3"),
        (x // -3 * -3 + x % -3, "x"),
        (x // 4 * 4 + x % 3, None),
        (x // 4 * 3 + x % 4, None),
        (x // 4 * 4 - x % 4, None),
        (x // 4 * 4 + y % 4, None),
    ],
    ids=str,
)
def test_a_quotient_and_its_remainder_are_joined(e: Expr, after: str | None) -> None:
    assert becomes("quotient_and_remainder", e, RANGES) == after


def test_a_divisor_that_may_be_0_is_not_joined() -> None:
    e = x // c * c + x % c
    assert becomes("quotient_and_remainder", e, {x: (-9, 9), c: (1, 5)}) == "x"
    assert becomes("quotient_and_remainder", e, {x: (-9, 9), c: (-5, -1)}) == "x"
    assert becomes("quotient_and_remainder", e, {x: (-9, 9), c: (0, 5)}) is None


def test_a_value_that_wraps_is_not_joined() -> None:
    wide = x * 5
    e = wide // 4 * 4 + wide % 4
    assert becomes("quotient_and_remainder", e) == "x * 5"
    assert becomes("quotient_and_remainder", e, values=True) is None
    assert becomes("quotient_and_remainder", e, {x: (-9, 9)}, values=True) == "x * 5"


@pytest.mark.parametrize("dtype", ["int8", "uint64", "bool"])
def test_sums_with_0(dtype: str) -> None:
    v, zero = Var("v", DType(dtype)), IntImm(0, DType(dtype))
    if v.dtype.is_int:
        assert (
            apply("sum_with_zero", Add(v, zero, v.dtype))
            is v
            is apply("sum_with_zero", Add(zero, v, v.dtype))
        )
        assert apply("sum_with_zero", Sub(v, zero, v.dtype)) is v
        assert apply("sum_with_zero", Sub(zero, v, v.dtype)) is None
        assert apply("sum_with_zero", Add(v, IntImm(1, v.dtype), v.dtype)) is None


def test_floats_keep_a_0() -> None:
    f = Var("f", DType("float32"))
    for e in (Add(f, const(0.0), f.dtype), Sub(f, const(0.0), f.dtype), ops.add(f, -0.0)):
        assert apply("sum_with_zero", e) is None
