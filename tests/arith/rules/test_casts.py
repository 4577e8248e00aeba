"""Rules for conversions: of what has the dtype already, and of numbers."""

from __future__ import annotations

import math

import pytest

from tests.arith.one_rule import becomes
from tewb.base import DType
from tewb.ir import Cast, FloatImm, IntImm, Var


def of_number(value: float, given: str, dtype: str) -> str | None:
    number = FloatImm(value, DType(given)) if given.startswith("float") else IntImm(int(value), DType(given))
    return becomes("cast_of_a_number", Cast(number, DType(dtype)))


@pytest.mark.parametrize("dtype", ["int32", "uint8", "float64", "bool", "int32x4"])
def test_a_cast_to_its_own_dtype_is_no_cast(dtype: str) -> None:
    x = Var("x", DType(dtype))
    if x.dtype.lanes == 1:
        assert becomes("cast_to_its_own_dtype", Cast(x, x.dtype)) == "x"


@pytest.mark.parametrize(
    ("given", "dtype"), [("int32", "int64"), ("uint32", "int32"), ("float32", "float64")]
)
def test_a_cast_to_another_dtype_stays(given: str, dtype: str) -> None:
    assert becomes("cast_to_its_own_dtype", Cast(Var("x", DType(given)), DType(dtype))) is None
    assert becomes("cast_of_a_number", Cast(Var("x", DType(given)), DType(dtype))) is None


@pytest.mark.parametrize(
    ("value", "given", "dtype", "wanted"),
    [
        (300, "int32", "int8", "T.int8(44)"),
        (-1, "int32", "uint8", "T.uint8(255)"),
        (128, "uint8", "int8", "T.int8(-128)"),
        (2**31 - 1, "int32", "int64", "T.int64(2147483647)"),
        (2.9, "float32", "int32", "2"),
        (-2.9, "float32", "int32", "-2"),
        (3, "int32", "float32", "T.float32(3.0)"),
        (7, "int32", "bool", "T.bool(True)"),
        (0, "int32", "bool", "T.bool(False)"),
    ],
)
def test_a_number_is_converted_as_data_is(value: float, given: str, dtype: str, wanted: str) -> None:
    assert of_number(value, given, dtype) == wanted


@pytest.mark.parametrize("value", [1e30, -1e30, math.inf, -math.inf, math.nan])
def test_a_float_beyond_the_range_stays_a_cast(value: float) -> None:
    assert of_number(value, "float32", "int32") is None
