"""Ten thousand products of 8 x 8 matrices.

A row of C is a vector of 8 lanes, and the eight rows of a product stay in registers while k is unrolled: eight
independent chains of eight fused multiply-adds, no loop inside of a product.
The arrays (7.7 MB) come from the third-level cache: loads, a broadcast for each multiply-add, are the limit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.bench.workload import Program, Workload
from tewb import te


def batched(count: int, n: int, threads: int = 1) -> Program:
    """C[b] = A[b] @ B[b] for `count` matrices of n x n."""
    A, B = te.placeholder((count, n, n), name="A"), te.placeholder((count, n, n), name="B")
    k = te.reduce_axis((0, n), name="k")
    C = te.compute((count, n, n), lambda b, i, j: te.sum(A[b, i, k] * B[b, k, j], axis=k), name="C")
    s = te.create_schedule(C.op)
    L = s.cache_write(C, "local")
    b = "b"
    if threads > 1:
        outer, b = s[C].split("b", nparts=4 * threads)
        s[C].parallel(outer)
    s[C].unroll("i")
    s[C].vectorize("j")
    s[L].compute_at(s[C], b)
    s[L].reorder("k", "i.c", "j.c")
    s[L].unroll("k")
    s[L].unroll("i.c")
    s[L].vectorize("j.c")
    return s, [A, B, C]


def given(rng: np.random.Generator) -> list[Any]:
    return [rng.standard_normal((10000, 8, 8), dtype=np.float32) for _ in range(2)]


WORKLOADS = [
    Workload(
        "batched matmul 10000 x 8 x 8 x 8",
        lambda threads: batched(10000, 8, threads),
        given,
        np.matmul,
        goal=3.5,
        operations=2.0 * 10000 * 8**3,
        tags=("compute",),
    )
]
