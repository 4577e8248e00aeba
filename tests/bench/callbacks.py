"""The cost of a callback from a kernel to Python with two tile views, against a plain Python call on slices."""

from __future__ import annotations

from typing import Any

import numpy as np

import tewb
from tests.bench.harness import heading, race
from tewb import te

TILES = 1000


def main() -> None:
    heading(f"{TILES} callbacks with two tile views", "slicing")

    def nothing(a: Any, b: Any) -> None:
        pass

    tewb.register_func("bench.nothing", nothing, override=True)
    A = te.placeholder((TILES, 16), name="A")
    E = te.extern((TILES, 16), [A], lambda i, o: te.call_packed("bench.nothing", i[0], o[0]), name="E",
                  access=te.access.elementwise)  # fmt: skip
    C = te.compute((TILES, 16), lambda i, j: E[i, j], name="C")
    s = te.create_schedule(C.op)
    s[E].compute_at(s[C], "i")
    kernel = tewb.build(s, [A, C])
    a, c = np.zeros((TILES, 16), "float32"), np.zeros((TILES, 16), "float32")

    def plain() -> None:
        for i in range(TILES):
            nothing(a[i : i + 1], c[i : i + 1])

    print(race("callbacks", lambda: kernel(a, c), plain))
