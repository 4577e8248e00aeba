"""Expressions computed for the elements of arrays, and the values that make trouble."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tewb
from tests.programs import schedule_for
from tewb import te
from tewb.testing import evaluate

INTS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
FLOATS = ["float32", "float64"]


def special(dtype: str, rng: np.random.Generator, n: int = 64) -> Any:
    """Random values with the troublesome ones first."""
    if dtype in FLOATS:
        first = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 0.5, -2.5, 3.5]
        return np.concatenate([first, rng.uniform(-8, 8, n - len(first))]).astype(dtype)
    if dtype == "bool":
        return rng.integers(0, 2, n).astype(bool)
    info = np.iinfo(dtype)
    first = [info.min, info.max, 0, 1, 2, 3]
    return np.concatenate(
        [np.array(first, dtype), rng.integers(info.min, info.max, n - len(first), dtype, True)]
    )


def run(expr: Callable[..., Any], *arrays: Any, lanes: int = 1, target: str | None = None) -> Any:
    n = len(arrays[0])
    inputs = [te.placeholder((n,), name=f"x{i}", dtype=str(a.dtype)) for i, a in enumerate(arrays)]
    out = te.compute((n,), lambda i: expr(*[t[i] for t in inputs]), name="out")
    s = schedule_for([out])
    if lanes > 1:
        s[out].vectorize(s[out].split("i", factor=lanes)[1])
    result = np.zeros(n, out.dtype)
    tewb.build(s, [*inputs, out], target=target)(*arrays, result)
    return result


def same(expr: Any, want: Any, *arrays: Any, lanes: int = 8) -> None:
    """The kernel, scalar and vector, and the reference give `want`, bit by bit (any NaN is NaN)."""
    for width in (1, lanes):
        np.testing.assert_array_equal(run(expr, *arrays, lanes=width), want, strict=True)
    inputs = [te.placeholder(a.shape, name=f"x{i}", dtype=str(a.dtype)) for i, a in enumerate(arrays)]
    out = te.compute(arrays[0].shape, lambda i: expr(*[t[i] for t in inputs]))
    np.testing.assert_array_equal(evaluate([out], dict(zip(inputs, arrays, strict=True)))[0], want)
