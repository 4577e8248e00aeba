"""3x3 mean in two stages, rows and columns, one thread: the sums of rows are made and used in strips of 64 rows, and the
result goes past the caches, which keep these sums."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.bench.harness import against_numpy, heading
from tewb import te


def blur(n: int, m: int, dtype: str, rows: int = 64) -> tuple[Any, list[Any]]:
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
    return s, [A, Y]


def numpy(a: Any) -> Any:
    def mean(b: Any) -> Any:
        return b * np.float32(1 / 3) if b.dtype == np.float32 else b // 3

    x = mean(a[:, :-2] + a[:, 1:-1] + a[:, 2:])
    return mean(x[:-2] + x[1:-1] + x[2:])


def main(n: int = 4096) -> None:
    heading("blur 3x3 in two stages, one thread", "numpy")
    rng = np.random.default_rng(0)
    for dtype, peer in (("float32", 4.9), ("uint16", 4.3)):
        image = rng.integers(0, 9999, (n + 2, n + 2)).astype(dtype)
        against_numpy(f"{n} x {n} {dtype}", blur(n, n, dtype), [image], numpy, peer)
