"""Slices: boxes with steps, whose ends lie in the tensor."""

# ruff: noqa: F821
from __future__ import annotations

import numpy as np
import pytest

import tewb
from tests.tensor.hybrid.translate import evaluate, expressions, parsed
from tests.tensor.hybrid.ways import three_ways
from tests.tensor.test_hybrid import floats, tensor
from tewb import te
from tewb.base import FLOAT32, INT32, BoundError, HybridError
from tewb.ir import Buffer, Var, const, const_int
from tewb.tensor.hybrid.slices import StridedRange, box_shape, element_indices

script = te.hybrid.script


def test_slices() -> None:
    @script
    def f(a):
        n, m = a.shape
        b = output_tensor((n, m), "float32")
        c = output_tensor((n, m), "float32")
        b[:, :] = 0.0
        c[:, :] = a[:, :]
        for i in range(n):
            b[i, :] = a[i, :] * 2
            b[i, 1:m] += a[i, 0 : m - 1]
        b[0, ::2] = exp(a[0, ::2])
        b[1, ::-1] = a[1, :] - 1.0
        b[2, -3:-1] = max(a[2, -3:-1], 0.25) + a[3, 0:2]
        b[:, 0] = -a[:, -1]
        b[1:3, 2:4] = a[0:1, 2:4] + a[1:3, 0:1]
        b[3, :] = 1
        c[0, :] += 1.0
        return b, c

    three_ways(f, floats(4, 6))


def test_slices_between_bounds_that_are_read() -> None:
    @script
    def f(a, at):
        b = output_tensor((10,), "float32")
        b[:] = 0.0
        lo = at[0]
        hi = at[1]
        b[lo:hi] = a[lo:hi]
        for i in range(3):
            b[i : i + 4] += a[i : i + 4]
        return b

    three_ways(f, floats(10), np.array([3, 7], "int32"))
    A, I = tensor(10), te.placeholder((2,), name="at", dtype="int32")  # noqa: E741
    B = f(A, I)
    kernel = tewb.build(te.create_schedule(B.op), [A, I, B])
    with pytest.raises(BoundError, match=r"the slice a\[lo:hi\] leaves A"):
        kernel(floats(10), np.array([3, 11], "int32"), np.zeros(10, "float32"))


def test_slices_of_a_tensor_of_any_size() -> None:
    @script
    def f(a):
        n = a.shape[0]
        b = output_tensor((n,), "float32")
        b[:] = a[:]
        b[1:n] = a[0 : n - 1]
        b[1:] += a[:-1]
        b[1:] = b[:-1]
        b[::-1] = b[:]
        return b

    A = te.placeholder((te.var("n"),), name="A")
    B = f(A)
    kernel = tewb.build(te.create_schedule(B.op), [A, B])
    for size in (1, 2, 7):
        a, b = floats(size), np.zeros(size, "float32")
        kernel(a, b)
        np.testing.assert_array_equal(b, f(a))
        np.testing.assert_array_equal(b, f.check(a))


A = Buffer("a", FLOAT32, (const(8), const(5)))


@pytest.mark.parametrize(
    ("text", "shape", "element"),
    [
        ("a[:, 0]", [8], "a[i, 0]"),
        ("a[2:6, :]", [4, 5], "a[2 + i, j]"),
        ("a[::-1, 1]", [8], "a[7 + i * (-1), 1]"),
        ("a[1:8:3, 4]", [3], "a[1 + i * 3, 4]"),
        ("a[-2:, -1]", [2], "a[6 + i, 4]"),
        ("a[3:3, 0]", [0], "a[3 + i, 0]"),
        ("a[6:2, 0]", [0], "a[6 + i, 0]"),
        ("a[6:2:-2, 0]", [2], "a[6 + i * (-2), 0]"),
    ],
)
def test_boxes(text: str, shape: list[int], element: str) -> None:
    s = evaluate(text, a=A)
    assert [const_int(n) for n in s.shape] == shape
    assert str(s.element([Var("i", INT32), Var("j", INT32)][: len(shape)])) == element


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a[:9, 0]", r"the slice a\[:9, 0\] leaves a, whose size in dimension 0 is 8"),
        ("a[-9:, 0]", r"the slice a\[-9:, 0\] leaves a"),
        ("a[8::-1, 0]", "leaves a, whose size in dimension 0 is 8"),
        ("a[::0, 0]", "the step of a slice is a number other than 0"),
        ("a[::k, 0]", "the step of a slice is a number other than 0, known here"),
        ("a[:]", "a has 2 dimensions, not 1"),
    ],
)
def test_slices_that_are_refused(text: str, said: str) -> None:
    with pytest.raises((BoundError, HybridError), match=said) as e:
        evaluate(text, a=A, k=Var("k", INT32))
    assert e.value.hint


def test_ends_that_nobody_knows_are_checked() -> None:
    e = expressions(a=A, k=Var("k", INT32))
    s = e.evaluate(parsed("a[k:, 0]"))
    assert str(s.shape[0]) == "T.max(8 - k, 0)" and len(e.translation.pending) >= 1


def test_a_box_has_the_indices_of_its_elements() -> None:
    i = Var("i", INT32)
    box = [const(3), StridedRange(const(1), 2, const(4))]
    assert [str(x) for x in element_indices(box, [i])] == ["3", "1 + i * 2"] and [
        const_int(n) for n in box_shape(box)
    ] == [4]
