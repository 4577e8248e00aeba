"""uint8 x int8 matrix products in int32, one thread, beside numpy's float32 product of the same size.

4 neighbours of k make one step of a dot product, so the program packs B as [n/64][k/4][64][4]; the schedule keeps
4 x 64 sums in registers. Rows "packed" are given B in that form, as a layer of a network keeps its weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.bench.workload import Program, Workload
from tewb import te

COLUMNS = 64


def packed_shape(m: int, k: int, columns: int = COLUMNS) -> tuple[int, int, int, int]:
    return -(-m // columns), -(-k // 4), columns, 4


def matmul(
    n: int, m: int, k: int, packed: bool = False, rows: int = 4, columns: int = COLUMNS, threads: int = 1
) -> Program:
    """C[n, m] = A[n, k] @ B[k, m]; with `packed` the second argument is P, which the caller has made of B."""
    A = te.placeholder((n, k), name="A", dtype="uint8")
    B = te.placeholder((k, m), name="B", dtype="int8")
    P = (
        te.placeholder(packed_shape(m, k, columns), name="P", dtype="int8")
        if packed
        else _packed(B, m, k, columns)
    )
    r = te.reduce_axis((0, k), name="k")
    C = te.compute(
        (n, m),
        lambda i, j: te.sum(
            A[i, r].astype("int32") * P[j // columns, r // 4, j % columns, r % 4].astype("int32"), axis=r
        ),
        name="C",
    )
    s = te.create_schedule(C.op)
    L = s.cache_write(C, "local")
    io, jo, ii, ji = s[C].tile("i", "j", rows, columns)
    if threads > 1:
        # Panels are few and the last is narrow: threads share out bands of rows, which use a panel 16 times.
        band, io = s[C].split(io, factor=16)
        s[C].reorder(band, jo, io, ii, ji)
        s[C].parallel(band)
    else:
        s[C].reorder(jo, io, ii, ji)
    s[C].unroll(ii)
    s[C].vectorize(ji)
    s[L].compute_at(s[C], io)
    ko, ki = s[L].split("k", factor=4)
    s[L].reorder(ko, "i.c", "j.c", ki)
    s[L].unroll("i.c")
    s[L].vectorize("j.c")
    s[L].dot(ki)
    if not packed:
        s[P].unroll("q")
        s[P].vectorize("j")
        if threads == 1:
            s[P].compute_at(s[C], jo)
        else:
            s[P].parallel(s[P].fuse(*P.op.axis[:2]))
    return s, [A, P if packed else B, C]


def _packed(B: Any, m: int, k: int, columns: int) -> Any:
    """B with 4 neighbours of k side by side, zero past its ends."""

    def value(jo: Any, ko: Any, j: Any, q: Any) -> Any:
        row, column = ko * 4 + q, jo * columns + j
        if m % columns == 0 and k % 4 == 0:
            return B[row, column]
        inside = te.all(row < k, column < m)
        return te.if_then_else(inside, B[row, column], te.const(0, "int8"))

    return te.compute(packed_shape(m, k, columns), value, name="P")


def packed(b: Any) -> Any:
    """B[k, m] as [m/64][k/4][64][4], with zeros past its ends."""
    (k, m), shape = b.shape, packed_shape(b.shape[1], b.shape[0])
    wide = np.zeros((shape[1] * 4, shape[0] * COLUMNS), b.dtype)
    wide[:k, :m] = b
    return np.ascontiguousarray(wide.reshape(shape[1], 4, shape[0], COLUMNS).transpose(2, 0, 3, 1))


def workload(n: int, m: int, k: int, prepared: bool = False, goal: float | None = None) -> Workload:
    """numpy gets the matrices as floats, and is only asked to multiply them: its sums are exact, as random ones stay
    below 2**24."""
    floats: list[Any] = []

    def given(rng: np.random.Generator) -> list[Any]:
        a = rng.integers(0, 256, (n, k)).astype("uint8")
        b = rng.integers(-128, 128, (k, m)).astype("int8")
        floats[:] = [a.astype("float32"), b.astype("float32")]
        return [a, packed(b) if prepared else b]

    return Workload(
        f"uint8 x int8, {n} x {m} x {k}{', packed' if prepared else ''}",
        lambda threads: matmul(n, m, k, prepared, threads=threads),
        given,
        lambda a, b: np.matmul(*floats).astype("int32"),
        goal,
        rtol=0,
        operations=2.0 * n * m * k,
        tags=("compute",),
    )


WORKLOADS: list[Workload] = [
    workload(1024, 1024, 1024, goal=4.36),
    workload(1024, 1024, 1024, prepared=True, goal=4.36),
    workload(1000, 777, 513),
    workload(1000, 777, 513, prepared=True),
]
