"""Tensors: indexing, slices, operators, and the operations behind them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tewb import te
from tewb.base import DTypeError, ExpressionError, MemberError, ShapeError
from tewb.ir import ProducerLoad, script

A = te.placeholder((4, 6), name="A")
i = te.var("i")


def test_an_element_is_a_load_however_it_is_indexed() -> None:
    for e in (A[i, 2], A(i, 2), A[i][2]):
        assert isinstance(e, ProducerLoad) and script(e) == "A[i, 2]" and e.producer is A
    assert A[i, 2].dtype == "float32"


def test_a_scalar_is_indexed_with_nothing() -> None:
    S = te.placeholder((), name="S")
    assert script(S()) == script(S[()]) == "S[()]"


def test_first_indices_give_a_slice_that_waits_for_more() -> None:
    T = te.placeholder((2, 3, 4), name="T")
    part = T[1]
    assert repr(part) == "T[1]" and part.dtype == "float32"
    assert script(part[i, 2]) == script(part[i][2]) == "T[1, i, 2]"
    with pytest.raises(ShapeError, match="T has 3 dimensions and was given 1 indices") as e:
        part.as_expr()
    assert e.value.hint == "its shape is (2, 3, 4)"


@pytest.mark.parametrize(
    ("index", "error", "said"),
    [
        ((0, 0, 0), ShapeError, "A has 2 dimensions, not 3"),
        ((0, 0.5), DTypeError, "A is indexed with .* of dtype float32"),
        ((0, te.var("x", "float32")), DTypeError, "A is indexed with x of dtype float32"),
    ],
)
def test_wrong_indices_are_refused(index: tuple[Any, ...], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        A[index]


def test_operators_make_computes() -> None:
    for t, text in (
        (A + 1.0, "+ T.float32(1.0)"),
        (2.0 - A, "T.float32(2.0) -"),
        (A / A, "/"),
        (np.float32(2) * A, "T.float32(2.0) *"),
        (-A, ""),
    ):
        assert t.shape[0].value == 4 and text in script(t.op.body[0]), text
    assert +A is A


def test_other_operators_are_for_elements() -> None:
    for f in (lambda: A % 2, lambda: A < 1, lambda: ~A, lambda: abs(A), lambda: np.exp(A)):
        with pytest.raises(ExpressionError) as e:
            f()
        assert "te.compute" in (e.value.hint or "")


def test_an_operation_has_its_outputs_and_the_line_of_the_user() -> None:
    P, Q = te.compute((3,), lambda j: (j, j * 2), name="PQ")
    assert P.op.outputs == (P, Q) and P.op.output(1) is Q and repr(P.op) == "ComputeOp(PQ)"
    assert P.op.span is not None and P.op.span.file == __file__ and P.op.input_tensors == ()
    assert (
        repr(A) == "Tensor(A: float32[4, 6])"
        and repr(te.placeholder((3,), name="B")) == "Tensor(B: float32[3,])"
    )
    assert A.op.with_inputs({A: P}) is A.op and not A.op.tiled


def test_a_tensor_has_the_axes_of_its_operation() -> None:
    A = te.placeholder((4, 8), name="A")
    B = te.compute((4, 8), lambda i, j: A[i, j], name="B")
    assert B.axis is B.op.axis and len(B.axis) == 2
    assert A[1, 2].tensor is A and A[1].tensor is A and [int(i) for i in A[1, 2].indices] == [1, 2]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("T", "topi.transpose(A)"),
        ("reshape", "topi.reshape(A, shape)"),
        ("numpy", "kernel runs: tewb.build(s, [..., A])"),
        ("vload", "buffers have it"),
        ("vstore", "te.compute says"),
        ("indices", "A[i].indices"),
    ],
)
def test_what_arrays_and_buffers_have_is_said_another_way_for_a_tensor(name: str, hint: str) -> None:
    A = te.placeholder((4, 8), name="A")
    with pytest.raises(MemberError, match=f"A is a tensor, and has no {name}") as e:
        getattr(A, name)
    assert hint in (e.value.hint or "") and e.value.span is not None and e.value.span.file == __file__
    assert not hasattr(A, name)
    with pytest.raises(AttributeError, match="'Tensor' object has no attribute 'shap'"):
        A.shap  # noqa: B018
