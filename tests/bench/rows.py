"""Rows: sum, softmax and layernorm of each row.

Sums and maxima run in the lanes of vectors, which are joined at the end of a row; a row stays in the cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.bench.workload import Program, Workload, floats, reusing
from tewb import te

SUMMED = 64  # lanes of a reduction: four vectors of 64 bytes, since each addition waits for the last one
LANES = 32  # of all else
PAGE = 4096  # bytes, at whose end processors stop to fetch ahead by themselves


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

    def schedule(self, threads: int) -> Any:
        """Everything in the rows of the last stage, in vectors; results as large as the input go past the caches."""
        out = self.stages[-1]
        s = te.create_schedule(out.op)
        if not out.op.reduce_axis:
            s[out].nontemporal()
        for t in reversed(self.stages):
            if t is not out:
                s[t].compute_at(s[out], out.op.axis[0])
            for loop in t.op.reduce_axis:
                s[t].vectorize(s[t].split(loop, factor=SUMMED)[1])
            for loop in t.op.axis[1:]:
                s[t].vectorize(s[t].split(loop, factor=LANES)[1])
        if threads > 1:
            s[out].parallel(out.op.axis[0])
        return s


def row_sum(n: int, m: int, threads: int = 1) -> Program:
    A, rows = te.placeholder((n, m), name="A"), Rows()
    out = rows.reduce("sum", te.sum, m, lambda i, k: A[i, k], n)
    s = rows.schedule(threads)
    s[out].prefetch(A, "k.outer", PAGE // (4 * SUMMED))
    return s, [A, out]


def softmax(n: int, m: int, threads: int = 1) -> Program:
    A, rows = te.placeholder((n, m), name="A"), Rows()
    top = rows.reduce("top", te.max, m, lambda i, k: A[i, k], n)
    E = rows.map("E", (n, m), lambda i, j: te.exp(A[i, j] - top[i]))
    total = rows.reduce("total", te.sum, m, lambda i, k: E[i, k], n)
    scale = rows.map("scale", (n,), lambda i: 1.0 / total[i])
    out = rows.map("out", (n, m), lambda i, j: E[i, j] * scale[i])
    return rows.schedule(threads), [A, out]


def layernorm(n: int, m: int, threads: int = 1) -> Program:
    A, G, B = te.placeholder((n, m), name="A"), te.placeholder((m,), name="G"), te.placeholder((m,), name="B")
    rows = Rows()
    total = rows.reduce("total", te.sum, m, lambda i, k: A[i, k], n)
    mean = rows.map("mean", (n,), lambda i: total[i] * (1.0 / m))
    square = rows.reduce("square", te.sum, m, lambda i, k: (A[i, k] - mean[i]) * (A[i, k] - mean[i]), n)
    scale = rows.map("scale", (n,), lambda i: te.rsqrt(square[i] * (1.0 / m) + 1e-5))
    out = rows.map("out", (n, m), lambda i, j: (A[i, j] - mean[i]) * scale[i] * G[j] + B[j])
    return rows.schedule(threads), [A, G, B, out]


def numpy_softmax(a: Any) -> Any:
    e = np.exp(a - a.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def numpy_layernorm(a: Any, g: Any, b: Any) -> Any:
    scale = np.sqrt(a.var(axis=1, keepdims=True) + np.float32(1e-5))
    return (a - a.mean(axis=1, keepdims=True)) / scale * g + b


WORKLOADS = [
    Workload(
        "softmax of rows, 4096 x 1024",
        lambda threads: softmax(4096, 1024, threads),
        floats((4096, 1024)),
        numpy_softmax,
        goal=3.2,
        tags=("memory",),
    ),
    Workload(
        "layernorm of rows, 4096 x 1024",
        lambda threads: layernorm(4096, 1024, threads),
        floats((4096, 1024), (1024,), (1024,)),
        numpy_layernorm,
        goal=8.6,
        rtol=1e-3,
        tags=("memory",),
    ),
    Workload(
        "row sum, 4096 x 4096",
        lambda threads: row_sum(4096, 4096, threads),
        floats((4096, 4096)),
        reusing(lambda a, out=None: np.sum(a, axis=1, out=out)),
        goal=1.23,
        rtol=1e-3,
        tags=("memory",),
    ),
]
