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


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "uint64"])
@pytest.mark.parametrize("size", [8, 0, te.var("n")])
@pytest.mark.parametrize("lanes", [1, 4])
def test_an_unsigned_index_that_is_too_large_is_outside(dtype: str, size: object, lanes: int) -> None:
    """In int32, which sizes have, 2**31 and more would be less than all of them."""
    A, J = te.placeholder((size,), "int8", name="A"), te.placeholder((4,), dtype, name="J")
    C = te.compute((4,), lambda i: A[J[i]], name="C")
    s = te.create_schedule(C.op)
    if lanes > 1:
        s[C].vectorize(C.op.axis[0])
    kernel = tewb.build(s, [A, J, C])
    a = np.arange(0 if isinstance(size, int) and size == 0 else 8, dtype="int8")
    bits = np.dtype(dtype).itemsize * 8
    for wrong in (2**bits - 1, 2 ** (bits - 1), 8):
        with pytest.raises(BoundError, match="C reads outside of A"):
            kernel(a, np.array([0, 1, 2, wrong] if len(a) else [wrong] * 4, dtype), np.zeros(4, "int8"))
    if len(a):
        c = np.zeros(4, "int8")
        kernel(a, np.array([3, 0, 7, 1], dtype), c)
        assert c.tolist() == [3, 0, 7, 1]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint32", "int64", "uint64"])
def test_one_element_is_an_index_of_any_dtype(dtype: str) -> None:
    A, J = te.placeholder((8,), "int8", name="A"), te.placeholder((1,), dtype, name="J")
    C = te.compute((1,), lambda i: A[J[0]], name="C")
    kernel = tewb.build(te.create_schedule(C.op), [A, J, C])
    assert kernel(np.arange(8, dtype="int8"), np.array([5], dtype)) == 5
    with pytest.raises(BoundError, match="C reads outside of A"):
        kernel(np.arange(8, dtype="int8"), np.array([100], dtype))


def test_an_index_with_a_size_in_it_is_checked_when_the_kernel_runs() -> None:
    n = te.var("n")
    A = te.placeholder((n,), "int32", name="A")
    C = te.compute((3,), lambda i: A[n - 1 - i], name="C")
    kernel = tewb.build(te.create_schedule(C.op), [A, C])
    np.testing.assert_array_equal(kernel(np.arange(5, dtype="int32")), [4, 3, 2])
    with pytest.raises(BoundError, match="C reads outside of A in dimension 0"):
        kernel(np.arange(2, dtype="int32"))
    with pytest.raises(BoundError, match="reads outside of A"):
        te.compute((3,), lambda i: A[i - 1])
