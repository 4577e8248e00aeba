"""Transpose of 4096 x 4096 floats.

Lanes are stored one by one: 4 stores to a line of B follow each other. Beyond that it would take shuffles of
whole tiles in registers, and stores that do not read the line they write.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.bench.workload import Program, Workload, floats, reusing
from tewb import te


def transpose(n: int, m: int, block: int = 256, rows: int = 8, columns: int = 4, threads: int = 1) -> Program:
    """B[i, j] = A[j, i] in blocks for the cache, and tiles in which 8 neighbours of A are loaded at once."""
    A = te.placeholder((n, m), name="A")
    B = te.compute((m, n), lambda i, j: A[j, i], name="B")
    s = te.create_schedule(B.op)
    io, jo, i, j = s[B].tile("i", "j", block, block)
    im, ii = s[B].split(i, factor=rows)
    jm, ji = s[B].split(j, factor=columns)
    s[B].reorder(io, jo, im, jm, ji, ii)
    s[B].unroll(ji)
    s[B].vectorize(ii)
    if threads > 1:
        s[B].parallel(io)
    return s, [A, B]


def numpy(a: Any, out: Any) -> Any:
    np.copyto(out, a.T)
    return out


N = 4096
WORKLOADS = [
    Workload(
        f"transpose, {N} x {N}",
        lambda threads: transpose(N, N, threads=threads),
        floats((N, N)),
        reusing(numpy, make=np.empty_like),
        goal=10.8,
        tags=("memory",),
    )
]
