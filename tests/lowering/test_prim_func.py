"""Functions from tensors alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import LowerError
from tewb.ir import structural_equal
from tewb.lowering.prim_func import create_prim_func


def program() -> Any:
    A, B = te.placeholder((5, 4), name="A"), te.placeholder((4, 3), name="B")
    k = te.reduce_axis((0, 4), name="k")
    T = te.compute((5, 4), lambda i, j: A[i, j] + 1.0, name="T")
    return A, B, T, te.compute((5, 3), lambda i, j: te.sum(T[i, k] * B[k, j], axis=k), name="C")


def test_the_loops_are_those_of_a_schedule_of_the_outputs() -> None:
    A, B, T, C = program()
    f = te.create_prim_func([A, B, C])
    assert structural_equal(f, tewb.lower(te.create_schedule(C.op), [A, B, C])["main"])
    assert dict(f.attrs) == {"global_symbol": "main", "tir.noalias": True}
    a, b = np.ones((5, 4), "float32"), np.full((4, 3), 2, "float32")
    np.testing.assert_array_equal(tewb.build(f)(a, b), np.full((5, 3), 16, "float32"))
    assert create_prim_func([A, B, T, C]).outputs == (2, 3)


def test_a_function_of_a_variable_and_of_one_tensor() -> None:
    v = te.var("v")
    P = te.compute((4,), lambda i: (i + v).astype("float32"), name="P")
    assert tewb.build(te.create_prim_func([v, P], index_dtype_override="int64"))(3).tolist() == [3, 4, 5, 6]
    Z = te.compute((2,), lambda i: i.astype("float32"), name="Z")
    assert len(te.create_prim_func(Z).params) == 1


def test_symbolic_sizes() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] * 2.0, name="B")
    assert tewb.build(te.create_prim_func([A, B]))(np.ones(3, "float32")).tolist() == [2, 2, 2]


def test_the_classic_names() -> None:
    assert te.create_prim_func is tewb.create_prim_func is create_prim_func


@pytest.mark.parametrize("given, said", [
    (lambda A, B, T, C: [A, B], "nothing to compute"),
    (lambda A, B, T, C: [A, C], "B is an input and is not among the arguments"),
    (lambda A, B, T, C: C, "A is an input and is not among the arguments"),
    (lambda A, B, T, C: [A, 3], "takes tensors and variables, not 3"),
    (lambda A, B, T, C: None, "takes tensors and variables, not None"),
    (lambda A, B, T, C: C.op, "takes tensors and variables, not ComputeOp"),
])  # fmt: skip
def test_mistakes(given: Any, said: str) -> None:
    with pytest.raises(LowerError, match=said):
        te.create_prim_func(given(*program()))
    with pytest.raises(LowerError, match="index_dtype_override is int32 or int64, not 'float'"):
        te.create_prim_func(program()[:2], "float")
