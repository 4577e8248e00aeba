"""Axes, their kinds, and reducers."""

from __future__ import annotations

import pytest

from tests.programs import argmax, matmul
from tewb import te
from tewb.base import DType, TewbError
from tewb.ir import AxisKind, IterVar, Range, Reduce, Var, const, script


def test_an_axis_has_the_name_and_dtype_of_its_variable() -> None:
    v = Var("i", DType("int64"))
    iv = IterVar(Range(const(0), const(4)), v, AxisKind.DATA)
    assert (iv.name, iv.dtype, iv.var) == ("i", "int64", v)
    assert repr(iv) == "IterVar(i, Range(0, 4), data)"
    assert repr(IterVar(None, v, AxisKind.OPAQUE)) == "IterVar(i, opaque)"


def test_an_axis_is_its_variable_in_expressions() -> None:
    k = te.reduce_axis((0, 4), name="k")
    assert script(k * 2 + 1) == "k * 2 + 1" and (k + 1).a is k.var
    assert k.kind is AxisKind.REDUCE and script((3 - k) // 2) == "(3 - k) // 2"


@pytest.mark.parametrize(("kind", "word"), [(k, k.value) for k in AxisKind])
def test_kinds_are_words(kind: AxisKind, word: str) -> None:
    assert AxisKind(word) is kind


def test_a_reduction_has_a_source_and_an_identity_for_each_result() -> None:
    _, (C,) = matmul(3, 4, 5)
    total = C.op.body[0]
    assert isinstance(total, Reduce) and total.index == 0
    assert [script(e) for e in total.combiner.identity] == ["T.float32(0.0)"]
    assert [iv.name for iv in total.axes] == ["k"] and script(total.condition) == "T.bool(True)"
    _, (at, most) = argmax(3, 4)
    first, second = at.op.body
    assert isinstance(first, Reduce) and isinstance(second, Reduce)
    assert (first.index, second.index) == (0, 1) and first.combiner is second.combiner
    assert len(first.source) == len(first.combiner.lhs) == len(first.combiner.result) == 2
    children = first.children()
    assert all(
        a is b for a, b in zip(children, (first.combiner, *first.source, first.condition), strict=True)
    )


def test_an_axis_is_found_in_a_list_and_comparisons_with_it_stay_expressions() -> None:
    A, B = te.placeholder((4, 5), name="A"), te.placeholder((5, 6), name="B")
    k = te.reduce_axis((0, 5), name="k")
    C = te.compute((4, 6), lambda i, j: te.sum(A[i, k] * B[k, j], axis=k), name="C")
    axes = [*C.op.axis, k]
    assert k in axes and axes.index(k) == 2 and k not in C.op.axis
    assert k != axes[0] and bool(k == axes[0]) is False and k == C.op.reduce_axis[0]
    axes.remove(C.op.axis[1])
    assert tuple(axes) == (C.op.axis[0], k) and tuple(axes) != (k, C.op.axis[0])
    assert script(te.if_then_else(k == C.op.axis[0], 1, 2)) == "T.if_then_else(k == i, 1, 2)"


def test_an_axis_is_not_none() -> None:
    k = te.reduce_axis((0, 5), name="k")
    assert k != None and bool(k == None) is False  # noqa: E711  (as old programs ask)


def test_an_axis_compared_with_a_number_or_a_variable_has_no_truth_value() -> None:
    k, m = te.reduce_axis((0, 5), name="k"), te.var("m")
    for compared in (k == 3, k == m, k.var == m, k != m, k < te.reduce_axis((0, 2), name="l")):
        with pytest.raises(TewbError, match="has no truth value"):
            bool(compared)
