"""float32 matmul against numpy's BLAS, squares and others, strides of a power of two among them.

The schedule packs a column panel of B, keeps a block of C in registers all through k and unrolls its rows: a step
of k is a few vectors of B and a broadcast for each row of A.
One multiply-add of 16 lanes a cycle is the limit; what is lost goes to packing and to the ends of tiles.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.bench.workload import Program, Workload, floats, reusing
from tewb import te


def scheduled(
    n: Any,
    m: Any,
    k: Any,
    rows: int = 6,
    columns: int = 64,
    packed: bool = True,
    threads: int = 1,
) -> Program:
    """C[n, m] = A[n, k] @ B[k, m], with register tiles of rows x columns; sizes may be `te.var`s."""
    A = te.placeholder((n, k), name="A")
    B = te.placeholder((k, m), name="B")
    r = te.reduce_axis((0, k), name="k")
    C = te.compute((n, m), lambda i, j: te.sum(A[i, r] * B[r, j], axis=r), name="C")
    s = te.create_schedule(C.op)
    L = s.cache_write(C, "local")
    io, jo, ii, ji = s[C].tile("i", "j", rows, columns)
    # Threads share out panels of B, which each packs for itself, or else rows of A.
    outer, inner = (jo, io) if packed or threads == 1 else (io, jo)
    s[C].reorder(outer, inner, ii, ji)
    s[C].unroll(ii)
    s[C].vectorize(ji)
    s[L].compute_at(s[C], inner)
    if threads > 1:
        s[C].parallel(outer)
    s[L].reorder("k", "i.c", "j.c")
    s[L].unroll("i.c")
    s[L].vectorize("j.c")
    if packed:
        P = s.cache_read(B, "global", [L])
        s[P].compute_at(s[C], jo)
        s[P].vectorize("ax1")
    return s, [A, B, C]


# The tile that suits a shape. Six rows of 64 columns or eight of 48 are 24 of 32 registers of accumulators, and
# nine are 27; where B fits the second-level cache, or k is short, packing costs more than it brings.
TILES: dict[tuple[int, int, int], dict[str, Any]] = {
    (256, 256, 256): {"rows": 8, "columns": 48, "packed": False},
    (512, 512, 512): {"rows": 9, "columns": 48},
    (1024, 1024, 1024): {"rows": 9, "columns": 48},
    (1056, 1056, 1056): {"rows": 9, "columns": 48},
    (2048, 2048, 2048): {"rows": 6, "columns": 64},
    (1000, 777, 513): {"rows": 8, "columns": 48},
    (1024, 1024, 64): {"rows": 6, "columns": 64, "packed": False},
}
# Two threads: 8 or 16 panels of B can be halved, 11 and 22 of which one is narrow cannot.
SHARED = TILES | {(n, n, n): {"rows": 6, "columns": 64} for n in (512, 1024)}
GOALS = {(256,) * 3: 1.11, (512,) * 3: 1.07, (1024,) * 3: 1.08, (2048,) * 3: 1.02, (1024, 1024, 64): 1.24}


def workload(n: int, m: int, k: int) -> Workload:
    return Workload(
        f"matmul {n}" if n == m == k else f"matmul {n} x {m} x {k}",
        lambda threads: scheduled(n, m, k, **(TILES if threads == 1 else SHARED)[n, m, k], threads=threads),
        floats((n, k), (k, m)),
        reusing(np.matmul),
        GOALS.get((n, m, k)),
        rtol=1e-3,
        operations=2.0 * n * m * k,
        tags=("compute",),
    )


WORKLOADS = [workload(*shape) for shape in TILES]
