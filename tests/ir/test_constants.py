"""Constants are numbers in Python, too; comparisons of equal sides are known; whole floats count."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tewb
from tewb import te, tir
from tewb.base import DTypeError, ExpressionError, ScheduleError, ShapeError

n, m = te.var("n"), te.var("m")
A = te.placeholder((4, n), name="A")
size = A.shape[0]


def test_a_size_is_a_number() -> None:
    assert isinstance(size, tir.IntImm) and size.value == int(size) == 4
    assert (list(range(size)), [5, 6, 7, 8, 9][size], size % 3, size // 3) == ([0, 1, 2, 3], 9, 1, 1)
    assert "%d" % size == f"{size}" == "4" and f"{size:03d}" == "004"  # noqa: UP031
    assert math.sqrt(size) == 2.0 and np.zeros(size).shape == (4,)
    assert size == 4 and size != 5 and size > 3 and min(size, 9) is size
    assert te.compute((8,), lambda i: 1.0).op.axis[0].dom.extent.value == 8


def test_a_size_is_the_key_that_its_value_is() -> None:
    assert (
        {size: "x"}[4] == "x" and {4: "y"}[size] == "y" and 4 in {size} and len({size, te.const(4), 4}) == 1
    )
    assert len({te.const(4), te.const(4, "int64")}) == 2  # different constants of the IR


def test_comparisons_of_equal_sides_have_a_truth_value() -> None:
    assert n == n and A.shape[1] == n and n + 1 == n + 1 and n <= n and n >= n
    assert not bool(n != n) and not n < n and not n + 1 > n + 1
    assert A.shape == (4, n)
    for c in (n == 4, n == m, n < n + 1, A[0, 0] == A[0, 0], A[0, 0] + 1 == A[0, 0] + 1):
        with pytest.raises(ExpressionError, match="has no truth value"):
            bool(c)


def test_numpy_functions_take_constants() -> None:
    assert np.sqrt(size) == 2.0 and np.log2(size) == 2.0 and isinstance(np.sqrt(size), np.floating)
    assert np.prod((size, te.const(3))) == 12


def test_whole_floats_are_sizes() -> None:
    assert te.placeholder((8 / 2,)).shape == (4,) and te.placeholder(te.const(4.0)).shape == (4,)
    assert te.reduce_axis((0, 8 / 2)).dom.extent.value == 4
    B = te.compute((8 / 2, 6.0), lambda i, j: 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].split(B.op.axis[0], 4 / 2)
    s[B].split(B.op.axis[1], nparts=6 / 2)
    out = tewb.build(s, [B])()
    assert out.shape == (4, 6)
    ib = tir.ir_builder.create()
    buffer = ib.allocate("int32", (8 / 2,))
    with ib.for_range(0, 8 / 2) as i:
        buffer[i] = i
    assert buffer.buffer.shape == (4,) and ib.get().body.extent.value == 4


def test_floats_that_are_not_whole_are_refused_with_the_sizes() -> None:
    with pytest.raises(ShapeError, match=r"3.5 is not a size in \(2, 3.5\): sizes are whole numbers"):
        te.placeholder((2, 7 / 2))
    with pytest.raises(DTypeError, match=r"runs over integers, not from 0 to .*3.5"):
        te.reduce_axis((0, 7 / 2))
    B = te.compute((8,), lambda i: 1.0, name="B")
    with pytest.raises(ScheduleError, match=r"3.5 is not a whole number"):
        te.create_schedule(B.op)[B].split(B.op.axis[0], 7 / 2)
    ib = tir.ir_builder.create()
    with (
        pytest.raises(DTypeError, match=r"for_range counts with integers, not with .*3.5"),
        ib.for_range(0, 3.5),
    ):
        pass
    with pytest.raises(DTypeError, match=r"allocate counts with integers, not with .*3.5"):
        ib.allocate("int32", (3.5,))
