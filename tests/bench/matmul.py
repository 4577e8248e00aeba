"""float32 matmul on one thread against numpy's BLAS.

The schedule packs a column panel of B, keeps a block of C in registers and unrolls its rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import threadpoolctl

import tewb
from tests.bench.harness import heading, race
from tewb import te


def scheduled(n: int, m: int, k: int, rows: int = 6, columns: int = 64) -> tuple[Any, list[Any]]:
    """C[n, m] = A[n, k] @ B[k, m], with register tiles of rows x columns."""
    A = te.placeholder((n, k), name="A")
    B = te.placeholder((k, m), name="B")
    r = te.reduce_axis((0, k), name="k")
    C = te.compute((n, m), lambda i, j: te.sum(A[i, r] * B[r, j], axis=r), name="C")
    s = te.create_schedule(C.op)
    L = s.cache_write(C, "local")
    io, jo, ii, ji = s[C].tile("i", "j", rows, columns)
    s[C].reorder(jo, io, ii, ji)
    s[C].unroll(ii)
    s[C].vectorize(ji)
    s[L].compute_at(s[C], io)
    s[L].reorder("k", "i.c", "j.c")
    s[L].unroll("i.c")
    s[L].vectorize("j.c")
    P = s.cache_read(B, "global", [L])
    s[P].compute_at(s[C], jo)
    s[P].vectorize("ax1")
    return s, [A, B, C]


def main() -> None:
    heading("matmul, float32, one thread", "numpy")
    rng = np.random.default_rng(0)
    for n, m, k in [(512, 512, 512), (1024, 1024, 1024), (1056, 1056, 1056), (1000, 777, 513)]:
        s, args = scheduled(n, m, k)
        kernel = tewb.build(s, args)
        a, b = rng.standard_normal((n, k), dtype=np.float32), rng.standard_normal((k, m), dtype=np.float32)
        c, d = np.zeros((n, m), np.float32), np.zeros((n, m), np.float32)
        with threadpoolctl.threadpool_limits(1):
            kernel(a, b, c)
            np.matmul(a, b, out=d)
            np.testing.assert_allclose(c, d, rtol=1e-4, atol=1e-3)
            print(race(f"{n} x {m} x {k}", lambda: kernel(a, b, c), lambda: np.matmul(a, b, out=d)))  # noqa: B023
