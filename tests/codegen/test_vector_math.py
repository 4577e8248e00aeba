"""Vector math against mpmath: errors in units of the last place, special values, any number of lanes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp

from tests.codegen.elementwise import run
from tests.codegen.fit_polynomials import FITS
from tewb import te
from tewb.codegen.vector_math.arc import ASIN
from tewb.codegen.vector_math.exp import EXP
from tewb.codegen.vector_math.log import SHORT
from tewb.codegen.vector_math.power import SHORT_32, SHORT_64
from tewb.codegen.vector_math.sine import COS, SIN
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


# The exact function, samples for both dtypes, and the error allowed in ulp.
FUNCTIONS: dict[str, tuple[Callable[[Any], Any], Callable[[int], Any], Callable[[int], Any], float]] = {
    "exp": (mp.exp, spread(-103, 88.7), spread(-744, 709.7), 1.1),
    "log": (mp.log, positive, positive, 1.0),
    "tanh": (mp.tanh, spread(-10, 10), spread(-20, 20), 3.0),
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), spread(-103, 30), spread(-744, 60), 2.5),
    "erf": (mp.erf, spread(-4.2, 4.2), spread(-6.2, 6.2), 1.5),
    "sin": (mp.sin, spread(-1e5, 1e5), spread(-1e8, 1e8), 2.0),
    "cos": (mp.cos, spread(-1e5, 1e5), spread(-1e8, 1e8), 2.0),
    "rsqrt": (lambda x: 1 / mp.sqrt(x), positive, positive, 1.6),
    "exp2": (lambda x: mp.power(2, x), spread(-149, 127.9), spread(-1073, 1023.9), 1.1),
    "log2": (lambda x: mp.log(x, 2), positive, positive, 1.5),
    "log10": (mp.log10, positive, positive, 2.0),
    "log1p": (mp.log1p, above_minus_one, above_minus_one, 1.0),
    "sinh": (mp.sinh, spread(-89.4, 89.4), spread(-710.4, 710.4), 3.0),
    "cosh": (mp.cosh, spread(-89.4, 89.4), spread(-710.4, 710.4), 2.0),
    "tan": (mp.tan, spread(-1e5, 1e5), spread(-1e8, 1e8), 3.0),
    "atan": (mp.atan, spread(-50, 50), spread(-50, 50), 2.0),
    "asin": (mp.asin, within_one, within_one, 3.0),
    "acos": (mp.acos, within_one, within_one, 2.0),
}


def ulps(got: Any, exact: list[Any]) -> float:
    """The largest error, in units of the last place of the result."""
    assert np.isfinite(got).all()
    tiny = np.finfo(got.dtype).tiny
    worst = 0.0
    for g, e in zip(got, exact, strict=True):
        unit = float(np.spacing(max(np.abs(got.dtype.type(float(abs(e)))), tiny)))
        worst = max(worst, float(abs(mpmath.mpf(float(g)) - e) / unit))
    return worst


@pytest.mark.one_in(3)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_exact_to_a_few_ulp(name: str, dtype: str) -> None:
    exact, single, double, allowed = FUNCTIONS[name]
    x = (single if dtype == "float32" else double)(1200).astype(dtype)
    with mp.workprec(140):
        want = [exact(mpmath.mpf(float(v))) for v in x]
        for lanes in (1, 13, 16):
            assert ulps(run(getattr(te, name), x, lanes=lanes), want) <= allowed


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


@pytest.mark.parametrize("dtype", DTYPES)
def test_atan2_is_exact_to_a_few_ulp(dtype: str) -> None:
    x, y = (rng.choice([-1.0, 1.0], 1500) * np.exp(rng.uniform(-20, 20, 1500)) for _ in "xy")
    x, y = x.astype(dtype), y.astype(dtype)
    with mp.workprec(140):
        want = [mp.atan2(mpmath.mpf(float(b)), mpmath.mpf(float(a))) for a, b in zip(x, y, strict=True)]
        for lanes in (1, 13, 16):
            assert ulps(run(te.atan2, y, x, lanes=lanes), want) <= 3.0


# One that has no tables in registers and no conversion of 64-bit integers.
PLAIN = "llvm -mcpu=x86-64-v3"
plain = pytest.mark.skipif(not Target.of(PLAIN).runs_here, reason="needs a processor with AVX2")


@plain
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["log", "log2", "log10", "log1p", "exp", "sigmoid"])
def test_functions_are_exact_without_wide_instructions(name: str, dtype: str) -> None:
    exact, single, double, allowed = FUNCTIONS[name]
    x = (single if dtype == "float32" else double)(600).astype(dtype)
    with mp.workprec(140):
        want = [exact(mpmath.mpf(float(v))) for v in x]
    assert ulps(run(getattr(te, name), x, lanes=8, target=PLAIN), want) <= allowed


@plain
@pytest.mark.parametrize("dtype", DTYPES)
def test_power_is_exact_without_wide_instructions(dtype: str) -> None:
    x = positive(1000).astype(dtype)
    largest = (87 if dtype == "float32" else 708) / np.abs(np.log(x.astype("float64")))
    y = (rng.uniform(-1, 1, 1000) * np.minimum(largest, 1000)).astype(dtype)
    with mp.workprec(200):
        want = [mpmath.mpf(float(p)) ** mpmath.mpf(float(q)) for p, q in zip(x, y, strict=True)]
    assert ulps(run(te.power, x, y, lanes=8, target=PLAIN), want) <= (3.0 if dtype == "float32" else 1.5)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["log2", "log10", "exp", "exp2"])
@pytest.mark.parametrize("lanes", [2, 8, 24, 40])
def test_any_number_of_lanes_gives_the_same(name: str, dtype: str, lanes: int) -> None:
    x = np.exp(rng.uniform(-80, 80, 240)).astype(dtype)  # all normal: no vector takes the long way
    function = getattr(te, name)
    np.testing.assert_array_equal(run(function, x, lanes=lanes), run(function, x, lanes=16))


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


EXTENDED: dict[str, Callable[[Any], Any]] = {
    "exp2": np.exp2, "log2": np.log2, "log10": np.log10, "log1p": np.log1p, "sinh": np.sinh, "cosh": np.cosh,
    "tan": np.tan, "atan": np.arctan, "asin": np.arcsin, "acos": np.arccos,
    "exp": np.exp, "log": np.log, "tanh": np.tanh, "sin": np.sin, "cos": np.cos,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "rsqrt": lambda x: 1 / np.sqrt(x),
    "erf": lambda x: np.copysign([np.longdouble(mpmath.nstr(mp.erf(mpmath.mpf(float(v))), 25)) for v in x], x),
}  # fmt: skip


@pytest.mark.one_in(3)
@pytest.mark.parametrize("lanes", [1, 5, 16])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", EXTENDED)
def test_special_values_of_functions(name: str, dtype: str, lanes: int) -> None:
    x = special(dtype)
    with np.errstate(all="ignore"):
        want = EXTENDED[name](x.astype(np.longdouble)).astype(dtype)
    assert agrees(run(getattr(te, name), x, lanes=lanes), want)


@pytest.mark.parametrize("lanes", [1, 5, 16])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name, numpy", [("power", np.power), ("atan2", np.arctan2)])
def test_special_values_of_pairs(name: str, numpy: Callable[..., Any], dtype: str, lanes: int) -> None:
    pairs = np.array(list(itertools.product(special(dtype), special(dtype))), dtype)
    x, y = pairs[:, 0].copy(), pairs[:, 1].copy()
    with np.errstate(all="ignore"):
        want = numpy(x.astype(np.longdouble), y.astype(np.longdouble)).astype(dtype)
    assert agrees(run(getattr(te, name), x, y, lanes=lanes), want)


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 60, reason="needs an extended long double")
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_large_angles_go_to_the_library_for_their_vector_only(name: str) -> None:
    x = rng.uniform(-3, 3, 160).astype("float32")
    x[37] = 3e30
    want = getattr(np, name)(x.astype(np.longdouble)).astype("float32")
    assert agrees(run(getattr(te, name), x, lanes=16), want)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    "name, table",
    [
        ("EXP_F32", EXP[32]),
        ("SIN_F32", SIN[32]),
        ("ASIN_F32", ASIN[32]),
        ("COS_F32", COS[32]),
        ("SHORT", SHORT),
        ("SHORT_32", SHORT_32),
        ("SHORT_64", SHORT_64),
    ],
)
def test_tables_are_what_the_fit_gives(name: str, table: tuple[float, ...]) -> None:
    assert FITS[name]() == list(table)
