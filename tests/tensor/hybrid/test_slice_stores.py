"""Stores into slices: one loop for each dimension, and a temporary where iterations could meet."""

# ruff: noqa: F821
from __future__ import annotations

import numpy as np
import pytest

import tewb
from tests.tensor.hybrid.translate import loops, translated
from tests.tensor.hybrid.ways import ints, three_ways
from tests.tensor.test_hybrid import floats, tensor
from tewb import te
from tewb.base import HybridError

script = te.hybrid.script


def test_overlapping_slices_go_through_a_temporary() -> None:
    @script
    def f(a):
        b = output_tensor((10,), "int32")
        b[:] = a[:]
        b[1:10] = b[0:9]
        b[0:9] = b[1:10] + b[0:9]
        b[::-1] = b[:]
        b[0:5] = b[5:10]
        b[2:4] += b[3]
        return b

    three_ways(f, ints(10))
    text = str(f(tensor(10, dtype="int32")).op.body)
    assert text.count("allocate") == 4  # b[0:5] = b[5:10] does not overlap


def test_slice_loops_can_be_scheduled() -> None:
    @script
    def f(a):
        b = output_tensor(a.shape, "float32")
        b[:, :] = a[:, :] * 2.0
        return b

    A = tensor(6, 16)
    B = f(A)
    assert [iv.name for iv in B.op.axis] == ["b.0", "b.1"]
    s = te.create_schedule(B.op)
    s[B].parallel(B.op.axis[0])
    s[B].vectorize(B.op.axis[1])
    a, b = floats(6, 16), np.zeros((6, 16), "float32")
    tewb.build(s, [A, B])(a, b)
    np.testing.assert_array_equal(b, a * 2)


@pytest.mark.parametrize(
    ("line", "temporary"),
    [
        ("b[:] = b[:] * 2.0", False),
        ("b[:4] = b[4:]", False),
        ("b[1:] = b[:-1]", True),
        ("b[:] = b[::-1]", True),
        ("b[:] = a[::-1]", False),
        ("b[::2] = b[1::2]", True),
        ("b[:] = b[0]", True),
        ("b[1:] = b[0]", False),
    ],
)
def test_where_an_iteration_could_read_what_another_stores(line: str, temporary: bool) -> None:
    assert ("b.new" in loops(f"b[:] = 1.0\n{line}")) is temporary


def test_rows_are_repeated_and_sizes_of_one_too() -> None:
    op = translated("b = output_tensor((2, 4), 'float32')\nb[:, :] = a[:4]\nb[:, :] = a[2:3]\nreturn b")
    lines = str(op.body).splitlines()
    assert "b[b._0, b._1] = A[b._1]" in lines[2]
    assert lines[-1].strip().endswith("= A[2]")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("b[0:4] = a[0:3]", "slices of 4 and 3 elements do not go together"),
        ("b[0:1] = a[0:3]", "slices of 2 and 3 elements do not go together|do not go together"),
        ("b[:] = a", "A is no number or element: it is a tensor"),
    ],
)
def test_values_that_do_not_fit(line: str, said: str) -> None:
    with pytest.raises(HybridError, match=said):
        loops(line)


def test_a_box_of_more_dimensions_does_not_fit() -> None:
    with pytest.raises(HybridError, match="a box of 2 dimensions does not fit into 1"):
        loops("b[:] = a[:, :]", te.placeholder((8, 8), name="A"))
