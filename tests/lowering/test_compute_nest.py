"""The loops of a compute: guards where a split does not divide, and the start of reductions."""

from __future__ import annotations

from tests.lowering.passes import after, vector
from tests.programs import matmul
from tewb import te


def test_schedule_ops_guards_a_split_that_does_not_divide() -> None:
    assert after("schedule_ops", *vector()) == (
        "for i.outer in range(3):\n"
        "    for i.inner in range(4):\n"
        "        if T.likely(i.outer * 4 + i.inner < 10):\n"
        "            B[i.outer * 4 + i.inner] = A[i.outer * 4 + i.inner] + T.float32(1.0)"
    )


def test_a_reduction_starts_and_updates() -> None:
    (A, B), (C,) = matmul(2, 3, 4)
    s = te.create_schedule(C.op)
    s[C].reorder("k", "i", "j")
    assert after("simplify", s, [A, B, C]) == (
        "for i.init in range(2):\n"
        "    for j.init in range(3):\n"
        "        C[i.init, j.init] = T.float32(0.0)\n"
        "for k in range(4):\n"
        "    for i in range(2):\n"
        "        for j in range(3):\n"
        "            C[i, j] = C[i, j] + A[i, k] * B[k, j]"
    )
