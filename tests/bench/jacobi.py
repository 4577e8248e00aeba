"""Ten steps of a 5-point Jacobi iteration on a 4096 x 4096 grid whose edges stay as they are.

Each step is a stage of its own. All are computed in tiles of the last one, where the second-level cache holds
what a step reads and writes: earlier steps make a margin of one more row and column each, which tiles share.
A step is four loads and a store for each vector, from and to the cache; half of the loads cross its lines.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.bench.workload import Program, Workload
from tewb import te


def jacobi(n: int, m: int, steps: int, rows: int, columns: int, threads: int = 1) -> Program:
    """`steps` means of four neighbours, computed in tiles of rows x columns of the last."""
    A = te.placeholder((n, m), name="A")

    def step(T: Any, name: str) -> Any:
        def value(i: Any, j: Any) -> Any:
            mean = (T[i - 1, j] + T[i + 1, j] + T[i, j - 1] + T[i, j + 1]) * 0.25
            inside = te.likely(te.all(i > 0, i < n - 1, j > 0, j < m - 1))
            return te.if_then_else(inside, mean, T[i, j])

        return te.compute((n, m), value, name=name)

    stages = [A]
    for t in range(steps):
        stages.append(step(stages[-1], f"T{t + 1}"))
    *earlier, last = stages[1:]
    s = te.create_schedule(last.op)
    io, jo, _, _ = s[last].tile("i", "j", rows, columns)
    if threads > 1:
        s[last].parallel(io)
    for T in reversed(earlier):
        s[T].compute_at(s[last], jo)
    for T in stages[1:]:
        s[T].vectorize(s[T].split("j" if T is not last else "j.inner", factor=16)[1])
    return s, [A, last]


def numpy_jacobi(a: Any, steps: int) -> Any:
    old, new = a.copy(), a.copy()
    for _ in range(steps):
        inside = new[1:-1, 1:-1]
        np.add(old[:-2, 1:-1], old[2:, 1:-1], out=inside)
        np.add(inside, old[1:-1, :-2], out=inside)
        np.add(inside, old[1:-1, 2:], out=inside)
        np.multiply(inside, np.float32(0.25), out=inside)
        old, new = new, old
    return old


WORKLOADS = [
    Workload(
        "Jacobi, 5 points, 10 steps, 4096 x 4096",
        lambda threads: jacobi(4096, 4096, 10, 64, 512, threads),
        lambda rng: [rng.standard_normal((4096, 4096), dtype=np.float32)],
        lambda a: numpy_jacobi(a, 10),
        goal=5.1,
        operations=4.0 * 10 * 4096**2,
        tags=("memory",),
    )
]
