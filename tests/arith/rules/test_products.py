"""Rules for products with 1 and 0."""

from __future__ import annotations

import pytest

from tests.arith.one_rule import apply
from tewb.base import DType
from tewb.ir import IntImm, Mul, Var, const, is_const


@pytest.mark.parametrize("dtype", ["int8", "uint64", "int32", "float32", "float64"])
def test_a_product_with_1_on_either_side(dtype: str) -> None:
    x = Var("x", DType(dtype))
    one = const(1.0 if x.dtype.is_float else 1, dtype)
    assert apply("product_with_one", Mul(x, one, x.dtype)) is x
    assert apply("product_with_one", Mul(one, x, x.dtype)) is x
    assert apply("product_with_one", Mul(one, one, x.dtype)) is one


@pytest.mark.parametrize("dtype", ["int8", "uint64", "int32"])
def test_a_product_of_integers_with_0(dtype: str) -> None:
    x, zero = Var("x", DType(dtype)), IntImm(0, DType(dtype))
    for a, b in ((x, zero), (zero, x)):
        after = apply("product_with_zero", Mul(a, b, x.dtype))
        assert after is not None and is_const(after, 0) and after.dtype == dtype


def test_a_float_times_0_may_be_nan() -> None:
    f = Var("f", DType("float32"))
    assert apply("product_with_zero", Mul(f, const(0.0), f.dtype)) is None
    assert apply("product_with_zero", Mul(const(-0.0), f, f.dtype)) is None


@pytest.mark.parametrize("number", [2, -1, 255])
def test_other_numbers_stay(number: int) -> None:
    x = Var("x", DType("int16"))
    e = Mul(x, const(number, x.dtype), x.dtype)
    assert apply("product_with_one", e) is None and apply("product_with_zero", e) is None
