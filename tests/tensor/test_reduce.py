"""Reducers: what they take, and the classic example of two results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te, tir
from tewb.base import TewbError


def test_the_classic_argmax() -> None:
    def combine(x: Any, y: Any) -> Any:
        return tir.Select(x[1] >= y[1], x[0], y[0]), tir.Select(x[1] >= y[1], x[1], y[1])

    def identity(t0: str, t1: str) -> Any:
        return tir.const(-1, t0), tir.min_value(t1)

    argmax = te.comm_reducer(combine, identity, name="argmax")
    index = te.placeholder((5, 9), name="index", dtype="int32")
    value = te.placeholder((5, 9), name="value", dtype="int32")
    k = te.reduce_axis((0, 9), name="k")
    T0, T1 = te.compute((5,), lambda i: argmax((index[i, k], value[i, k]), axis=k), name="T")
    places = np.broadcast_to(np.arange(9, dtype="int32"), (5, 9)).copy()
    values = np.random.default_rng(0).permutation(45).reshape(5, 9).astype("int32")
    at, most = tewb.build(te.create_schedule(T0.op), [index, value, T0, T1])(places, values)
    assert at.tolist() == values.argmax(1).tolist() and most.tolist() == values.max(1).tolist()


def _added(x: Any, y: Any) -> Any:
    return x + y


def _zero(dtype: str) -> Any:
    return te.const(0, dtype)


@pytest.mark.parametrize(
    "combine, identity, several, said",
    [
        (1, _zero, False, "the combination of a reducer takes 2 arguments"),
        (lambda x: x, _zero, False, "the combination of a reducer takes 2 arguments"),
        (_added, lambda: 0, False, "the identity of a reducer takes 1 argument,"),
        (_added, 0, False, "the identity of a reducer takes 1 argument,"),
        (_added, _zero, True, "the identity of a reducer takes 2 arguments"),
        (lambda x, y: x[0], lambda s, t: (0, 0), True, "the combination of 2 values is a tuple of as many"),
        (
            _added,
            lambda s, t: (0, 0),
            True,
            "the combination of 2 values is a tuple of as many, not 4 values",
        ),
        (lambda x, y: x, lambda s, t: 0, True, "the identity of 2 values is a tuple of as many, not a int"),
    ],
)
def test_a_reducer_of_another_kind_is_refused(
    combine: Callable[..., Any], identity: Callable[..., Any], several: bool, said: str
) -> None:
    A = te.placeholder((8,), name="A")
    k = te.reduce_axis((0, 8), name="k")
    reducer = te.comm_reducer(combine, identity, name="mine")
    with pytest.raises(TewbError, match=said) as e:
        reducer((A[k], k) if several else A[k], axis=k)
    assert e.value.hint and e.value.span is not None and e.value.span.file == __file__


def test_a_mistake_inside_of_a_reducer_stays_what_it_is() -> None:
    k = te.reduce_axis((0, 8), name="k")
    with pytest.raises(TypeError, match="NoneType"):
        te.comm_reducer(lambda x, y: None + 1, _zero)(k.var, axis=k)  # type: ignore[operator]


def test_an_axis_is_reduced_once() -> None:
    A = te.placeholder((6, 8), name="A")
    k = te.reduce_axis((0, 8), name="k")
    with pytest.raises(TewbError, match="k is twice among the axes") as e:
        te.compute((6,), lambda i: te.sum(A[i, k], axis=[k, k]), name="C")
    assert e.value.hint and e.value.span is not None and e.value.span.file == __file__


def test_a_reducer_of_several_values_combines_them() -> None:
    product = te.comm_reducer(lambda x, y: x * y, lambda t: te.const(1, t), name="product")
    m, n = te.var("m"), te.var("n")
    assert str(product(m, n)) == "m * n" and str(product(m, n, 3)) == "m * n * 3"
    A = te.placeholder((4,), name="A")
    assert str(product(A[0], 2.0)) == "A[0] * T.float32(2.0)"
    with pytest.raises(TewbError, match="axis takes te.reduce_axis objects"):
        product(A[0], (n,))
