"""Accesses that nobody can prove in bounds are checked when the kernel runs, each before it is relied upon."""

from __future__ import annotations

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import BoundError
from tewb.ir import AssertStmt, walk


def test_an_index_that_is_read_is_checked_before_it_is_compared() -> None:
    n = te.var("n")
    A = te.placeholder((n,), "int32", name="A")
    B = te.compute((5,), lambda i: A[A[A[i]]], name="B")
    s = te.create_schedule(B.op)
    checks = [a.message for a in walk(tewb.lower(s, [A, B])["main"].body) if isinstance(a, AssertStmt)]
    assert [m.split(": ")[1] for m in checks] == ["i", "A[i]", "A[A[i]]"]
    kernel = tewb.build(s, [A, B])
    far = np.full(8, -(2**31), "int32")
    with pytest.raises(BoundError, match=r"A\[i\]"):  # it must not look at A[-2**31] to find out
        kernel(far, np.zeros(5, "int32"))
    with pytest.raises(BoundError, match="dimension 0: i"):
        kernel(np.zeros(0, "int32"), np.zeros(5, "int32"))
    good = np.array([3, 4, 0, 1, 2], "int32")
    out = np.zeros(5, "int32")
    kernel(good, out)
    np.testing.assert_array_equal(out, good[good[good]])
