"""Strided buffers: what they cost on contiguous arrays, and strided arrays against numpy.

The kernels of the first table take any strides, and have a body for rows of neighbours; the others are made
for contiguous arrays only. Both run on contiguous arrays (aim: a ratio of 0.98). Both of a pair write the same memory: where an
array lies decides up to a tenth.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import threadpoolctl

import tewb
from tests.bench.harness import heading, race
from tests.bench.matmul import scheduled
from tewb import te

Program = tuple[Any, list[Any]]


def add(n: int, m: int, is_special: bool = False) -> Program:
    """In vectors of 32 bytes: of those of 64 each lies in two lines of the cache, where an array does not begin at a line. With a
    body for columns of neighbours. Sums that the caches do not hold go past them, where they are neighbours."""
    A, B = te.placeholder((n, m), name="A"), te.placeholder((n, m), name="B")
    C = te.compute((n, m), lambda i, j: A[i, j] + B[i, j], name="C")
    s = te.create_schedule(C.op)
    is_large = n * m >= 1 << 20

    def along(axis: str, are_neighbours: bool) -> None:
        s[C].split(axis, factor=8)
        s[C].vectorize(f"{axis}.inner")
        if are_neighbours and is_large:
            s[C].nontemporal()

    if is_special and is_large:
        columns, rows = (te.all(*[te.stride(t, d) == 1 for t in (A, B, C)]) for d in (0, 1))
        with s.specialize(columns):
            s[C].reorder("j", "i")
            along("i", are_neighbours=True)
        with s.specialize(rows):
            along("j", are_neighbours=True)
    along("j", are_neighbours=not is_special)
    return s, [A, B, C]


def row_sum(n: int, m: int, is_special: bool = False) -> Program:
    """Sums of rows in 32 lanes, which are added up at the end; with bodies for columns of neighbours, of which four are added to
    all sums of a lane at once, and for every second column."""
    A = te.placeholder((n, m), name="A")
    k, lane = te.reduce_axis((0, m // 32), name="k"), te.reduce_axis((0, 32), name="lane")
    L = te.compute((n, 32), lambda i, j: te.sum(A[i, k * 32 + j], axis=k), name="L")
    R = te.compute((n,), lambda i: te.sum(L[i, lane], axis=lane), name="R")
    s = te.create_schedule(R.op)

    def rows() -> None:
        s[L].compute_at(s[R], "i")
        s[L].reorder("k", "j")
        s[L].vectorize("j")

    if is_special:
        with s.specialize(te.stride(A, 0) == 1):
            s[L].transform_layout(lambda i, j: [j, i])
            j, i, _ = s[L].leaf_iter_vars
            outer, few = s[L].split(k, 4)
            i, vector = s[L].split(i, 16)
            s[L].reorder(outer, j, i, few, vector)
            s[L].unroll(few)
            s[L].vectorize(vector)
            s[R].reorder(lane, "i")
            s[R].vectorize("i")
        with s.specialize(te.stride(A, 1) == 2):
            rows()
    rows()
    return s, [A, R]


def unscheduled_row_sum(n: int, m: int) -> Program:
    A, k = te.placeholder((n, m), name="A"), te.reduce_axis((0, m), name="k")
    R = te.compute((n,), lambda i: te.sum(A[i, k], axis=k), name="R")
    return te.create_schedule(R.op), [A, R]


def special_matmul(n: int, m: int, k: int, rows: int = 9, columns: int = 48, packed_rows: int = 8) -> Program:
    """C[n, m] = A[n, k] @ B[k, m] with a body for each way in which the arrays lie: vectors run along the neighbours of C,
    panels are turned as they are packed, and what is broadcast is packed where its tile is no run of k."""
    A, B = te.placeholder((n, k), name="A"), te.placeholder((k, m), name="B")
    r = te.reduce_axis((0, k), name="k")
    C = te.compute((n, m), lambda i, j: te.sum(A[i, r] * B[r, j], axis=r), name="C")
    s = te.create_schedule(C.op)

    def body(along_rows: bool, is_turned: bool, is_packed: bool, rows: int = rows) -> None:
        L = s.cache_write(C, "local")
        panel, other = (B, A) if along_rows else (A, B)
        P = s.cache_read(panel, "global", [L])
        if not along_rows:
            for x in (L, P):
                s[x].transform_layout(lambda i, j: [j, i])
        if is_packed:
            Q = s.cache_read(other, "global", [L])
            by_rows, by_columns = (
                (lambda i, k: [i // rows, k, i % rows]),
                (lambda k, j: [j // rows, k, j % rows]),
            )
            s[Q].transform_layout(by_rows if along_rows else by_columns)
            part, over, lane = s[Q].leaf_iter_vars
            over, few = s[Q].split(
                over, 16
            )  # lines of 16 k, which the cache holds until all parts have read theirs
            s[Q].reorder(over, part, few, lane)
            s[Q].vectorize(lane)
        lanes, across = ("j", "i") if along_rows else ("i", "j")
        lo, ao, li, ai = s[C].tile(lanes, across, columns, rows)
        s[C].reorder(lo, ao, ai, li)
        s[C].unroll(ai)
        s[C].vectorize(li)
        s[L].compute_at(s[C], ao)
        outer, inner, step = s[L].leaf_iter_vars
        s[L].reorder(step, outer, inner)
        s[L].unroll(outer)
        s[L].vectorize(inner)
        s[P].compute_at(s[C], lo)
        x, y = s[P].leaf_iter_vars
        if is_turned:
            s[P].transpose(*s[P].tile(x, y, 16, 16)[2:])
        else:
            s[P].vectorize(y)

    turned_a, turned_b, turned_c = (te.stride(t, 0) == 1 for t in (A, B, C))
    with s.specialize(te.all(turned_c, turned_a, turned_b)):
        body(along_rows=False, is_turned=False, is_packed=False)
    with s.specialize(te.all(turned_c, turned_a)):
        body(along_rows=False, is_turned=False, is_packed=True, rows=packed_rows)
    with s.specialize(te.all(turned_c, turned_b)):
        body(along_rows=False, is_turned=True, is_packed=False)
    with s.specialize(turned_c):
        body(along_rows=False, is_turned=True, is_packed=True, rows=packed_rows)
    with s.specialize(te.all(turned_a, turned_b)):
        body(along_rows=True, is_turned=True, is_packed=True, rows=packed_rows)
    with s.specialize(turned_a):
        body(along_rows=True, is_turned=False, is_packed=True, rows=packed_rows)
    with s.specialize(turned_b):
        body(along_rows=True, is_turned=True, is_packed=False)
    body(along_rows=True, is_turned=False, is_packed=False)
    return s, [A, B, C]


def any_strides(args: list[Any]) -> dict[Any, Any]:
    """A buffer with a variable for each stride, for every tensor."""
    return {
        t: te.decl_buffer(t.shape, t.dtype, t.name, strides=[te.var(f"{t.name}.s{d}") for d in range(t.ndim)])
        for t in args
    }


def wide(a: Any) -> Any:
    """The values of `a` in every second column of an array twice as wide."""
    made = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
    made[..., ::2] = a
    return made[..., ::2]


def turned(a: Any) -> Any:
    """The values of `a` with columns of neighbours."""
    return np.ascontiguousarray(a.T).T


def sum_of_rows(a: Any, out: Any) -> Any:
    return np.sum(a, axis=1, out=out)


# A program for contiguous arrays, one for any strides, and numpy's function.
CASES: list[tuple[str, Program, Program, Callable[..., Any]]] = [
    ("add 16 x 16 (the call)", add(16, 16), add(16, 16, True), np.add),
    ("add 2048 x 2048", add(2048, 2048), add(2048, 2048, True), np.add),
    ("row sum 2048 x 2048", row_sum(2048, 2048), row_sum(2048, 2048, True), sum_of_rows),
    ("row sum, no steps", unscheduled_row_sum(2048, 2048), unscheduled_row_sum(2048, 2048), sum_of_rows),
    ("matmul 512 x 512 x 512", scheduled(512, 512, 512), special_matmul(512, 512, 512), np.matmul),
    ("matmul 1000 x 777 x 513", scheduled(1000, 777, 513), special_matmul(1000, 777, 513), np.matmul),
]


SPECIAL = [(512, 512, 512), (1000, 777, 513)]


def arrays(args: list[Any]) -> list[Any]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal([n.value for n in t.shape], dtype=np.float32) for t in args]


def main() -> None:
    kernels = [(name, args, tewb.build(s, args), tewb.build(own, given, binds=any_strides(given)), numpy)
               for name, (s, args), (own, given), numpy in CASES]  # fmt: skip
    heading("any strides, on contiguous arrays", "contiguous")
    for name, args, compact, strided, numpy in kernels:
        given = arrays(args)
        strided(*given)
        np.testing.assert_allclose(
            given[-1], numpy(*given[:-1], out=np.empty_like(given[-1])), rtol=1e-3, atol=1e-3
        )
        print(race(name, lambda: strided(*given), lambda: compact(*given), repeat=41))  # noqa: B023
    for title, layout in (("every second column", wide), ("transposed", turned)):
        heading(f"strided arrays, {title}", "numpy")
        for name, args, _, strided, numpy in kernels:
            given = [layout(a) for a in arrays(args)]
            with threadpoolctl.threadpool_limits(1):
                strided(*given)
                out = layout(np.zeros(given[-1].shape, given[-1].dtype))
                want = numpy(*given[:-1], out=out)
                np.testing.assert_allclose(given[-1], want, rtol=1e-3, atol=1e-3)
                print(race(name, lambda: strided(*given), lambda: numpy(*given[:-1], out=given[-1])))  # noqa: B023
    heading("matmul with a body for each layout (specialize); C: rows of neighbours, F: columns", "numpy")
    for shape in SPECIAL:
        race_layouts(*shape)


def race_layouts(n: int, m: int, k: int) -> None:
    """A product in all orders of A, B and C."""
    s, args = special_matmul(n, m, k)
    kernel = tewb.build(s, args)
    for orders in product("CF", repeat=3):
        given = [np.array(a, order=order) for a, order in zip(arrays(args), orders, strict=True)]  # type: ignore[call-overload]
        out, name = given[-1].copy(order="K"), f"{n} x {m} x {k}, A B C as {''.join(orders)}"
        with threadpoolctl.threadpool_limits(1):
            kernel(*given)
            np.testing.assert_allclose(given[-1], np.matmul(*given[:-1], out=out), rtol=1e-3, atol=1e-3)
            print(race(name, lambda: kernel(*given), lambda: np.matmul(*given[:-1], out=given[-1])))  # noqa: B023
