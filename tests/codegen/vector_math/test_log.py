"""Logarithms: exact where they are whole, right beside 1, -infinity at zero and NaN below."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp

from tests.codegen.llvm_functions import computed, function
from tests.codegen.vector_math.exactness import DTYPES, PLAIN, plain, ulps
from tewb.base import DType
from tewb.codegen.vector_math import log, log1p, log2, log10

TARGETS = [None, pytest.param(PLAIN, marks=plain)]


def of(function: Any, x: Any, lanes: int = 8, target: str | None = None) -> Any:
    d = DType(str(x.dtype)).with_lanes(lanes)
    return computed(lambda f, a: function(f, d, a), x, lanes=lanes, target=target)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("lanes", [1, 8])
@pytest.mark.parametrize("dtype", DTYPES)
def test_log2_of_powers_of_two_is_exact(dtype: str, lanes: int, target: str | None) -> None:
    info = np.finfo(dtype)
    n = np.arange(info.minexp - info.nmant, info.maxexp)
    n = n[len(n) % 8 :]
    np.testing.assert_array_equal(of(log2, np.ldexp(np.ones(len(n), dtype), n), lanes, target), n)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["log", "log2", "log10"])
def test_beside_one_nothing_cancels(name: str, dtype: str, target: str | None) -> None:
    eps = np.finfo(dtype).eps
    x = (1 + np.concatenate([np.arange(-16, 16) * eps / 2, np.linspace(-1e-3, 1e-3, 32)])).astype(dtype)
    base = {"log": mp.e, "log2": 2, "log10": 10}[name]
    with mp.workprec(120):
        want = [mp.log(mpmath.mpf(float(v)), base) for v in x]
        assert ulps(of({"log": log, "log2": log2, "log10": log10}[name], x, target=target), want) <= 2


@pytest.mark.parametrize("lanes", [1, 8])
@pytest.mark.parametrize("dtype", DTYPES)
def test_ends(dtype: str, lanes: int) -> None:
    x = np.array([0.0, -0.0, -1.0, np.inf, -np.inf, np.nan, 1.0, -1e-30], dtype)
    for logarithm in (log, log2, log10):
        got = of(logarithm, x, lanes)
        np.testing.assert_array_equal(got, [-np.inf, -np.inf, np.nan, np.inf, np.nan, np.nan, 0, np.nan])
    got = of(log1p, np.array([0.0, -0.0, -1.0, np.inf, -1.5, np.nan, 1e-30, -1e-30], dtype), lanes)
    np.testing.assert_array_equal(
        got, np.array([0, -0.0, -np.inf, np.inf, np.nan, np.nan, 1e-30, -1e-30], dtype)
    )
    assert np.signbit(got[1]) and not np.signbit(got[0])


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_strange_lane_changes_no_other(dtype: str) -> None:
    x = np.linspace(0.5, 9, 8).astype(dtype)
    usual = of(log, x)
    x[3] = 0
    got = of(log, x)
    np.testing.assert_allclose(np.delete(got, 3), np.delete(usual, 3), rtol=2 * np.finfo(dtype).eps)
    assert got[3] == -np.inf


def test_strange_lanes_have_a_function_of_their_own() -> None:
    f = function()
    log(f, DType("float32x8"), ["%x"])
    log(f, DType("float32x8"), ["%y"])
    log2(f, DType("float32x8"), ["%x"])
    assert len(f.module.functions) == 2
