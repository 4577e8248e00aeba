"""Kernels for all sizes beside kernels for one: the same schedules with `te.var`s for sizes and with constants.

Loops are partitioned at expressions of the sizes, so that the inside of a kernel is free of guards, and the tails
of vectors have masks. What is left is a tail that does not know its length, and strides in registers.
The ratio is the speed of the symbolic kernel in terms of the constant one (aim: 0.9).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tewb
from tests.bench.harness import heading, race
from tests.bench.matmul import scheduled
from tests.bench.rows import layernorm, softmax
from tests.bench.workload import Program
from tewb import te


def relu(n: Any) -> Program:
    A, B, C = (te.placeholder((n,), name=name) for name in "ABC")
    R = te.compute((n,), lambda i: te.max(A[i] * B[i] + C[i], 0.0), name="R")
    s = te.create_schedule(R.op)
    s[R].vectorize(s[R].split("i", factor=16)[1])
    return s, [A, B, C, R]


def stencil(n: Any, m: Any) -> Program:
    """Sums of three neighbours in a row, zero outside."""
    A = te.placeholder((n, m), name="A")

    def value(i: Any, j: Any) -> Any:
        left, right = te.if_then_else(j > 0, A[i, j - 1], 0.0), te.if_then_else(j < m - 1, A[i, j + 1], 0.0)
        return left + A[i, j] + right

    B = te.compute((n, m), value, name="B")
    s = te.create_schedule(B.op)
    s[B].vectorize(s[B].split("j", factor=16)[1])
    return s, [A, B]


CASES: list[tuple[str, Callable[..., Program], tuple[int, ...]]] = [
    ("matmul", scheduled, (512, 512, 512)),
    ("matmul", scheduled, (1024, 1024, 1024)),
    ("matmul", scheduled, (1000, 777, 513)),
    ("matmul", scheduled, (1024, 1024, 64)),
    ("relu(a*b+c)", relu, (1 << 14,)),
    ("relu(a*b+c)", relu, (1 << 24,)),
    ("3 points, padded", stencil, (512, 500)),
    ("softmax of rows", softmax, (4096, 1024)),
    ("softmax of rows", softmax, (1000, 777)),
    ("layernorm of rows", layernorm, (4096, 1024)),
    ("layernorm of rows", layernorm, (1000, 777)),
]


def main() -> None:
    heading("symbolic sizes, one thread", "constant")
    kernels: dict[Any, Any] = {}
    rng = np.random.default_rng(0)
    for name, program, sizes in CASES:
        names = [te.var(v) for v in "nmk"[: len(sizes)]]
        if program not in kernels:
            kernels[program] = tewb.build(*program(*names))
        symbolic = kernels[program]
        s, args = program(*sizes)
        constant = tewb.build(s, args)
        given = [rng.standard_normal([n.value for n in t.shape], dtype=np.float32) for t in args]
        other = given[-1].copy()
        symbolic(*given)
        constant(*given[:-1], other)
        np.testing.assert_allclose(given[-1], other, rtol=1e-4, atol=1e-4)
        shown = " x ".join(map(str, sizes))
        print(race(f"{name} {shown}", lambda: symbolic(*given), lambda: constant(*given)))  # noqa: B023
