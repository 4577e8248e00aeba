"""atan, atan2, asin and acos: quadrants, signs of zeros, ends of their ranges."""

from __future__ import annotations

import itertools
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp

from tests.codegen.elementwise import run
from tests.codegen.llvm_functions import computed
from tests.codegen.vector_math.exactness import DTYPES, agrees, rng, special, ulps
from tewb import te
from tewb.base import DType
from tewb.codegen.vector_math import acos, asin, atan


@pytest.mark.parametrize("dtype", DTYPES)
def test_atan2_is_exact_to_a_few_ulp(dtype: str) -> None:
    x, y = (rng.choice([-1.0, 1.0], 1500) * np.exp(rng.uniform(-20, 20, 1500)) for _ in "xy")
    x, y = x.astype(dtype), y.astype(dtype)
    with mp.workprec(140):
        want = [mp.atan2(mpmath.mpf(float(b)), mpmath.mpf(float(a))) for a, b in zip(x, y, strict=True)]
        for lanes in (1, 13, 16):
            assert ulps(run(te.atan2, y, x, lanes=lanes), want) <= 3.0


@pytest.mark.parametrize("lanes", [1, 5, 16])
@pytest.mark.parametrize("dtype", DTYPES)
def test_special_values_of_pairs(dtype: str, lanes: int) -> None:
    pairs = np.array(list(itertools.product(special(dtype), special(dtype))), dtype)
    x, y = pairs[:, 0].copy(), pairs[:, 1].copy()
    with np.errstate(all="ignore"):
        want = np.arctan2(x.astype(np.longdouble), y.astype(np.longdouble)).astype(dtype)
    assert agrees(run(te.atan2, x, y, lanes=lanes), want)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("lanes", [1, 4])
def test_values_that_are_known(dtype: str, lanes: int) -> None:
    def of(function: Any, *x: float) -> Any:
        return computed(
            lambda f, a: function(f, DType(dtype).with_lanes(lanes), a), np.array(x, dtype), lanes=lanes
        )

    pi = np.array(np.pi, dtype)
    np.testing.assert_array_equal(of(atan, 1, -1, np.inf, -0.0), [pi / 4, -pi / 4, pi / 2, -0.0])
    np.testing.assert_array_equal(of(asin, 1, -1, 1.5, -0.0), [pi / 2, -pi / 2, np.nan, -0.0])
    np.testing.assert_array_equal(of(acos, 1, -1, 0, -2), [0, pi, pi / 2, np.nan])
    assert np.signbit(of(atan, -0.0, -0.0, -0.0, -0.0)).all() and np.signbit(of(asin, *[-0.0] * 4)).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_arcs_are_odd_and_complete_each_other(dtype: str) -> None:
    x = rng.uniform(-1, 1, 64).astype(dtype)
    d = DType(dtype).with_lanes(8)
    angles = {g: computed(lambda f, a, g=g: g(f, d, a), x, lanes=8) for g in (atan, asin, acos)}
    for odd in (atan, asin):
        np.testing.assert_array_equal(computed(lambda f, a, g=odd: g(f, d, a), -x, lanes=8), -angles[odd])
    np.testing.assert_allclose(angles[asin] + angles[acos], np.pi / 2, rtol=4 * np.finfo(dtype).eps)
