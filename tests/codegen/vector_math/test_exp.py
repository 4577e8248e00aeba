"""exp and its relatives: whole powers of two, subnormal results, tails, symmetries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.codegen.elementwise import run
from tests.codegen.llvm_functions import computed
from tests.codegen.vector_math.exactness import DTYPES, PLAIN, plain, rng
from tewb import te
from tewb.base import DType
from tewb.codegen.vector_math import cosh, exp, exp2, sigmoid, sinh, tanh


def of(function: Any, x: Any, lanes: int = 8, target: str | None = None) -> Any:
    d = DType(str(x.dtype)).with_lanes(lanes)
    return computed(lambda f, a: function(f, d, a), x, lanes=lanes, target=target)


def test_exp_is_within_an_ulp_or_so_everywhere() -> None:
    x = np.concatenate([np.linspace(-104, 89, 200_003), [-np.inf, np.inf, np.nan, -1e30, 1e30]]).astype(
        "float32"
    )
    with np.errstate(all="ignore"):
        want = np.exp(x.astype("float64"))
        got = run(te.exp, x[:-5], lanes=16)
        ulp = np.spacing(want[:-5].astype("float32"))
        inside = np.isfinite(want[:-5].astype("float32"))
        assert np.max(np.abs(got.astype("float64") - want[:-5])[inside] / ulp[inside]) <= 2.0
    np.testing.assert_array_equal(run(te.exp, x[-5:]), [0, np.inf, np.nan, 0, np.inf])


@pytest.mark.parametrize("target", [None, pytest.param(PLAIN, marks=plain)])
@pytest.mark.parametrize("lanes", [1, 8])
@pytest.mark.parametrize("dtype", DTYPES)
def test_whole_powers_of_two_are_exact(dtype: str, lanes: int, target: str | None) -> None:
    info = np.finfo(dtype)
    n = np.arange(info.minexp - info.nmant - 3, info.maxexp + 5)
    n = n[: len(n) // 8 * 8].astype(dtype)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(of(exp2, n, lanes, target), np.exp2(n.astype("float64")).astype(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("lanes", [1, 8])
def test_tails(dtype: str, lanes: int) -> None:
    x = np.array([np.inf, -np.inf, np.nan, 1e5, -1e5, 0.0, -0.0, 1e30], dtype)
    wanted = {
        exp: [np.inf, 0, np.nan, np.inf, 0, 1, 1, np.inf],
        exp2: [np.inf, 0, np.nan, np.inf, 0, 1, 1, np.inf],
        sigmoid: [1, 0, np.nan, 1, 0, 0.5, 0.5, 1],
        tanh: [1, -1, np.nan, 1, -1, 0, -0.0, 1],
        sinh: [np.inf, -np.inf, np.nan, np.inf, -np.inf, 0, -0.0, np.inf],
        cosh: [np.inf, np.inf, np.nan, np.inf, np.inf, 1, 1, np.inf],
    }
    for function, want in wanted.items():
        got = of(function, x, lanes)
        np.testing.assert_array_equal(got, np.array(want, dtype))
        if function in (tanh, sinh):
            assert np.signbit(got[6]) and not np.signbit(got[5])


@pytest.mark.parametrize("dtype", DTYPES)
def test_symmetries(dtype: str) -> None:
    x = rng.uniform(-20, 20, 64).astype(dtype)
    for odd in (tanh, sinh):
        np.testing.assert_array_equal(of(odd, -x), -of(odd, x))
    np.testing.assert_array_equal(of(cosh, -x), of(cosh, x))
    np.testing.assert_allclose(of(sigmoid, x) + of(sigmoid, -x), 1, rtol=4 * np.finfo(dtype).eps)


def test_small_results_keep_their_digits() -> None:
    x = np.array([1e-30, -1e-30, 1e-12, 2e-37] * 2, "float32")
    for function in (tanh, sinh):
        np.testing.assert_array_equal(of(function, x), x)
    np.testing.assert_allclose(of(sigmoid, np.full(8, -80, "float32")), np.exp(-80.0), rtol=1e-6)
