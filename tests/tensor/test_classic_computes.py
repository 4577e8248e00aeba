"""What classic programs ask of computes, operations and tensors."""

from __future__ import annotations

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import TewbError

n = te.var("n")
A, B = te.placeholder((8,), name="A"), te.placeholder((8,), name="B")
K, J = te.placeholder((8,), "int32", name="I"), te.placeholder((8,), "int32", name="J")
M = te.placeholder((4, 8), name="M")


def test_input_tensors_are_in_the_order_of_a_post_order_walk() -> None:
    C = te.compute((8,), lambda i: B[i] + A[i] * B[i], name="C")
    assert C.op.input_tensors == (B, A)
    D = te.compute((8,), lambda i: te.if_then_else(K[i] < 8, A[te.max(0, te.min(K[i], 7))], B[i]), name="D")
    assert D.op.input_tensors == (K, A, B)
    E = te.compute((8,), lambda i: A[te.max(0, te.min(J[i], 7))], name="E")
    assert E.op.input_tensors == (J, A)


def test_input_tensors_of_a_reduction_are_its_range_terms_start_and_condition() -> None:
    def row(i: te.Tensor) -> object:
        k = te.reduce_axis((K[i], J[i]), name="k")
        return te.sum(A[k], axis=k, where=B[k] > 0, init=M[0, i])

    C = te.compute((8,), row, name="C")
    assert C.op.input_tensors == (K, J, A, M, B)


def test_operations_have_classic_fields() -> None:
    k = te.reduce_axis((0, 8), name="k")
    C = te.compute((4,), lambda y: te.sum(M[y, k], axis=k), name="C", tag="rows", attrs={"key": 1})
    op = C.op
    assert (
        isinstance(op, te.ComputeOp) and isinstance(A.op, te.PlaceholderOp) and isinstance(op, te.Operation)
    )
    assert (op.name, op.tag, op.attrs, op.num_outputs) == ("C", "rows", {"key": 1}, 1)
    assert op.axis[0].var.name == "y" and op.reduce_axis == (k,) and len(op.body) == 1
    assert op.output(0) is C and op.same_as(C.op) and C.same_as(C) and not C.same_as(A)
    assert (C.value_index, C.ndim, C.dtype, C.shape) == (0, 1, "float32", (4,))
    with pytest.raises(TewbError, match="C has 1 output, and no output 1"):
        op.output(1)


def test_several_outputs() -> None:
    S, D = te.compute((8,), lambda i: (A[i] + B[i], A[i] - B[i]), name="T")
    assert S.op is D.op and S.op.num_outputs == 2 and (S.value_index, D.value_index) == (0, 1)
    assert S.op.output(1) is D


def test_names_of_indices() -> None:
    def names(f: object, **more: object) -> list[str]:
        return [iv.var.name for iv in te.compute((2, 3, 4), f, **more).op.axis]

    assert names(lambda y, *rest: 1) == ["y", "i1", "i2"]
    assert names(lambda *i: 1, varargs_names=["a", "b", "c"]) == ["a", "b", "c"]
    with pytest.raises(TewbError, match="takes 2 indices"):
        names(lambda *i: 1, varargs_names=["a", "b"])


def test_whole_tensors_compute() -> None:
    u = te.placeholder((3,), "uint8", name="U")
    V = te.compute((3,), lambda i: u[i], name="V")
    assert ((-V).dtype, (V + 1).dtype, (V * 0.5).dtype, (1 - V).dtype) == (
        "uint8",
        "int32",
        "float32",
        "int32",
    )
    C = 3 - V
    out = tewb.build(te.create_schedule(C.op), [u, C])(np.array([3, 5, 255], "uint8"))
    assert out.tolist() == [0, -2, -252]
    assert (M + A).shape == (4, 8) and (M + A).op.name == "T_add"


def test_slices_are_passed_along() -> None:
    def dot(x: te.Tensor, k: object) -> object:
        return x[k] * A[k]

    k = te.reduce_axis((0, 8), name="k")
    C = te.compute((4,), lambda i: te.sum(dot(M[i], k), axis=k), name="C")
    assert C.op.input_tensors == (M, A)


def test_a_size_var_may_have_any_dtype() -> None:
    assert (te.size_var().name, te.size_var("m", "int64").dtype) == ("size", "int64")
    assert te.size_var("bias", "float32").dtype == "float32"


def test_a_value_of_any_kind_and_a_tensor_make_a_tensor() -> None:
    n, S = te.var("n"), te.placeholder((), name="S")
    for x in (n, n + 1, M[0, 0], M[0][1], te.const(2.0), 2, te.reduce_axis((0, 2))):
        for t in (M, S):
            for made in (x + t, x - t, x * t, t + x, t / 2):
                assert isinstance(made, te.Tensor) and made.op.tag == "elemwise"
    assert (M + S).op.tag == (M * M).op.tag == "broadcast"
    B = n - M * M[0, 0]
    f = tewb.build(B.op, [n, M, B])
    m, b = np.full((4, 8), 3, "float32"), np.zeros((4, 8), "float32")
    f(5, m, b)
    assert (b == -4).all()
