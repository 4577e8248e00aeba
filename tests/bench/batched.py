"""Ten thousand products of 8 x 8 matrices.

A row of C is a vector of 8 lanes. The terms of a sum are written out and the rows unrolled: eight independent
chains of a product and seven fused multiply-adds, no loop inside of a product and no zero to begin with.
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

    def element(b: Any, i: Any, j: Any) -> Any:
        first, *others = (A[b, i, k] * B[b, k, j] for k in range(n))
        return sum(others, first)

    C = te.compute((count, n, n), element, name="C")
    s = te.create_schedule(C.op)
    s[C].unroll("i")
    s[C].vectorize("j")
    if threads > 1:
        s[C].parallel(s[C].split("b", nparts=4 * threads)[0])
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
