"""Vector math against mpmath: errors in units of the last place, special values, any number of lanes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp

from tests.codegen.elementwise import run
from tests.codegen.fit_polynomials import FITS
from tests.codegen.vector_math.exactness import (
    DTYPES,
    PLAIN,
    above_minus_one,
    agrees,
    plain,
    positive,
    rng,
    special,
    spread,
    ulps,
    within_one,
)
from tewb import te
from tewb.codegen.vector_math.arc import ASIN
from tewb.codegen.vector_math.exp import EXP
from tewb.codegen.vector_math.log import SHORT
from tewb.codegen.vector_math.power import SHORT_32, SHORT_64
from tewb.codegen.vector_math.sine import COS, SIN

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


@plain
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["log", "log2", "log10", "log1p", "exp", "sigmoid"])
def test_functions_are_exact_without_wide_instructions(name: str, dtype: str) -> None:
    exact, single, double, allowed = FUNCTIONS[name]
    x = (single if dtype == "float32" else double)(600).astype(dtype)
    with mp.workprec(140):
        want = [exact(mpmath.mpf(float(v))) for v in x]
    assert ulps(run(getattr(te, name), x, lanes=8, target=PLAIN), want) <= allowed


@pytest.mark.one_in(3)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["log2", "log10", "exp", "exp2"])
@pytest.mark.parametrize("lanes", [2, 8, 24, 40])
def test_any_number_of_lanes_gives_the_same(name: str, dtype: str, lanes: int) -> None:
    x = np.exp(rng.uniform(-80, 80, 240)).astype(dtype)  # all normal: no vector takes the long way
    function = getattr(te, name)
    np.testing.assert_array_equal(run(function, x, lanes=lanes), run(function, x, lanes=16))


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
