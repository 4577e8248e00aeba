"""Rows: sum, softmax, layernorm and argmax of each row, one thread.

Sums and maxima run in the lanes of vectors, which are joined at the end of a row; a row stays in the cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.bench.harness import against_numpy, heading
from tewb import te

Program = tuple[Any, list[Any]]
LANES = 64


class Rows:
    """Stages of a computation that goes row by row, and their schedule."""

    def __init__(self) -> None:
        self.stages: list[Any] = []

    def reduce(self, name: str, kind: Any, m: int, value: Callable[[Any, Any], Any], n: int) -> Any:
        """kind(value(i, k) for k in m) for each row i."""
        k = te.reduce_axis((0, m), name="k")
        return self.map(name, (n,), lambda i: kind(value(i, k), axis=k))

    def map(self, name: str, shape: tuple[int, ...], value: Callable[..., Any]) -> Any:
        t = te.compute(shape, value, name=name)
        self.stages.append(t)
        return t

    def schedule(self) -> Any:
        """Everything in the rows of the last stage, in vectors."""
        out = self.stages[-1]
        s = te.create_schedule(out.op)
        for t in reversed(self.stages):
            if t is not out:
                s[t].compute_at(s[out], out.op.axis[0])
            for loop in (*t.op.reduce_axis, *t.op.axis[1:]):
                s[t].vectorize(s[t].split(loop, factor=LANES)[1])
        return s


def row_sum(n: int, m: int) -> Program:
    A, rows = te.placeholder((n, m), name="A"), Rows()
    out = rows.reduce("sum", te.sum, m, lambda i, k: A[i, k], n)
    return rows.schedule(), [A, out]


def softmax(n: int, m: int) -> Program:
    A, rows = te.placeholder((n, m), name="A"), Rows()
    top = rows.reduce("top", te.max, m, lambda i, k: A[i, k], n)
    E = rows.map("E", (n, m), lambda i, j: te.exp(A[i, j] - top[i]))
    total = rows.reduce("total", te.sum, m, lambda i, k: E[i, k], n)
    scale = rows.map("scale", (n,), lambda i: 1.0 / total[i])
    out = rows.map("out", (n, m), lambda i, j: E[i, j] * scale[i])
    return rows.schedule(), [A, out]


def layernorm(n: int, m: int) -> Program:
    A, G, B = te.placeholder((n, m), name="A"), te.placeholder((m,), name="G"), te.placeholder((m,), name="B")
    rows = Rows()
    total = rows.reduce("total", te.sum, m, lambda i, k: A[i, k], n)
    mean = rows.map("mean", (n,), lambda i: total[i] * (1.0 / m))
    square = rows.reduce("square", te.sum, m, lambda i, k: (A[i, k] - mean[i]) * (A[i, k] - mean[i]), n)
    scale = rows.map("scale", (n,), lambda i: te.rsqrt(square[i] * (1.0 / m) + 1e-5))
    out = rows.map("out", (n, m), lambda i, j: (A[i, j] - mean[i]) * scale[i] * G[j] + B[j])
    return rows.schedule(), [A, G, B, out]


def numpy_softmax(a: Any) -> Any:
    e = np.exp(a - a.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def numpy_layernorm(a: Any, g: Any, b: Any) -> Any:
    scale = np.sqrt(a.var(axis=1, keepdims=True) + np.float32(1e-5))
    return (a - a.mean(axis=1, keepdims=True)) / scale * g + b


def main() -> None:
    heading("rows, float32, one thread", "numpy")
    rng = np.random.default_rng(0)
    a, wide = (
        rng.standard_normal((4096, 1024), dtype=np.float32),
        rng.standard_normal((4096, 4096), dtype=np.float32),
    )
    g, b = rng.standard_normal((2, 1024), dtype=np.float32)
    against_numpy("softmax 4096 x 1024", softmax(4096, 1024), [a], numpy_softmax, 3.2)
    against_numpy("layernorm 4096 x 1024", layernorm(4096, 1024), [a, g, b], numpy_layernorm, 8.6, 1e-3)
    against_numpy("sum 4096 x 4096", row_sum(4096, 4096), [wide], lambda x: np.sum(x, axis=1), 1.23, 1e-3)
