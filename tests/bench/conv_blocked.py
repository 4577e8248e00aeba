"""A 3x3 convolution of 64 to 64 channels, 56 x 56, in blocks of 16 channels (NCHW16c).

The block of output channels is the vector, and 14 pixels of a row are 14 accumulators in registers: each weight
vector is loaded once for them, each pixel is a broadcast that the multiply-add reads from memory itself.
The accumulators stay through all input channels and the window; one multiply-add a cycle is the limit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.bench.convolution import numpy_dense
from tests.bench.workload import Program, Workload
from tewb import te

LANES = 16


def blocked(c: int, o: int, n: int, pixels: int = 14, unrolled: int = 2, threads: int = 1) -> Program:
    """Weights are given as (o/16, c/16, 3, 3, 16 of c, 16 of o), images as (c/16, n, n, 16 of c)."""
    A = te.placeholder((c // LANES, n, n, LANES), name="A")
    W = te.placeholder((o // LANES, c // LANES, 3, 3, LANES, LANES), name="W")
    inside = lambda i, j: te.all(i > 0, i <= n, j > 0, j <= n)  # noqa: E731
    P = te.compute(
        (c // LANES, n + 2, n + 2, LANES),
        lambda b, i, j, v: te.if_then_else(inside(i, j), A[b, i - 1, j - 1, v], 0.0),
        name="P",
    )
    b, r, q, k = (
        te.reduce_axis((0, e), name=x) for e, x in ((c // LANES, "b"), (3, "r"), (3, "q"), (16, "k"))
    )
    C = te.compute(
        (o // LANES, n, n, LANES),
        lambda f, i, j, v: te.sum(P[b, i + r, j + q, k] * W[f, b, r, q, k, v], axis=[b, r, q, k]),
        name="C",
    )
    s = te.create_schedule(C.op)
    L = s.cache_write(C, "local")
    jo, ji = s[C].split("j", factor=pixels)
    s[C].unroll(ji)
    s[C].vectorize("v")
    if threads > 1:
        s[C].parallel(s[C].fuse("f", "i"))
        s[P].parallel(s[P].fuse("b", "i"))
    s[L].compute_at(s[C], jo)
    ko, ki = s[L].split("k", factor=unrolled)
    s[L].reorder("b", "r", "q", ko, ki, "j.c", "v.c")
    s[L].unroll(ki)
    s[L].unroll("j.c")
    s[L].vectorize("v.c")
    s[P].vectorize("v")
    return s, [A, W, C]


def given(rng: np.random.Generator) -> list[Any]:
    return [
        rng.standard_normal((4, 56, 56, LANES), dtype=np.float32),
        rng.standard_normal((4, 4, 3, 3, LANES, LANES), dtype=np.float32),
    ]


def numpy_blocked(a: Any, w: Any) -> Any:
    """im2col and a product, between changes of layout."""
    c, n, m, lanes = a.shape
    image = a.transpose(0, 3, 1, 2).reshape(c * lanes, n, m)
    weights = w.transpose(0, 5, 1, 4, 2, 3).reshape(len(w) * lanes, c * lanes, 3, 3)
    made = numpy_dense(image, weights).reshape(len(w), lanes, n, m)
    return np.ascontiguousarray(made.transpose(0, 2, 3, 1))


WORKLOADS = [
    Workload(
        "conv2d NCHW16c 64 -> 64, 56 x 56, 3 x 3",
        lambda threads: blocked(64, 64, 56, threads=threads),
        given,
        numpy_blocked,
        goal=1.50,
        rtol=1e-3,
        operations=2.0 * 64 * 64 * 9 * 56**2,
        tags=("compute",),
    )
]
