"""Attention: softmax(Q K^T / 8) V for 8 heads of 512 positions with 64 features.

A head's K is turned once, so that scores are a product like any other; then blocks of rows go through everything
(scores, largest, exponentials, sums, product with V) while they are in the first- and second-level caches.
Both products hold tiles in registers; they are four fifths of the time, the exponentials the rest.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.bench.workload import Program, Workload
from tewb import te


def attention(
    heads: int, n: int, d: int, block: int = 64, rows: int = 4, columns: int = 64, threads: int = 1
) -> Program:
    """Blocks of so many rows; tiles of rows x columns of both products are in registers."""
    Q, K, V = (te.placeholder((heads, n, d), name=name) for name in "QKV")
    T = te.compute((heads, d, n), lambda h, x, j: K[h, j, x], name="T")
    x = te.reduce_axis((0, d), name="x")
    S = te.compute((heads, n, n), lambda h, i, j: te.sum(Q[h, i, x] * T[h, x, j], axis=x), name="S")
    tops = narrowed("top", te.max, S, n)
    scale = float(1 / np.sqrt(d))
    E = te.compute((heads, n, n), lambda h, i, j: te.exp((S[h, i, j] - tops[-1][h, i, 0]) * scale), name="E")
    sums = narrowed("sum", te.sum, E, n)
    R = te.compute((heads, n), lambda h, i: 1.0 / sums[-1][h, i, 0], name="R")
    k = te.reduce_axis((0, n), name="k")
    P = te.compute((heads, n, d), lambda h, i, c: te.sum(E[h, i, k] * V[h, k, c], axis=k), name="P")
    O = te.compute((heads, n, d), lambda h, i, c: P[h, i, c] * R[h, i], name="O")  # noqa: E741

    s = te.create_schedule(O.op)
    if threads > 1:
        s[O].parallel("h")
    blocks, i = s[O].split("i", factor=block)
    _, tile = register_tiles(s, O, i, "c", rows, columns)
    s[P].set_scope("local")
    product(s, P, O, tile, "k")
    for t in (R, *reversed(sums), E, *reversed(tops)):
        s[t].compute_at(s[O], blocks)
    for t in (*tops, *sums):
        s[t].reorder(t.op.reduce_axis[0], t.op.axis[2])
        s[t].vectorize(t.op.axis[2])
    s[E].vectorize(s[E].split("j", factor=64)[1])
    L = s.cache_write(S, "local")
    s[S].compute_at(s[O], blocks)
    _, tile = register_tiles(s, S, "i", "j", rows, columns)
    product(s, L, S, tile, "x")
    s[T].compute_at(s[O], "h")
    lanes, j = s[T].split("j", factor=16)
    s[T].reorder(lanes, "x", j)
    s[T].vectorize(j)
    return s, [Q, K, V, O]


def narrowed(name: str, kind: Any, t: Any, n: int) -> list[Any]:
    """Rows of n reduced to 64 lanes, these to 16, 4 and 1: short chains, and vectors for most of the way."""
    stages = []
    for width in (64, 16, 4, 1):
        q = te.reduce_axis((0, n // width), name="q")
        shape = (t.shape[0], t.shape[1], width)
        body = lambda h, i, v, t=t, q=q, width=width: kind(t[h, i, q * width + v], axis=q)  # noqa: E731
        t, n = te.compute(shape, body, name=f"{name}{width}"), width
        stages.append(t)
    return stages


def register_tiles(s: Any, t: Any, i: Any, j: Any, rows: int, columns: int) -> tuple[Any, Any]:
    io, jo, ii, ji = s[t].tile(i, j, rows, columns)
    s[t].reorder(jo, io, ii, ji)
    s[t].unroll(ii)
    s[t].vectorize(ji)
    return jo, io


def product(s: Any, tile: Any, at: Any, loop: Any, k: str) -> None:
    """A tile of a product, in registers while `k` runs."""
    s[tile].compute_at(s[at], loop)
    _, i, j = (s[tile].axis_name(iv) for iv in s[tile].op.axis)
    s[tile].reorder(k, i, j)
    s[tile].unroll(i)
    s[tile].vectorize(j)


def numpy_attention(q: Any, k: Any, v: Any) -> Any:
    scores = q @ k.transpose(0, 2, 1)
    scores *= np.float32(1 / np.sqrt(q.shape[-1]))
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=-1, keepdims=True)
    return scores @ v


WORKLOADS = [
    Workload(
        "attention, 8 heads, 512 x 64",
        lambda threads: attention(8, 512, 64, threads=threads),
        lambda rng: [rng.standard_normal((8, 512, 64), dtype=np.float32) for _ in range(3)],
        numpy_attention,
        goal=1.52,
        operations=4.0 * 8 * 512 * 512 * 64,
        tags=("compute",),
    )
]
