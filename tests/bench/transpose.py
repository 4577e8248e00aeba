"""Transposition of floats, and of the channels of an image.

8 neighbours of a row of A are loaded at once from each of 16 rows, transposed in registers, and stored as 8 vectors
of 16. The shuffles take a tenth of the time; the rest is memory: the lines of B are read before they are
written, and numpy's arrays begin 16 bytes into a line, so that every second load and all stores touch two.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.bench.memory import empty
from tests.bench.workload import Program, Workload, floats, reusing
from tewb import te


def transpose(n: int, m: int, rows: int = 512, columns: int = 32, threads: int = 1) -> Program:
    """B[i, j] = A[j, i] in blocks of `rows` x `columns` for the cache, and tiles of 8 x 16 in registers."""
    A = te.placeholder((n, m), name="A")
    B = te.compute((m, n), lambda i, j: A[j, i], name="B")
    s = te.create_schedule(B.op)
    io, jo, i, j = s[B].tile("i", "j", rows, columns)
    im, ii = s[B].split(i, factor=8)
    jm, ji = s[B].split(j, factor=16)
    s[B].reorder(io, jo, jm, im, ii, ji)
    s[B].transpose(ii, ji)
    if threads > 1:
        s[B].parallel(io)
    return s, [A, B]


def planes(n: int, channels: int, threads: int = 1) -> Program:
    """The channels of `n` pixels, one plane for each: 64 pixels at a time are taken apart."""
    A = te.placeholder((n, channels), name="A", dtype="uint8")
    P = te.compute((channels, n), lambda c, i: A[i, c], name="P")
    s = te.create_schedule(P.op)
    outer, inner = s[P].split("i", factor=64)
    s[P].reorder(outer, "c", inner)
    s[P].transpose("c", inner)
    if threads > 1:
        s[P].parallel(s[P].split(outer, factor=256)[0])
    return s, [A, P]


def turned(a: Any, out: Any) -> Any:
    np.copyto(out, a.T)
    return out


def transposition(n: int, m: int, goal: float | None = None) -> Workload:
    return Workload(
        f"transpose, {n} x {m}",
        lambda threads: transpose(n, m, threads=threads),
        floats((n, m)),
        reusing(turned, make=lambda a: empty(a.shape[::-1])),
        goal,
        tags=("memory",),
    )


def channels(n: int, count: int) -> Workload:
    return Workload(
        f"{count} channels of {n >> 20}M pixels, uint8",
        lambda threads: planes(n, count, threads),
        lambda rng: [rng.integers(0, 256, (n, count), dtype=np.uint8)],
        reusing(turned, make=lambda a: empty(a.shape[::-1])),
        tags=("memory",),
    )


WORKLOADS = [
    transposition(4096, 4096, 10.8),
    transposition(4095, 4097),
    channels(1 << 22, 3),
    channels(1 << 22, 4),
]
