"""Transposition of floats, and of the channels of an image, one thread.

8 neighbours of a row of A are loaded at once from each of 16 rows, transposed in registers, and stored as 8 vectors
of 16. The shuffles take a tenth of the time; the rest is memory: the lines of B are read before they are
written, and numpy's arrays begin 16 bytes into a line, so that every second load and all stores touch two.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.bench.harness import against_numpy, heading
from tewb import te


def transpose(n: int, m: int, rows: int = 512, columns: int = 32) -> tuple[Any, list[Any]]:
    """B[i, j] = A[j, i] in blocks of `rows` x `columns` for the cache, and tiles of 8 x 16 in registers."""
    A = te.placeholder((n, m), name="A")
    B = te.compute((m, n), lambda i, j: A[j, i], name="B")
    s = te.create_schedule(B.op)
    io, jo, i, j = s[B].tile("i", "j", rows, columns)
    im, ii = s[B].split(i, factor=8)
    jm, ji = s[B].split(j, factor=16)
    s[B].reorder(io, jo, jm, im, ii, ji)
    s[B].transpose(ii, ji)
    return s, [A, B]


def planes(n: int, channels: int) -> tuple[Any, list[Any]]:
    """The channels of `n` pixels, one plane for each: 64 pixels at a time are taken apart."""
    A = te.placeholder((n, channels), name="A", dtype="uint8")
    P = te.compute((channels, n), lambda c, i: A[i, c], name="P")
    s = te.create_schedule(P.op)
    outer, inner = s[P].split("i", factor=64)
    s[P].reorder(outer, "c", inner)
    s[P].transpose("c", inner)
    return s, [A, P]


def turned(a: Any) -> Any:
    return np.ascontiguousarray(a.T)


def main() -> None:
    heading("transpose, one thread", "numpy")
    rng = np.random.default_rng(0)
    for n, m, peer in ((4096, 4096, 10.8), (4095, 4097, None), (512, 512, None)):
        a = rng.standard_normal((n, m), dtype=np.float32)
        against_numpy(f"{n} x {m} float32", transpose(n, m), [a], turned, peer)
    for channels in (3, 4):
        image = rng.integers(0, 256, (1 << 22, channels), dtype=np.uint8)
        against_numpy(f"{channels} channels of 4M pixels, uint8", planes(1 << 22, channels), [image], turned)
