"""Padded stencils of 3 and 5 points, one thread: the conditions are only looked at on the edges."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.bench.harness import against_numpy, heading
from tewb import te


def stencil(n: int, m: int, points: int) -> tuple[Any, list[Any]]:
    """Sums of neighbours in a row, and in a column with 5 points; zero outside."""
    A = te.placeholder((n, m), name="A")

    def value(i: Any, j: Any) -> Any:
        row = (
            te.if_then_else(j > 0, A[i, j - 1], 0.0) + A[i, j] + te.if_then_else(j < m - 1, A[i, j + 1], 0.0)
        )
        if points == 3:
            return row
        column = te.if_then_else(i > 0, A[i - 1, j], 0.0) + te.if_then_else(i < n - 1, A[i + 1, j], 0.0)
        return row + column

    B = te.compute((n, m), value, name="B")
    s = te.create_schedule(B.op)
    s[B].vectorize(s[B].split("j", factor=16)[1])
    return s, [A, B]


def numpy(a: Any, points: int) -> Any:
    wide = np.pad(a, 1)
    made = wide[1:-1, :-2] + wide[1:-1, 1:-1] + wide[1:-1, 2:]
    return made if points == 3 else made + wide[:-2, 1:-1] + wide[2:, 1:-1]


def main() -> None:
    heading("padded stencils, float32, one thread", "numpy")
    for n, m in ((512, 512), (512, 500), (2048, 2048)):
        a = np.random.default_rng(0).standard_normal((n, m), dtype=np.float32)
        for points in (3, 5):
            against_numpy(
                f"{points} points, {n} x {m}",
                stencil(n, m, points),
                [a],
                lambda a, points=points: numpy(a, points),
            )
