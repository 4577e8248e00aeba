"""Transpose of 4096 x 4096 floats, one thread.

Lanes are stored one by one: 4 stores to a line of B follow each other. Beyond that it would take shuffles of
whole tiles in registers, and stores that do not read the line they write.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.bench.harness import against_numpy, heading
from tewb import te


def transpose(n: int, m: int, block: int = 256, rows: int = 8, columns: int = 4) -> tuple[Any, list[Any]]:
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
    return s, [A, B]


def main(n: int = 4096) -> None:
    heading("transpose, float32, one thread", "numpy")
    a = np.random.default_rng(0).standard_normal((n, n), dtype=np.float32)
    against_numpy(f"{n} x {n}", transpose(n, n), [a], lambda a: np.ascontiguousarray(a.T), 10.8)
