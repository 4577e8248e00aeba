"""Vector math against numpy's functions, on arrays in the cache, one thread.

numpy has no erf and no sigmoid: those rows run scipy's erf and 1 / (1 + exp(-x)).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special

import tewb
from tests.bench.harness import heading, race
from tewb import te

Program = tuple[Any, list[Any]]


def elementwise(name: str, inputs: int, n: int, dtype: str, lanes: int = 16) -> Program:
    """out[i] = name(x0[i], ...), vectorized."""
    args = [te.placeholder((n,), name=f"x{k}", dtype=dtype) for k in range(inputs)]
    out = te.compute((n,), lambda i: getattr(te, name)(*[x[i] for x in args]), name="out")
    s = te.create_schedule(out.op)
    s[out].vectorize(s[out].split("i", factor=lanes)[1])
    return s, [*args, out]


def sigmoid(x: Any, out: Any) -> Any:
    return np.divide(1, 1 + np.exp(-x), out=out)


def rsqrt(x: Any, out: Any) -> Any:
    return np.divide(1, np.sqrt(x), out=out)


CASES: list[tuple[str, Callable[..., Any], list[tuple[float, float]]]] = [
    ("exp", np.exp, [(-80, 80)]),
    ("log", np.log, [(1e-3, 1e3)]),
    ("tanh", np.tanh, [(-5, 5)]),
    ("sigmoid", sigmoid, [(-20, 20)]),
    ("erf", scipy.special.erf, [(-3, 3)]),
    ("sin", np.sin, [(-100, 100)]),
    ("cos", np.cos, [(-100, 100)]),
    ("power", np.power, [(0.1, 10), (-10, 10)]),
    ("rsqrt", rsqrt, [(0.1, 100)]),
    ("exp2", np.exp2, [(-100, 100)]),
    ("log2", np.log2, [(1e-3, 1e3)]),
    ("log10", np.log10, [(1e-3, 1e3)]),
    ("log1p", np.log1p, [(-0.9, 10)]),
    ("sinh", np.sinh, [(-10, 10)]),
    ("cosh", np.cosh, [(-10, 10)]),
    ("tan", np.tan, [(-100, 100)]),
    ("atan", np.arctan, [(-10, 10)]),
    ("asin", np.arcsin, [(-1, 1)]),
    ("acos", np.arccos, [(-1, 1)]),
    ("atan2", np.arctan2, [(-10, 10), (-10, 10)]),
]


def main(n: int = 1 << 16) -> None:
    rng = np.random.default_rng(0)
    for dtype in ("float32", "float64"):
        heading(f"vector math, {n} x {dtype}", "numpy")
        for name, numpy, ranges in CASES:
            s, args = elementwise(name, len(ranges), n, dtype)
            kernel = tewb.build(s, args)
            given = [rng.uniform(*r, n).astype(dtype) for r in ranges]
            got, want = np.zeros(n, dtype), np.zeros(n, dtype)
            kernel(*given, got)
            numpy(*given, out=want)
            np.testing.assert_allclose(got, want, rtol=8 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps)
            row = race(name, lambda: kernel(*given, got), lambda: numpy(*given, out=want), 15, 0.005)  # noqa: B023
            print(row)
