"""Loops of many vector instructions stay loops; LLVM may unroll the others."""

from __future__ import annotations

import numpy as np
import pytest

import tewb
from tewb import te


@pytest.mark.parametrize(
    "n, lanes, rolled",
    [(4096, 64, True), (4100, 64, True), (4096, 8, False), (512, 64, False), (4096, None, False)],
)
def test_long_iterations_are_not_unrolled(n: int, lanes: int | None, rolled: bool) -> None:
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] * 2.0 + 1.0, name="B")
    s = te.create_schedule(B.op)
    if lanes is not None:
        s[B].vectorize(s[B].split("i", lanes)[1])
    kernel = tewb.build(s, [A, B])
    assert ("llvm.loop.unroll.disable" in kernel.get_source("ll0")) == rolled
    a = np.random.default_rng(0).random(n, dtype="float32")
    np.testing.assert_allclose(kernel(a), a * 2 + 1, rtol=1e-6)
