"""3x3 mean in two stages, rows and columns: the sums of rows are made and used in strips of 64 rows, and the
result goes past the caches, which keep these sums."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.bench.workload import Program, Workload
from tewb import te


def blur(n: int, m: int, dtype: str, rows: int = 64, threads: int = 1) -> Program:
    A = te.placeholder((n + 2, m + 2), name="A", dtype=dtype)

    def mean(a: Any, b: Any, c: Any) -> Any:
        return (a + b + c) * (1 / 3) if dtype == "float32" else (a + b + c) // te.const(3, dtype)

    X = te.compute((n + 2, m), lambda i, j: mean(A[i, j], A[i, j + 1], A[i, j + 2]), name="X")
    Y = te.compute((n, m), lambda i, j: mean(X[i, j], X[i + 1, j], X[i + 2, j]), name="Y")
    s = te.create_schedule(Y.op)
    s[Y].nontemporal()
    lanes = 64 // np.dtype(dtype).itemsize
    strip, _ = s[Y].split("i", factor=rows)
    s[Y].vectorize(s[Y].split("j", factor=lanes)[1])
    s[X].compute_at(s[Y], strip)
    s[X].vectorize(s[X].split("j", factor=lanes)[1])
    if threads > 1:
        s[Y].parallel(strip)
    return s, [A, Y]


def numpy(a: Any) -> Any:
    def mean(b: Any) -> Any:
        return b * np.float32(1 / 3) if b.dtype == np.float32 else b // 3

    x = mean(a[:, :-2] + a[:, 1:-1] + a[:, 2:])
    return mean(x[:-2] + x[1:-1] + x[2:])


def blurred(dtype: str, goal: float, n: int = 4096) -> Workload:
    return Workload(
        f"blur 3x3, {n} x {n}, {dtype}",
        lambda threads: blur(n, n, dtype, threads=threads),
        lambda rng: [rng.integers(0, 9999, (n + 2, n + 2)).astype(dtype)],
        numpy,
        goal,
        tags=("memory",),
    )


WORKLOADS = [blurred("float32", 4.9), blurred("uint16", 4.3)]
