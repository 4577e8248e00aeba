"""Reductions over one axis, several or all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.topi.compare import Case, check, floats, integers
from tewb import te, topi
from tewb.base import ShapeError

x, i = floats(3, 5, 2), integers(3, 5, 2, low=0, high=3)
AXES: list[Any] = [None, 0, -1, (0, 2), [1, -3], 1]


def reduced(name: str, axis: Any, keepdims: bool, a: Any) -> Case:
    def reference(v: Any) -> Any:
        return getattr(np, name)(v, axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=keepdims)

    return Case(lambda t: getattr(topi, name)(t, axis, keepdims), reference, (a,))


def place(name: str, axis: Any, keepdims: bool) -> Case:
    return Case(
        lambda t: getattr(topi, name)(t, axis, keepdims),
        lambda v: getattr(np, name)(v, axis=axis, keepdims=keepdims),
        (i,),
    )


@pytest.mark.parametrize("keepdims", [False, True])
def test_sums_and_extremes(keepdims: bool) -> None:
    check(
        [reduced(name, axis, keepdims, x) for name in ("sum", "max") for axis in AXES]
        + [reduced(name, axis, keepdims, i - 1) for name in ("prod", "min") for axis in (0, (0, 2))]
        + [reduced(name, axis, keepdims, i) for name in ("all", "any") for axis in (1, None)]
        + [reduced(name, 2, keepdims, i > 0) for name in ("all", "any")]
    )


def test_places() -> None:
    def last(v: Any) -> Any:
        return v.shape[1] - 1 - np.argmax(v[:, ::-1], axis=1)

    def over_two(v: Any) -> Any:
        return np.argmax(v.transpose(1, 0, 2).reshape(5, -1), axis=1)

    lowest = np.full((2, 3), -np.inf, "float32")
    check(
        [
            place(name, axis, k)
            for name in ("argmax", "argmin")
            for axis in (None, 1, -1)
            for k in (False, True)
        ]
        + [
            Case(lambda t: topi.argmax(t, 1, select_last_index=True), last, (i,)),
            Case(lambda t: topi.argmax(t, (0, 2)), over_two, (i,)),
            Case(lambda t: topi.argmax(t, 1), lambda v: np.argmax(v, 1), (lowest,)),
        ]
    )


def test_tensors_without_dimensions() -> None:
    one = np.array(3.0, "float32")
    check(
        [Case(topi.sum, np.sum, (one,)), Case(topi.argmax, np.argmax, (one,)), Case(topi.any, np.any, (one,))]
    )


def test_dtypes_names_and_tags() -> None:
    A = te.placeholder((3, 5), dtype="int8", name="A")
    assert topi.sum(A, 0).dtype == "int8"
    assert topi.argmax(A, 0).dtype == "int32" and topi.argmax(A, 0).op.tag == topi.tag.COMM_REDUCE_IDX
    assert topi.max(A).op.tag == "comm_reduce" and topi.max(A).op.name == "A_red" and topi.max(A).shape == ()


def test_symbolic_sizes() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, m), name="A")
    B, C = topi.sum(A, axis=1, keepdims=True), topi.argmin(A, axis=0)
    kernel = tewb.build(te.create_schedule([B.op, C.op]), [A, B, C])
    v = floats(4, 7)
    sums, places = kernel(v)
    np.testing.assert_allclose(sums, v.sum(1, keepdims=True), rtol=1e-5)
    np.testing.assert_array_equal(places, v.argmin(0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda A: topi.sum(A, axis=2), "sum: axis 2 of a tensor of 2 dimensions"),
        (lambda A: topi.max(A, axis=-3), "max: axis -3"),
        (lambda A: topi.min(A, axis=(0, -2)), "given twice"),
        (lambda A: topi.argmax(A, axis="x"), "axis must be a constant integer, not 'x'"),
        (lambda A: topi.argmax(te.placeholder((3, 0), name="B"), axis=1), "axis 1 of B has no elements"),
    ],
)
def test_misuse(make: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message) as raised:
        make(te.placeholder((2, 3), name="A"))
    assert raised.value.hint
