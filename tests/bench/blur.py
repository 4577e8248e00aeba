"""3x3 mean in two stages, rows and columns; the result goes past the caches.

One thread makes six rows of the result at once, with the sums of their rows in registers. Two threads wait for
memory, which likes few streams: each makes the sums of 64 rows, and then these rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.bench.workload import Program, Workload
from tewb import te


def blur(n: int, m: int, dtype: str, threads: int = 1) -> Program:
    A = te.placeholder((n + 2, m + 2), name="A", dtype=dtype)

    def mean(a: Any, b: Any, c: Any) -> Any:
        return (a + b + c) * (1 / 3) if dtype == "float32" else (a + b + c) // te.const(3, dtype)

    X = te.compute((n + 2, m), lambda i, j: mean(A[i, j], A[i, j + 1], A[i, j + 2]), name="X")
    Y = te.compute((n, m), lambda i, j: mean(X[i, j], X[i + 1, j], X[i + 2, j]), name="Y")
    s = te.create_schedule(Y.op)
    s[Y].nontemporal()
    lanes = 64 // np.dtype(dtype).itemsize
    (in_registers if threads == 1 else in_strips)(s, X, Y, lanes)
    return s, [A, Y]


def in_registers(s: te.Schedule, X: Any, Y: Any, lanes: int) -> None:
    _, tile, row, lane = s[Y].tile(*Y.op.axis, 6, lanes)
    s[X].compute_at(s[Y], tile)
    for stage, i, j in ((s[X], *X.op.axis), (s[Y], row, lane)):
        stage.unroll(i)
        stage.vectorize(j)


def in_strips(s: te.Schedule, X: Any, Y: Any, lanes: int) -> None:
    strip, _ = s[Y].split("i", factor=64)
    s[X].compute_at(s[Y], strip)
    for t in (X, Y):
        s[t].vectorize(s[t].split("j", factor=lanes)[1])
    s[Y].parallel(strip)


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
