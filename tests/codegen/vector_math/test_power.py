"""pow: exact to a few ulp, and all that C says of zeros, infinities and negative bases."""

from __future__ import annotations

import itertools
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp

from tests.codegen.elementwise import run
from tests.codegen.llvm_functions import computed
from tests.codegen.vector_math.exactness import DTYPES, PLAIN, agrees, plain, positive, rng, special, ulps
from tewb import te
from tewb.base import DType
from tewb.codegen.function import Function
from tewb.codegen.vector_math import power
from tewb.codegen.vector_math.build import Math


@pytest.mark.parametrize("dtype", DTYPES)
def test_power_is_exact_to_a_few_ulp(dtype: str) -> None:
    size = 87 if dtype == "float32" else 708
    # Near the square roots of 2 and 1/2 the series of the logarithm is longest.
    near = rng.uniform(0.69, 1.43, 1000)
    x = np.concatenate([positive(1000), near]).astype(dtype)
    largest = size / np.abs(np.log(x.astype("float64")))
    y = (rng.uniform(-1, 1, 2000) * np.minimum(largest, 1000)).astype(dtype)
    negative = x.copy()
    negative[::3] *= -1
    whole = np.trunc(y)
    with mp.workprec(200):
        for a, b in ((x, y), (negative, whole)):
            want = [mpmath.mpf(float(p)) ** mpmath.mpf(float(q)) for p, q in zip(a, b, strict=True)]
            for lanes in (1, 13, 16):
                assert ulps(run(te.power, a, b, lanes=lanes), want) <= (3.0 if dtype == "float32" else 1.5)


@plain
@pytest.mark.parametrize("dtype", DTYPES)
def test_power_is_exact_without_wide_instructions(dtype: str) -> None:
    x = positive(1000).astype(dtype)
    largest = (87 if dtype == "float32" else 708) / np.abs(np.log(x.astype("float64")))
    y = (rng.uniform(-1, 1, 1000) * np.minimum(largest, 1000)).astype(dtype)
    with mp.workprec(200):
        want = [mpmath.mpf(float(p)) ** mpmath.mpf(float(q)) for p, q in zip(x, y, strict=True)]
    assert ulps(run(te.power, x, y, lanes=8, target=PLAIN), want) <= (3.0 if dtype == "float32" else 1.5)


@pytest.mark.parametrize("lanes", [1, 5, 16])
@pytest.mark.parametrize("dtype", DTYPES)
def test_special_values_of_pairs(dtype: str, lanes: int) -> None:
    pairs = np.array(list(itertools.product(special(dtype), special(dtype))), dtype)
    x, y = pairs[:, 0].copy(), pairs[:, 1].copy()
    with np.errstate(all="ignore"):
        want = np.power(x.astype(np.longdouble), y.astype(np.longdouble)).astype(dtype)
    assert agrees(run(te.power, x, y, lanes=lanes), want)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("lanes", [1, 8])
def test_the_library_is_asked_for_infinities_and_nan_only(dtype: str, lanes: int) -> None:
    def seven(f: Function, d: DType, args: Any) -> str:
        return Math(f, d).number(7.0)

    d = DType(dtype).with_lanes(lanes)
    x, y = np.array([2, 4, -3, 0, 1e-30, 5, 9, 1], dtype), np.array([3, 0.5, 3, 0, 2, -1, 0, 1000], dtype)
    got = computed(lambda f, a: power(seven)(f, d, a), x, y, lanes=lanes)
    np.testing.assert_allclose(
        got, x**y, rtol=4 * np.finfo(dtype).eps, atol=np.finfo(dtype).smallest_subnormal
    )
    y[2] = np.inf
    got = computed(lambda f, a: power(seven)(f, d, a), x, y, lanes=lanes)
    assert got[2] == 7 and (got == 7).sum() == lanes
