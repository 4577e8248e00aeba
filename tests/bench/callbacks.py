"""The cost of a callback from a kernel to Python with two tile views, against a plain Python call on slices."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import tewb
from tests.bench.harness import Row, heading, race
from tewb import te
from tewb.base import register_native
from tewb.contrib import cblas

TILES = 1000


def main() -> None:
    heading(f"{TILES} callbacks with two tile views", "slicing")

    def nothing(a: Any, b: Any) -> None:
        pass

    tewb.register_func("bench.nothing", nothing, override=True)

    def tiles(parallel: bool = False) -> Any:
        A = te.placeholder((TILES, 16), name="A")
        E = te.extern((TILES, 16), [A], lambda i, o: te.call_packed("bench.nothing", i[0], o[0]), name="E",
                      access=te.access.elementwise)  # fmt: skip
        s = te.create_schedule(E.op)
        outer, _ = s[E].split("d0", 1)
        if parallel:
            s[E].parallel(outer)
        return tewb.build(s, [A, E])

    def intermediate() -> Any:
        A = te.placeholder((TILES, 16), name="A")
        E = te.extern((TILES, 16), [A], lambda i, o: te.call_packed("bench.nothing", i[0], o[0]), name="E",
                      access=te.access.elementwise)  # fmt: skip
        C = te.compute((TILES, 16), lambda i, j: E[i, j], name="C")
        s = te.create_schedule(C.op)
        s[E].compute_at(s[C], "i")
        return tewb.build(s, [A, C])

    a, c = np.zeros((TILES, 16), "float32"), np.zeros((TILES, 16), "float32")

    def plain() -> None:
        for i in range(TILES):
            nothing(a[i : i + 1], c[i : i + 1])

    kernel = tiles()
    held, released = kernel._short_entry, kernel._entry
    for name, entry in (("GIL held", held), ("GIL released", released)):
        kernel._short_entry = entry
        print(race(f"tiles of the arguments, {name}", lambda: kernel(a, c), plain))
    workers = tiles(parallel=True)
    print(race("tiles of the arguments, from workers", lambda: workers(a, c), plain))
    inner = intermediate()
    print(race("tiles of an intermediate, computed at", lambda: inner(a, c), plain))
    native()


def native() -> None:
    """A C function for each element, under a name of which LLVM does not know what it does."""
    count = 100 * TILES
    heading(f"{count} native externs", "numpy")
    library = ctypes.CDLL(None)
    library.abs.argtypes, library.abs.restype = [ctypes.c_int], ctypes.c_int
    function = register_native(library.abs, "bench.abs").symbol
    A = te.placeholder((count,), name="A", dtype="int32")
    B = te.compute((count,), lambda i: te.call_extern("int32", function, A[i]), name="B")
    kernel = tewb.build(te.create_schedule(B.op), [A, B])
    n, m = np.zeros(count, "int32"), np.zeros(count, "int32")
    row = race("abs of libc", lambda: kernel(n, m), lambda: np.abs(n, out=m))
    print(row, f"  {row.tewb / count * 1e9:.2f} ns each")
    heading("tiled sgemm extern", "numpy")
    for n in (256, 512, 1024):
        print(gemm(n))


def gemm(n: int) -> Row:
    A, B = te.placeholder((n, n), name="A"), te.placeholder((n, n), name="B")
    C = cblas.matmul(A, B)
    s = te.create_schedule(C.op)
    s[C].tile("d0", "d1", n // 2, n // 2)
    kernel = tewb.build(s, [A, B, C])
    a, b = (np.random.default_rng(0).random((n, n), np.float32) for _ in "ab")
    c, d = np.zeros((n, n), "float32"), np.zeros((n, n), "float32")
    with threadpool_limits(1):
        return race(
            f"sgemm {n} in tiles of {n // 2}", lambda: kernel(a, b, c), lambda: np.matmul(a, b, out=d)
        )
