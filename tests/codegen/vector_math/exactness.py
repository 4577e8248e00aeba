"""How exact math functions are: samples, errors in units of the last place, special values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from tewb.runtime import Target

rng = np.random.default_rng(0)
DTYPES = ("float32", "float64")


def spread(low: float, high: float) -> Callable[[int], Any]:
    """Numbers from low to high, more of them near 0, and down to the smallest."""

    def sample(n: int) -> Any:
        small = np.exp(rng.uniform(-80, 0, n // 4)) * rng.choice([-1.0, 1.0], n // 4)
        return np.concatenate([rng.uniform(low, high, n // 2), rng.uniform(-1.5, 1.5, n // 4), small])

    return sample


def positive(n: int) -> Any:
    """Numbers of all sizes, half of them near 1."""
    return np.concatenate([np.exp(rng.uniform(-100, 88, n // 2)), rng.uniform(0.5, 2, n // 2)])


def above_minus_one(n: int) -> Any:
    small = np.exp(rng.uniform(-60, 0, n // 2)) * rng.choice([-1.0, 1.0], n // 2)
    return np.concatenate([small, positive(n // 4), rng.uniform(0.41, 0.5, n // 4)])  # where e becomes 1


def within_one(n: int) -> Any:
    """Numbers from -1 to 1, some next to the ends, some small."""
    small = np.exp(rng.uniform(-60, 0, n // 4)) * rng.choice([-1.0, 1.0], n // 4)
    ends = (1 - np.exp(rng.uniform(-16, 0, n // 4))) * rng.choice([-1.0, 1.0], n // 4)
    return np.concatenate([rng.uniform(-1, 1, n // 2), small, ends])


# One that has no tables in registers and no conversion of 64-bit integers.
PLAIN = "llvm -mcpu=x86-64-v3"
plain = pytest.mark.skipif(not Target.of(PLAIN).runs_here, reason="needs a processor with AVX2")


def ulps(got: Any, exact: list[Any]) -> float:
    """The largest error, in units of the last place of the result."""
    assert np.isfinite(got).all()
    tiny = np.finfo(got.dtype).tiny
    worst = 0.0
    for g, e in zip(got, exact, strict=True):
        unit = float(np.spacing(max(np.abs(got.dtype.type(float(abs(e)))), tiny)))
        worst = max(worst, float(abs(mpmath.mpf(float(g)) - e) / unit))
    return worst


def special(dtype: str) -> Any:
    f = np.finfo(dtype)
    tiny, least, eps = float(f.tiny), float(f.smallest_subnormal), float(f.eps)
    ends = [0.0, 1.0, np.inf, tiny, least, 100 * least, float(f.max), 1 + eps, 1 - eps, 2.0, 3.0, 0.5, 1.5]
    more = [7.0, 1e5, 1e10, 1e-10, 1e30, 88.8, 104.0, 710.0, 745.2, 2.0**24 + 1]
    return np.array([*ends, *more, *(-v for v in ends + more), np.nan], dtype)


def agrees(got: Any, want: Any) -> bool:
    """Whether numbers agree to 3 ulp, NaN, infinities and the signs of zeros to the bit."""
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
    sure = np.isinf(want) | (want == 0)
    np.testing.assert_array_equal(got[sure], want[sure])
    np.testing.assert_array_equal(np.signbit(got[sure]), np.signbit(want[sure]))
    rest = np.isfinite(want)
    error = np.abs(got[rest].astype(np.longdouble) - want[rest])
    with np.errstate(over="ignore"):  # next to the largest number
        return bool((error <= 3 * np.spacing(np.abs(want[rest]))).all())
