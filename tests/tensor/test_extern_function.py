"""Functions of IR as externs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.lowering.test_prim_func import program
from tewb import te, tir
from tewb.base import ExternError

A_, B_ = np.full((5, 4), 3, "float32"), np.full((4, 3), 2, "float32")


def matmul() -> Any:
    A, B, _, C = program()
    return A, B, te.create_prim_func([A, B, C])


def test_what_a_function_computes_is_a_tensor() -> None:
    A, B, f = matmul()
    C = te.extern_primfunc([A, B], f, name="inner")
    D = te.compute((5, 3), lambda i, j: C[i, j] + 1.0, name="D")
    assert (C.op.name, C.dtype, tuple(map(int, C.shape))) == ("inner", "float32", (5, 3))
    np.testing.assert_array_equal(
        tewb.build(te.create_schedule(D.op), [A, B, D])(A_, B_), np.full((5, 3), 33)
    )


def test_other_tensors_of_the_same_shapes() -> None:
    _, _, f = matmul()
    X, W = te.placeholder((5, 4), name="X"), te.placeholder((4, 3), name="W")
    Y = te.extern_primfunc([X, W], f)
    assert Y.op.name == "extern"
    np.testing.assert_array_equal(tewb.build(te.create_prim_func([X, W, Y]))(A_, B_), np.full((5, 3), 32))


def test_several_outputs_and_symbolic_sizes() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] * 2.0, name="B")
    C = te.compute((n,), lambda i: B[i].astype("int32"), name="C")
    f = te.create_prim_func([A, B, C])
    doubled, whole = te.extern_primfunc([A], f)
    assert (doubled.dtype, whole.dtype) == ("float32", "int32")
    D = te.compute((n,), lambda i: doubled[i] + whole[i].astype("float32"), name="D")
    kernel = tewb.build(te.create_schedule(D.op), [A, D])
    np.testing.assert_array_equal(kernel(np.array([1, 2.5], "float32")), [4, 10])


def test_what_a_packed_function_writes_comes_last() -> None:
    @tewb.register_func("tests.negated", override=True)
    def negated(a: Any, b: Any) -> None:
        b[:] = -a

    a, b = te.decl_buffer((4,), name="a"), te.decl_buffer((4,), name="b")
    f = tir.PrimFunc([a, b], te.call_packed("tests.negated", a, b))
    X = te.placeholder((4,), name="X")
    Y = te.extern_primfunc([X], f)
    kernel = tewb.build(te.create_schedule(Y.op), [X, Y])
    assert kernel(np.arange(4, dtype="float32")).tolist() == [0, -1, -2, -3]


def test_mistakes() -> None:
    A, B, f = matmul()
    for inputs, said in (
        ([A], "main has 3 arrays and computes 1 of them, C; 1 inputs are given"),
        ([A, B, A], "3 inputs are given"),
        ([B, A], r"A of main has shape \(5, 4\) and dtype float32, and B has \(4, 3\) and float32"),
        ([A, 3], "an input is a tensor, not 3"),
        ([A, te.placeholder((4, 3), "float64", name="W")], "and W has .* and float64"),
    ):
        with pytest.raises(ExternError, match=said):
            te.extern_primfunc(inputs, f)
    with pytest.raises(ExternError, match="takes a function of IR"):
        te.extern_primfunc([A, B], "f")  # type: ignore[arg-type]
