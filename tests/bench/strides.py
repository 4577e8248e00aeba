"""Strided buffers: what they cost on contiguous arrays, and strided arrays against numpy.

The kernels of the first table take any strides, and have a body for rows of neighbours; the others are made
for contiguous arrays only. Both run on contiguous arrays (aim: a ratio of 0.98).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import threadpoolctl

import tewb
from tests.bench.harness import heading, race
from tests.bench.matmul import scheduled
from tewb import te

Program = tuple[Any, list[Any]]


def add(n: int, m: int) -> Program:
    A, B = te.placeholder((n, m), name="A"), te.placeholder((n, m), name="B")
    C = te.compute((n, m), lambda i, j: A[i, j] + B[i, j], name="C")
    s = te.create_schedule(C.op)
    s[C].split("j", factor=16)
    s[C].vectorize("j.inner")
    return s, [A, B, C]


def row_sum(n: int, m: int) -> Program:
    """Sums of rows in 32 lanes, which are added up at the end."""
    A = te.placeholder((n, m), name="A")
    k, lane = te.reduce_axis((0, m // 32), name="k"), te.reduce_axis((0, 32), name="lane")
    L = te.compute((n, 32), lambda i, j: te.sum(A[i, k * 32 + j], axis=k), name="L")
    R = te.compute((n,), lambda i: te.sum(L[i, lane], axis=lane), name="R")
    s = te.create_schedule(R.op)
    s[L].compute_at(s[R], "i")
    s[L].reorder("k", "j")
    s[L].vectorize("j")
    return s, [A, R]


def unscheduled_row_sum(n: int, m: int) -> Program:
    A, k = te.placeholder((n, m), name="A"), te.reduce_axis((0, m), name="k")
    R = te.compute((n,), lambda i: te.sum(A[i, k], axis=k), name="R")
    return te.create_schedule(R.op), [A, R]


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


CASES: list[tuple[str, Program, Callable[..., Any]]] = [
    ("add 16 x 16 (the call)", add(16, 16), np.add),
    ("add 2048 x 2048", add(2048, 2048), np.add),
    ("row sum 2048 x 2048", row_sum(2048, 2048), lambda a, out: np.sum(a, axis=1, out=out)),
    ("row sum, no steps", unscheduled_row_sum(2048, 2048), lambda a, out: np.sum(a, axis=1, out=out)),
    ("matmul 512 x 512 x 512", scheduled(512, 512, 512), np.matmul),
    ("matmul 1000 x 777 x 513", scheduled(1000, 777, 513), np.matmul),
]


def arrays(args: list[Any]) -> list[Any]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal([n.value for n in t.shape], dtype=np.float32) for t in args]


def main() -> None:
    kernels = [(name, args, tewb.build(s, args), tewb.build(s, args, binds=any_strides(args)), numpy)
               for name, (s, args), numpy in CASES]  # fmt: skip
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
                print(race(name, lambda: strided(*given), lambda: numpy(*given[:-1], out=out)))  # noqa: B023
