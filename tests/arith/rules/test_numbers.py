"""Rules for numbers: computed as data is, and division by 0."""

from __future__ import annotations

import math

import pytest

from tests.arith.one_rule import apply, becomes
from tewb.base import BOOL, DType
from tewb.ir import (
    GE,
    LT,
    Add,
    Div,
    Expr,
    FloatImm,
    FloorDiv,
    FloorMod,
    IntImm,
    Max,
    Min,
    Mod,
    Mul,
    Sub,
    Var,
    const,
)


def of(kind: type, a: float, b: float, dtype: str) -> Expr:
    d = DType(dtype)
    number = FloatImm if d.is_float else IntImm
    x, y = (number(v, d) for v in (a, b))  # type: ignore[arg-type]
    return kind(x, y, BOOL if kind in (LT, GE) else d)  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", [FloorDiv, FloorMod, Div, Mod])
@pytest.mark.parametrize("dtype", ["int32", "uint8", "int64"])
def test_an_integer_divided_by_0_is_0(kind: type, dtype: str) -> None:
    x = Var("x", DType(dtype))
    zero = apply("division_by_zero", kind(x, IntImm(0, x.dtype), x.dtype))
    assert isinstance(zero, IntImm) and (zero.value, zero.dtype) == (0, dtype)
    assert apply("division_by_zero", kind(x, IntImm(1, x.dtype), x.dtype)) is None
    assert apply("division_by_zero", kind(x, x, x.dtype)) is None


def test_a_float_divided_by_0_stays() -> None:
    f = DType("float32")
    assert apply("division_by_zero", Div(Var("f", f), const(0.0), f)) is None
    assert apply("operation_on_numbers", of(Div, 1.0, 0.0, "float32")) is None


@pytest.mark.parametrize(
    ("kind", "a", "b", "dtype", "wanted"),
    [
        (Add, 100, 100, "int8", "T.int8(-56)"),
        (Sub, 0, 1, "uint8", "T.uint8(255)"),
        (Mul, 2**31, 2, "uint32", "T.uint32(0)"),
        (Add, 1.5, 2.0, "float32", "T.float32(3.5)"),
        (Add, 2.0**24, 1.0, "float32", "T.float32(16777216.0)"),
        (Add, 3, 4, "int32", None),  # canonical_sum adds indices
        (Mul, 3, 4, "int64", None),
    ],
)  # fmt: skip
def test_sums_of_numbers_wrap_or_round(
    kind: type, a: float, b: float, dtype: str, wanted: str | None
) -> None:
    assert becomes("sum_of_numbers", of(kind, a, b, dtype)) == wanted


@pytest.mark.parametrize(
    ("kind", "a", "b", "dtype", "wanted"),
    [
        (FloorDiv, -7, 2, "int32", "-4"),
        (FloorMod, -7, 2, "int32", "1"),
        (FloorMod, 7, -2, "int32", "-1"),
        (Div, -7, 2, "int32", "-3"),
        (Mod, -7, 2, "int32", "-1"),
        (Min, -7, 2, "int32", "-7"),
        (Max, 255, 0, "uint8", "T.uint8(255)"),
        (LT, 3, 4, "int32", "T.bool(True)"),
        (GE, 3.0, 4.0, "float32", "T.bool(False)"),
        (Div, 1.0, 4.0, "float32", "T.float32(0.25)"),
        (Min, 1.0, 2.0, "float32", None),  # of NaN and of -0.0 it is no simple choice
        (Mod, 5.0, 2.0, "float32", None),
        (LT, math.nan, 1.0, "float32", "T.bool(False)"),
    ],
)  # fmt: skip
def test_other_operations_on_numbers(kind: type, a: float, b: float, dtype: str, wanted: str | None) -> None:
    assert becomes("operation_on_numbers", of(kind, a, b, dtype)) == wanted


def test_the_smallest_number_divided_by_minus_1_wraps() -> None:
    assert becomes("operation_on_numbers", of(FloorDiv, -(2**31), -1, "int32")) == "-2147483648"


def test_a_variable_is_no_number() -> None:
    x = Var("x", DType("int8"))
    for e in (Add(x, IntImm(1, x.dtype), x.dtype), Add(IntImm(1, x.dtype), x, x.dtype)):
        assert apply("sum_of_numbers", e) is None
    assert apply("operation_on_numbers", Min(x, IntImm(1, x.dtype), x.dtype)) is None
