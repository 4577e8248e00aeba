"""The derivatives of reductions, against differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.gradients import assert_gradient, loops, placeholder
from tewb import te
from tewb.base import TewbError
from tewb.testing.reference import evaluate

A, V = placeholder(3, 4, name="A"), placeholder(4, name="V")
product = te.comm_reducer(lambda x, y: x * y, lambda t: te.const(1, t), name="product")
both = te.comm_reducer(lambda x, y: x + y + x * y, lambda t: te.const(0, t), name="both")
log_sum = te.comm_reducer(
    lambda x, y: te.log(te.exp(x) + te.exp(y)), lambda t: te.const(-1e30, t), name="log_sum"
)
argmax = te.comm_reducer(
    lambda x, y: (te.select(x[1] >= y[1], x[0], y[0]), te.select(x[1] >= y[1], x[1], y[1])),
    lambda t0, t1: (te.const(-1, t0), te.min_value(t1)),
    name="argmax",
)
REDUCERS = {
    "sum": te.sum, "max": te.max, "min": te.min, "product": product, "both": both, "log_sum": log_sum,
}  # fmt: skip


def axis(low: int = 0, high: int = 4, name: str = "k") -> Any:
    return te.reduce_axis((low, high), name=name)


def of_rows(reducer: Any, k: Any, f: Any, **options: Any) -> Any:
    return te.compute((3,), lambda i: reducer(f(i, k), axis=k, **options), name="C")


@pytest.mark.parametrize("name", REDUCERS)
def test_reductions(name: str) -> None:
    C = of_rows(REDUCERS[name], axis(), lambda i, k: A[i, k] * V[k])
    of_a, of_v = assert_gradient(C, [A, V])
    assert loops(of_a) == [] and loops(of_v) == [("i", 3)]


@pytest.mark.parametrize("name", REDUCERS)
def test_ranges_that_do_not_begin_at_zero(name: str) -> None:
    assert_gradient(of_rows(REDUCERS[name], axis(1), lambda i, k: A[i, k] * V[k - 1]), [A, V])


@pytest.mark.parametrize("name", ["sum", "max", "product"])
def test_terms_that_are_left_out(name: str) -> None:
    k = axis()
    assert_gradient(of_rows(REDUCERS[name], k, lambda i, k: A[i, k] * V[k], where=V[k] > 0.8), [A, V])


@pytest.mark.parametrize("name", ["sum", "max", "product", "both"])
def test_what_a_reduction_starts_from(name: str) -> None:
    k = axis()
    C = te.compute((3,), lambda i: REDUCERS[name](A[i, k] * V[k], axis=k, init=V[i] * V[i] * 1.1), name="C")
    assert_gradient(C, [A, V])


@pytest.mark.parametrize("name", ["sum", "max", "product"])
def test_several_axes(name: str) -> None:
    k, m = axis(), axis(0, 3, "m")
    C = te.compute((2,), lambda i: REDUCERS[name](A[m, k] * V[k + i - i], axis=[m, k]), name="C")
    assert_gradient(C, [A, V])


@pytest.mark.parametrize("name", ["sum", "max", "min"])
def test_ranges_that_depend_on_an_index(name: str) -> None:
    def triangle(i: Any) -> Any:
        k = te.reduce_axis((0, i + 1), name="k")
        return REDUCERS[name](A[i, k] * V[k], axis=k)

    assert_gradient(te.compute((3,), triangle, name="C"), [A, V])


def test_other_reducers_over_such_ranges() -> None:
    def triangle(i: Any) -> Any:
        k = te.reduce_axis((0, i + 1), name="k")
        return product(A[i, k], axis=k)

    with pytest.raises(TewbError, match="C combines by product over ranges that depend on others"):
        te.gradient(te.compute((3,), triangle, name="C"), [A])


def test_a_sparse_product() -> None:
    starts = te.placeholder((4,), "int32", name="starts")
    columns, data = te.placeholder((5,), "int32", name="columns"), placeholder(5, name="data")

    def row(i: Any) -> Any:
        k = te.reduce_axis((starts[i], starts[i + 1]), name="k")
        return te.sum(data[k] * V[columns[k]], axis=k)

    given = {starts: np.array([0, 2, 2, 5], "int32"), columns: np.array([0, 3, 1, 1, 2], "int32")}
    assert_gradient(te.compute((3,), row, name="y"), [data, V], given)


@pytest.mark.parametrize("reducer, first", [(te.max, 1), (te.min, 0)])
def test_of_equal_values_the_first_counts(reducer: Any, first: int) -> None:
    x, k = placeholder(4, name="x"), axis()
    y = te.compute((1,), lambda i: reducer(x[k], axis=k), name="y")
    (dx,) = evaluate(te.gradient(y, [x]), {x: np.array([1.0, 2.0, 2.0, 1.0])})
    assert dx.tolist() == [[float(n == first) for n in range(4)]]


def test_the_value_of_argmax() -> None:
    k = axis()
    places, largest = te.compute((3,), lambda i: argmax((k, A[i, k] * V[k]), axis=k), name="C")
    assert_gradient(largest, [A, V])
    with pytest.warns(match="C.v0 has dtype int32, and the derivative of integers counts as zero"):
        (none,) = te.gradient(places, [A])
    assert not none.op.input_tensors


def test_tuples() -> None:
    k = axis()
    sums = te.comm_reducer(
        lambda x, y: (x[0] + y[0], x[1] + y[1]), lambda s, t: (te.const(0, s), te.const(0, t)), name="sums"
    )
    mean, squares = te.compute((3,), lambda i: sums((A[i, k], A[i, k] * A[i, k]), axis=k), name="C")
    assert_gradient(te.compute((3,), lambda i: squares[i] - mean[i] * mean[i], name="D"), [A])


def test_tuples_whose_parts_depend_on_each_other() -> None:
    k = axis()
    complex_product = te.comm_reducer(
        lambda x, y: (x[0] * y[0] - x[1] * y[1], x[0] * y[1] + x[1] * y[0]),
        lambda s, t: (te.const(1, s), te.const(0, t)),
        name="complex_product",
    )
    pair = te.compute((3,), lambda i: complex_product((A[i, k], V[k]), axis=k), name="C")
    assert_gradient(te.compute((3,), lambda i: pair[0][i] * pair[1][i], name="D"), [A, V])
