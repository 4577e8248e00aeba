"""The builder of float code: each helper computes what it says, as a scalar and as a vector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from tests.codegen.llvm_functions import computed, function
from tests.codegen.vector_math.exactness import DTYPES, PLAIN, plain
from tewb.base import DType
from tewb.codegen.vector_math.build import Math

CASES = [(dtype, lanes) for dtype in DTYPES for lanes in (1, 8)]


def of(
    write: Callable[[Math, Sequence[str]], str],
    *arrays: Any,
    dtype: str,
    lanes: int,
    target: str | None = None,
) -> Any:
    d = DType(dtype).with_lanes(lanes)
    return computed(
        lambda f, x: write(Math(f, d), x), *[np.array(a, dtype) for a in arrays], lanes=lanes, target=target
    )


@pytest.mark.parametrize(("dtype", "lanes"), CASES)
def test_polynomials_begin_with_the_lowest_coefficient(dtype: str, lanes: int) -> None:
    x = np.arange(-4, 4, dtype=dtype)
    got = of(lambda m, a: m.poly(a[0], (1.0, -2.0, 3.0)), x, dtype=dtype, lanes=lanes)
    np.testing.assert_array_equal(got, 1 - 2 * x + 3 * x * x)
    assert (of(lambda m, a: m.poly(a[0], (7.0,)), x, dtype=dtype, lanes=lanes) == 7).all()


@pytest.mark.parametrize(("dtype", "lanes"), CASES)
def test_limits_keep_nan(dtype: str, lanes: int) -> None:
    x = [np.nan, -np.inf, -3, 0, 1, 2, 5, np.inf]
    got = of(lambda m, a: m.at_most(m.at_least(a[0], -1.0), 2.0), x, dtype=dtype, lanes=lanes)
    np.testing.assert_array_equal(got, [np.nan, -1, -1, 0, 1, 2, 2, 2])


@pytest.mark.parametrize(("dtype", "lanes"), CASES)
def test_rounding_to_the_even_integer_gives_a_float_and_its_bits(dtype: str, lanes: int) -> None:
    x = [0.5, 1.5, 2.5, -0.5, -1.5, 7.49, -1000.0, 1000.25]
    nearest = of(lambda m, a: m.rounded(a[0], 1.0)[0], x, dtype=dtype, lanes=lanes)
    np.testing.assert_array_equal(nearest, np.rint(x))
    np.testing.assert_array_equal(
        of(lambda m, a: m.rounded(a[0], 2.0)[0], x, dtype=dtype, lanes=lanes), np.rint(np.array(x) * 2)
    )
    small = np.clip(x, -100, 100)
    power = of(lambda m, a: m.power_of_two(m.rounded(a[0], 1.0)[1]), small, dtype=dtype, lanes=lanes)
    np.testing.assert_array_equal(power, 2.0 ** np.rint(small))
    scaled = of(
        lambda m, a: m.times_power_of_two(a[1], m.rounded(a[0], 1.0)[1]),
        small,
        [1.5] * 8,
        dtype=dtype,
        lanes=lanes,
    )
    np.testing.assert_array_equal(scaled, 1.5 * 2.0 ** np.rint(small))


@pytest.mark.parametrize("target", [None, pytest.param(PLAIN, marks=plain)])
@pytest.mark.parametrize(("dtype", "lanes"), CASES)
def test_an_exponent_is_a_number_and_its_unit(dtype: str, lanes: int, target: str | None) -> None:
    powers = np.array([0, 1, -1, 17, -126, 127, 2, -2], "float64")

    def write(m: Math, a: Sequence[str]) -> str:
        power = m.int_op("and", m.int_op("sub", m.bits(a[0]), m.bias << m.digits), -1 << m.digits)
        value, unit = m.exponent(power)
        return m.mul(value, unit)

    got = of(write, 1.25 * 2.0**powers, dtype=dtype, lanes=lanes, target=target)
    np.testing.assert_array_equal(got, powers)


def test_constants_have_all_lanes() -> None:
    scalar, vector = Math(function(), DType("float64")), Math(function(), DType("float32x2"))
    assert scalar.integer(-3) == "-3" and vector.integer(-3) == "<i32 -3, i32 -3>"
    assert scalar.number(2.0) == "0x4000000000000000" and vector.number(2.0).count("0x4000000000000000") == 2
    assert (scalar.it, vector.it, vector.b1) == ("i64", "<2 x i32>", "<2 x i1>")
