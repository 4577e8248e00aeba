"""The cost of calling a kernel on three arrays of 16 floats, against np.add(a, b, out=c)."""

from __future__ import annotations

import numpy as np

import tewb
from tests.bench.harness import heading, race
from tewb import te


def main() -> None:
    heading("a call with three arrays of 16", "np.add")
    A, B = te.placeholder((16,), name="A"), te.placeholder((16,), name="B")
    C = te.compute((16,), lambda i: A[i] + B[i], name="C")
    kernel = tewb.build(te.create_schedule(C.op), [A, B, C])
    a, b, c = (np.arange(16, dtype="float32") for _ in range(3))
    kernel(a, b, c)
    np.testing.assert_array_equal(c, a + b)
    print(race("kernel(a, b, c)", lambda: kernel(a, b, c), lambda: np.add(a, b, out=c)))
