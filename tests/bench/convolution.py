"""Convolutions 3x3 with padding, NCHW: dense against im2col and BLAS, depthwise against nine sums.

The dense one reads every padded value 64 times, and makes it once. The depthwise one reads it nine times: there are no
padded values, and only tiles at the edges look at the conditions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.bench.workload import Program, Workload, floats
from tewb import te


def _padded(A: Any, c: int, n: int) -> Any:
    inside = lambda i, j: te.all(i > 0, i <= n, j > 0, j <= n)  # noqa: E731
    return te.compute(
        (c, n + 2, n + 2),
        lambda k, i, j: te.if_then_else(inside(i, j), A[k, i - 1, j - 1], 0.0),
        name="P",
    )


def dense(c: int, o: int, n: int, channels: int = 4, lanes: int = 16, threads: int = 1) -> Program:
    A, W = te.placeholder((c, n, n), name="A"), te.placeholder((o, c, 3, 3), name="W")
    P = _padded(A, c, n)
    k, r, q = (te.reduce_axis((0, e), name=name) for e, name in ((c, "k"), (3, "r"), (3, "q")))
    C = te.compute(
        (o, n, n), lambda f, i, j: te.sum(P[k, i + r, j + q] * W[f, k, r, q], axis=[k, r, q]), name="C"
    )
    s = te.create_schedule(C.op)
    L = s.cache_write(C, "local")
    fo, fi = s[C].split("f", factor=channels)
    jo, ji = s[C].split("j", factor=lanes)
    s[C].reorder(fo, "i", fi, jo, ji)
    s[C].unroll(fi)
    s[C].unroll(jo)
    s[C].vectorize(ji)
    s[L].compute_at(s[C], "i")
    jo, ji = s[L].split("j.c", factor=lanes)
    s[L].reorder("k", "r", "q", "f.c", jo, ji)
    s[L].unroll("q")
    s[L].unroll("f.c")
    s[L].unroll(jo)
    s[L].vectorize(ji)
    s[P].vectorize(s[P].split("j", factor=16)[1])
    if threads > 1:
        s[C].parallel(fo)
        s[P].parallel("k")
    return s, [A, W, C]


def depthwise(c: int, n: int, rows: int = 4, threads: int = 1) -> Program:
    A, W = te.placeholder((c, n, n), name="A"), te.placeholder((c, 3, 3), name="W")
    P = _padded(A, c, n)
    r, q = te.reduce_axis((0, 3), name="r"), te.reduce_axis((0, 3), name="q")
    C = te.compute((c, n, n), lambda f, i, j: te.sum(P[f, i + r, j + q] * W[f, r, q], axis=[r, q]), name="C")
    s = te.create_schedule(C.op)
    L = s.cache_write(C, "local")
    _, jo, ii, ji = s[C].tile("i", "j", rows, 16)
    s[C].unroll(ii)
    s[C].vectorize(ji)
    s[L].compute_at(s[C], jo)
    s[L].reorder("r", "q", "i.c", "j.c")
    for axis in ("r", "q", "i.c"):
        s[L].unroll(axis)
    s[L].vectorize("j.c")
    s[P].compute_inline()
    s[C].nontemporal()
    if threads > 1:
        s[C].parallel("f")
    return s, [A, W, C]


def windows(a: Any) -> Any:
    wide = np.pad(a, ((0, 0), (1, 1), (1, 1)))
    return np.lib.stride_tricks.sliding_window_view(wide, (3, 3), axis=(1, 2))


def numpy_dense(a: Any, w: Any) -> Any:
    columns = windows(a).transpose(0, 3, 4, 1, 2).reshape(w[0].size, -1)
    return (w.reshape(len(w), -1) @ columns).reshape(len(w), *a.shape[1:])


def numpy_depthwise(a: Any, w: Any) -> Any:
    wide, (n, m) = np.pad(a, ((0, 0), (1, 1), (1, 1))), a.shape[1:]
    made = np.zeros_like(a)
    for r in range(3):
        for q in range(3):
            made += wide[:, r : r + n, q : q + m] * w[:, r, q, None, None]
    return made


WORKLOADS = [
    Workload(
        "conv2d 3x3, 64 to 64, 56 x 56",
        lambda threads: dense(64, 64, 56, threads=threads),
        floats((64, 56, 56), (64, 64, 3, 3)),
        numpy_dense,
        goal=1.36,
        rtol=1e-3,
        operations=2 * 64 * 64 * 56 * 56 * 9,
        tags=("compute",),
    ),
    Workload(
        "depthwise 3x3, 128 x 112 x 112",
        lambda threads: depthwise(128, 112, threads=threads),
        floats((128, 112, 112), (128, 3, 3)),
        numpy_depthwise,
        goal=11.2,
        rtol=1e-3,
        operations=2 * 128 * 112 * 112 * 9,
        tags=("memory",),
    ),
]
