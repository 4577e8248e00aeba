"""erf: odd, 1 from its end on, exact to 2 ulp on both sides of 1."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp

from tests.codegen.llvm_functions import computed
from tests.codegen.vector_math.exactness import DTYPES, rng, ulps
from tewb.base import DType
from tewb.codegen.vector_math import erf
from tewb.codegen.vector_math.erf import END


def of(x: Any, lanes: int = 8) -> Any:
    return computed(lambda f, a: erf(f, DType(str(x.dtype)).with_lanes(lanes), a), x, lanes=lanes)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("lanes", [1, 8])
def test_where_its_parts_meet(dtype: str, lanes: int) -> None:
    x = np.array([np.nextafter(1, 0), 1, np.nextafter(1, 2), *np.linspace(0.9, 1.1, 61)], dtype)
    with mp.workprec(100):
        assert ulps(of(x, lanes), [mp.erf(mpmath.mpf(float(v))) for v in x]) <= 2


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_ends(dtype: str) -> None:
    end = END[DType(dtype).bits]
    got = of(np.array([end, -end, np.inf, -np.inf, np.nan, 0.0, -0.0, 1e30], dtype))
    np.testing.assert_array_equal(got, [1, -1, 1, -1, np.nan, 0, 0, 1])
    assert np.signbit(got).tolist()[5:7] == [False, True]
    x = np.linspace(0, end, 8000).astype(dtype)
    assert (np.diff(of(x)) >= -np.finfo(dtype).eps).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_it_is_odd(dtype: str) -> None:
    x = rng.uniform(-5, 5, 64).astype(dtype)
    np.testing.assert_array_equal(of(-x), -of(x))
