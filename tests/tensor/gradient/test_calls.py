"""The derivatives of math functions, against differences."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gradients import assert_gradient, placeholder
from tewb import te
from tewb.ir import intrinsics
from tewb.tensor.gradient.calls import FACTORS

POSITIVE = [
    "exp",
    "exp2",
    "exp10",
    "log",
    "log2",
    "log10",
    "log1p",
    "sqrt",
    "rsqrt",
    "tanh",
    "sigmoid",
    "sin",
]
POSITIVE += ["cos", "tan", "sinh", "cosh", "atan", "asinh", "erf", "abs"]


def of_one(f: Any) -> Any:
    x = placeholder(3, name="x")
    return x, te.compute((3,), lambda i: f(x[i]), name="y")


@pytest.mark.parametrize("name", POSITIVE)
def test_functions_of_positive_numbers(name: str) -> None:
    x, y = of_one(getattr(te, name))
    assert_gradient(y, [x])


@pytest.mark.parametrize("name", ["asin", "acos", "atanh"])
def test_functions_of_small_numbers(name: str) -> None:
    x, y = of_one(getattr(te, name))
    assert_gradient(y, [x], low=-0.9, high=0.9)


def test_acosh() -> None:
    x, y = of_one(te.acosh)
    assert_gradient(y, [x], low=1.1, high=3)


@pytest.mark.parametrize("name", ["sin", "tanh", "abs", "asinh", "sigmoid", "erf"])
def test_functions_of_negative_numbers(name: str) -> None:
    x, y = of_one(getattr(te, name))
    assert_gradient(y, [x], low=-2, high=-0.1)


@pytest.mark.parametrize("name", ["floor", "ceil", "trunc", "round", "nearbyint"])
def test_steps_have_none(name: str) -> None:
    x, y = of_one(getattr(te, name))
    (dx,) = assert_gradient(y, [x])
    assert not dx.op.input_tensors


@pytest.mark.parametrize("name", ["power", "fmod", "atan2", "hypot", "copysign"])
def test_functions_of_two_numbers(name: str) -> None:
    x, y = placeholder(4, name="x"), placeholder(4, name="y")
    z = te.compute((4,), lambda i: getattr(te, name)(x[i] * 3.0, y[i]), name="z")
    assert_gradient(z, [x, y])


def test_fma_and_ldexp() -> None:
    x, y = placeholder(3, name="x"), placeholder(3, name="y")
    z = te.compute((3,), lambda i: te.fma(x[i], y[i], te.ldexp(x[i] * x[i], 3)), name="z")
    assert_gradient(z, [x, y])


@pytest.mark.parametrize("exponent", [1.0, 2.0, 3.0, 2.5, -1.0])
def test_constant_exponents(exponent: float) -> None:
    x = placeholder(3, name="x")
    y = te.compute((3,), lambda i: te.power(x[i], te.const(exponent, "float64")), name="y")
    assert_gradient(y, [x])


def test_every_function_of_floats_is_there() -> None:
    named = {*intrinsics.UNARY_FLOAT, *intrinsics.ROUNDING, *intrinsics.BINARY_FLOAT, "fma", "ldexp", "abs"}
    assert named <= set(FACTORS)
