"""Compute: from a function of the indices to an operation, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tewb import te
from tewb.base import BoundError, ShapeError, TewbError
from tewb.ir import script

A = te.placeholder((4, 6), name="A")
B = te.placeholder((6,), name="B")
k = te.reduce_axis((0, 6), name="k")


def body(t: Any) -> str:
    return script(t.op.body[t.value_index])


def test_indices_have_the_names_of_the_function_s_parameters() -> None:
    C = te.compute((4, 6), lambda row, column: A[row, column] + 1.0, name="C")
    assert [iv.name for iv in C.op.axis] == ["row", "column"]
    assert body(C) == "A[row, column] + T.float32(1.0)" and C.op.inputs == (A,)
    D = te.compute((4, 6), lambda *i: A(*i), name="D")
    assert len(D.op.axis) == 2 and D.dtype == "float32"


def test_sizes_may_be_one_number_none_or_zero() -> None:
    assert te.compute(4, lambda i: i, name="C").shape[0].value == 4
    scalar = te.compute((), lambda: A[0, 0], name="C")
    assert scalar.ndim == 0 and scalar.op.axis == ()
    assert te.compute((0, 3), lambda i, j: 1.0, name="C").shape[0].value == 0


def test_a_tuple_of_expressions_is_a_tuple_of_tensors() -> None:
    first, second = te.compute((4,), lambda i: (A[i, 0], i), name="C")
    assert first.op is second.op and (first.dtype, second.dtype) == ("float32", "int32")
    assert (first.name, second.name) == ("C.v0", "C.v1") and second.value_index == 1


def test_a_reduction_brings_its_axes_and_inputs_are_named_once() -> None:
    C = te.compute((4,), lambda i: te.sum(A[i, k] * B[k] * B[k], axis=k), name="C")
    assert C.op.reduce_axis == (k,) and C.op.inputs == (A, B)


def test_other_inputs_may_be_swapped_in() -> None:
    C = te.compute((6,), lambda i: B[i] * 2.0, name="C", tag="mine", attrs={"key": 1})
    other = te.placeholder((6,), name="X")
    swapped = C.op.with_inputs({B: other})
    assert swapped.inputs == (other,) and swapped.axis is C.op.axis and swapped.span is C.op.span
    assert (swapped.tag, swapped.attrs) == ("mine", {"key": 1})
    assert C.op.with_inputs({A: other}) is C.op


@pytest.mark.parametrize(
    ("mistake", "said", "hint"),
    [
        (lambda: te.compute((4,), 3, name="C"), "compute C: 3 is no function of the indices", "te.compute"),
        (lambda: te.compute((4, 6), lambda i: i, name="C"), "the shape has 2 dimensions and the function takes 1", "lambda i, j"),
        (lambda: te.compute((4,), lambda i: None, name="C"), "compute C: the function returned None", "return an expression"),
        (lambda: te.compute((4,), lambda i: (), name="C"), "the function returned no expression", "return an expression"),
        (lambda: te.compute((4,), lambda i: A, name="C"), "returned the tensor A, not an element", "index it: A"),
        (lambda: te.compute((4,), lambda i: te.sum(A[i, k], axis=k) + 1.0, name="C"), "a reduction must be the whole", "tensor of its own"),
        (lambda: te.compute((4,), lambda i: (te.sum(A[i, k], axis=k), i), name="C"), "must come from one reducer", "comm_reducer"),
        (lambda: te.compute((5,), lambda i: A[i, 0], name="C"), "C reads outside of A|reads outside", None),
        (lambda: te.compute((-1,), lambda i: i, name="C"), "size -1 is negative", "0 or more"),
    ],
)  # fmt: skip
def test_what_is_no_compute_is_refused(mistake: Callable[[], Any], said: str, hint: str | None) -> None:
    with pytest.raises((TewbError, ShapeError, BoundError), match=said) as e:
        mistake()
    assert hint is None or hint in (e.value.hint or "")
    assert e.value.span is not None and e.value.span.file == __file__


def test_operators_on_tensors_broadcast_as_numpy_does() -> None:
    C = A + B
    assert [n.value for n in C.shape] == [4, 6] and C.op.tag == "broadcast"
    one = te.placeholder((4, 1), name="O")
    D = one - B
    assert [n.value for n in D.shape] == [4, 6] and "O[" in body(D) and ", 0] - B[" in body(D)
    with pytest.raises(ShapeError):
        A + te.placeholder((4,), name="X")
