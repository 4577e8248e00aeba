"""sin, cos and tan: whole multiples of pi, signs of zeros, and angles beyond the limit."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp

from tests.codegen.elementwise import run
from tests.codegen.llvm_functions import computed
from tests.codegen.vector_math.exactness import DTYPES, agrees, rng, ulps
from tewb import te
from tewb.base import DType
from tewb.codegen.function import Function
from tewb.codegen.vector_math import cosine, sine, tangent
from tewb.codegen.vector_math.build import Math
from tewb.codegen.vector_math.sine import LIMIT


def seven(f: Function, d: DType, args: Any) -> str:
    """What stands for the function of the library."""
    return Math(f, d).number(7.0)


def of(function: Any, x: Any, lanes: int = 8) -> Any:
    d = DType(str(x.dtype)).with_lanes(lanes)
    return computed(lambda f, a: function(seven)(f, d, a), x, lanes=lanes)


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 60, reason="needs an extended long double")
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_large_angles_go_to_the_library_for_their_vector_only(name: str) -> None:
    x = rng.uniform(-3, 3, 160).astype("float32")
    x[37] = 3e30
    want = getattr(np, name)(x.astype(np.longdouble)).astype("float32")
    assert agrees(run(getattr(te, name), x, lanes=16), want)


@pytest.mark.parametrize("lanes", [1, 8])
@pytest.mark.parametrize("dtype", DTYPES)
def test_only_finite_angles_beyond_the_limit_go_to_the_library(dtype: str, lanes: int) -> None:
    limit = LIMIT[DType(dtype).bits]
    x = np.array([limit, 0, 1, -limit * 4, np.nextafter(np.array(limit, dtype), 0), 2, 3, 4], dtype)
    for function in (sine, cosine, tangent):
        got = of(function, x, lanes)
        assert (got == 7).tolist() == ([True, False, False, True, *[False] * 4] if lanes == 1 else [True] * 8)
        ends = of(function, np.array([np.inf, -np.inf, np.nan, 0, 1, 2, 3, 4], dtype), lanes)
        assert np.isnan(ends[:3]).all() and np.isfinite(ends[3:]).all() and (ends != 7).all()


@pytest.mark.parametrize("function, exact", [(sine, mp.sin), (cosine, mp.cos), (tangent, mp.tan)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_beside_multiples_of_a_quarter_turn_nothing_cancels(function: Any, exact: Any, dtype: str) -> None:
    x = (np.arange(-40, 40) * np.pi / 2).astype(dtype)
    with mp.workprec(140):
        assert ulps(of(function, x), [exact(mpmath.mpf(float(v))) for v in x]) <= 3


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("lanes", [1, 8])
def test_zeros_keep_their_sign(dtype: str, lanes: int) -> None:
    x = np.array([0.0, -0.0] * 4, dtype)
    for function in (sine, tangent):
        np.testing.assert_array_equal(np.signbit(of(function, x, lanes)), np.signbit(x))
    assert (of(cosine, x, lanes) == 1).all()
