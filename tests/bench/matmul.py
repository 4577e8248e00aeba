"""float32 matmul against numpy's BLAS.

The schedule packs a column panel of B, keeps a block of C in registers and unrolls its rows. Threads share the panels out.
"""

from __future__ import annotations

import numpy as np

from tests.bench.workload import Program, Workload, floats, reusing
from tewb import te


def scheduled(n: int, m: int, k: int, rows: int = 6, columns: int = 64, threads: int = 1) -> Program:
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
    if threads > 1:
        s[C].parallel(jo)
    return s, [A, B, C]


def matmul(n: int, m: int, k: int, goal: float | None = None) -> Workload:
    return Workload(
        f"matmul {n}" if n == m == k else f"matmul {n} x {m} x {k}",
        lambda threads: scheduled(n, m, k, threads=threads),
        floats((n, k), (k, m)),
        reusing(np.matmul),
        goal,
        rtol=1e-3,
        operations=2 * n * m * k,
        tags=("compute",),
    )


WORKLOADS = [
    matmul(512, 512, 512, 1.07),
    matmul(1024, 1024, 1024, 1.08),
    matmul(1056, 1056, 1056),
    matmul(1000, 777, 513),
]
