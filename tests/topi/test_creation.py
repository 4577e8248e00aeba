"""Tensors that are made from numbers or from the shape of others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.topi.compare import Case, check, floats, integers
from tewb import te, topi
from tewb.base import ShapeError, TewbError

x = floats(3, 5)
at = integers(3, 2, low=0, high=4)


def one_hot(axis: int) -> Case:
    def reference(v: Any) -> Any:
        hot = (np.moveaxis(np.eye(4)[v], -1, axis)) > 0
        return np.where(hot, 2, -1)

    return Case(lambda t: topi.one_hot(t, 2, te.const(-1.0), 4, axis, "float32"), reference, (at,))


def test_values() -> None:
    v, w = floats(3), floats(4)
    cases = [
        Case(lambda: topi.full((3, 5), "int32", 7), lambda: np.full((3, 5), 7), ()),
        Case(lambda: topi.full((3,), "float64", te.const(1.5)), lambda: np.full((3,), 1.5), ()),
        Case(lambda t: topi.full_like(t, 3), lambda v: np.full_like(v, 3), (x,)),
        Case(lambda: topi.ones((2, 3)), lambda: np.ones((2, 3)), ()),
        Case(lambda: topi.zeros((2, 3), "int8"), lambda: np.zeros((2, 3)), ()),
        Case(topi.ones_like, np.ones_like, (at,)),
        Case(topi.zeros_like, np.zeros_like, (x,)),
        Case(lambda: topi.arange(5), lambda: np.arange(5), ()),
        Case(lambda: topi.arange(2, 9, 3, "int64"), lambda: np.arange(2, 9, 3), ()),
        Case(lambda: topi.arange(1.0, 0.0, -0.25), lambda: np.arange(1.0, 0.0, -0.25), ()),
        Case(topi.ndarray_size, np.size, (x,)),
        Case(topi.shape, lambda v: np.array(v.shape), (x,)),
        one_hot(-1),
        one_hot(0),
        one_hot(1),
        Case(lambda *t: topi.meshgrid(t, "ij"), lambda *v: np.meshgrid(*v, indexing="ij"), (v, w)),
        Case(lambda *t: topi.meshgrid(t, "xy"), lambda *v: np.meshgrid(*v, indexing="xy"), (v, w)),
    ]
    check(cases)


def test_a_range_of_symbolic_ends() -> None:
    n = te.var("n")
    up, down = topi.arange(1, n, 3, "int32"), topi.arange(n, 0, -2, "int32")
    kernel = tewb.build(te.create_schedule([up.op, down.op]), [n, up, down])
    for size in (10, 11, 1):
        a, b = kernel(size)
        np.testing.assert_array_equal(a, np.arange(1, size, 3))
        np.testing.assert_array_equal(b, np.arange(size, 0, -2))


def test_symbolic_shapes_are_read_at_run_time() -> None:
    n = te.var("n")
    A = te.placeholder((n, 3), name="A")
    size, sizes = topi.ndarray_size(A, "int64"), topi.shape(A)
    kernel = tewb.build(te.create_schedule([size.op, sizes.op]), [A, size, sizes])
    total, extents = kernel(np.zeros((7, 3), "float32"))
    assert total == 21 and list(extents) == [7, 3]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: topi.arange(0, 5, 0), TewbError, "a step of 0"),
        (lambda: topi.meshgrid([te.placeholder((3,))], "yx"), TewbError, "indexing cannot be 'yx'"),
        (lambda: topi.meshgrid([te.placeholder((3, 3))], "ij"), ShapeError, "has 2 dimensions, not 0 or 1"),
        (lambda: topi.one_hot(te.placeholder((3,)), 1, 0, 4, 0, "int32"), TewbError, "indices are integers"),
        (lambda: topi.one_hot(te.placeholder((3,), "int32"), 1, 0, 4, 2, "int32"), ShapeError, "axis 2"),
        (lambda: topi.shape(te.placeholder(())), ShapeError, "has no dimensions"),
    ],
)
def test_misuse(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        make()
    assert raised.value.hint
