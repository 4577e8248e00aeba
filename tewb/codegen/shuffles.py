"""Shuffles: lanes picked from vectors, and vectors concatenated."""

from __future__ import annotations

from collections.abc import Sequence

from tewb.base import DType
from tewb.codegen.function import Function
from tewb.codegen.types import value_type


def concatenated(f: Function, vectors: Sequence[tuple[str, int]], d: DType) -> tuple[str, int]:
    """One vector, or the concatenation of two, with its number of lanes."""
    count = sum(lanes for _, lanes in vectors)
    return vectors[0] if len(vectors) == 1 else (picked(f, vectors, range(count), d), count)


def picked(f: Function, vectors: Sequence[tuple[str, int]], indices: Sequence[int], d: DType) -> str:
    """Lanes of one or two vectors."""
    t = value_type(d.element)
    (a, n), (b, m) = vectors if len(vectors) == 2 else (*vectors, ("poison", vectors[0][1]))
    if n != m:  # the instruction takes vectors of one length: the shorter is filled up
        a, b = (_filled(f, x, k, max(n, m), t) for x, k in ((a, n), (b, m)))
        indices = [i if i < n else i - n + max(n, m) for i in indices]
    whole = f"<{max(n, m)} x {t}>"
    mask = f"<{len(indices)} x i32> <{', '.join(f'i32 {i}' for i in indices)}>"
    return f.ins(f"shufflevector {whole} {a}, {whole} {b}, {mask}")


def _filled(f: Function, x: str, n: int, lanes: int, t: str) -> str:
    """A vector of `n` lanes extended to `lanes`; the new ones are undefined."""
    if n == lanes:
        return x
    mask = ", ".join(f"i32 {i if i < n else 'poison'}" for i in range(lanes))
    return f.ins(f"shufflevector <{n} x {t}> {x}, <{n} x {t}> poison, <{lanes} x i32> <{mask}>")
