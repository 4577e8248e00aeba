"""Padded stencils of 3 and 5 points: the conditions are only looked at on the edges.

What is read above and below is read once for four rows of the result. With neighbours in a row only, short vectors
lie in one line of the cache more often than in two; where memory is the limit, long ones are better.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.bench.workload import Program, Workload, floats
from tewb import te

CACHED = 1 << 18  # elements of arrays that stay in the caches


def stencil(n: int, m: int, points: int, threads: int = 1) -> Program:
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
    rows, lanes = (1, 8 if n * m <= CACHED else 64) if points == 3 else (4, 32)
    band, _, row, lane = s[B].tile("i", "j", rows, lanes)
    s[B].unroll(row)
    s[B].vectorize(lane)
    if threads > 1:
        s[B].parallel(band)
    return s, [A, B]


def numpy(a: Any, points: int) -> Any:
    wide = np.pad(a, 1)
    made = wide[1:-1, :-2] + wide[1:-1, 1:-1] + wide[1:-1, 2:]
    return made if points == 3 else made + wide[:-2, 1:-1] + wide[2:, 1:-1]


def padded(n: int, m: int, points: int) -> Workload:
    return Workload(
        f"padded {points}-point stencil, {n} x {m}",
        lambda threads: stencil(n, m, points, threads),
        floats((n, m)),
        lambda a: numpy(a, points),
        tags=("memory",),
    )


WORKLOADS = [padded(n, m, points) for n, m in ((512, 512), (512, 500), (2048, 2048)) for points in (3, 5)]
