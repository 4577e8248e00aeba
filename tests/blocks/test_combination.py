"""Partial results are combined by the reducer of the program, in their order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.blocks.programs import argmax
from tewb import te
from tewb.blocks.combination import combination, cuts_in_order, is_commutative, reducer_of, why_not_combined


def test_a_combination_is_a_program_of_both_sides() -> None:
    A, k = te.placeholder((3, 8), name="A"), te.reduce_axis((0, 8), name="k")
    at, _ = te.compute((3,), lambda i: argmax()((k.var, A[i, k]), axis=k), name="T")
    program = combination(at.op, [2])
    assert [str(t.dtype) for t in program.inputs] == ["int32", "float32"] * 2
    kernel = tewb.build(te.create_schedule(program.outputs[0].op), program.parameters)
    first, second = (
        (np.array([1, 2], "int32"), np.array([5, 0], "float32")),
        (np.array([3, 4], "int32"), np.ones(2, "float32")),
    )
    index, value = kernel(*first, *second)
    assert (index.tolist(), value.tolist()) == ([1, 4], [5, 1])


def test_what_a_combination_uses_besides_its_sides_is_a_reason() -> None:
    A, k = te.placeholder((3, 8), name="A"), te.reduce_axis((0, 8), name="k")
    factor = te.var("factor", "float32")
    scaled = te.comm_reducer(lambda x, y: x + y * factor, lambda t: te.const(0, t), name="scaled")
    B = te.compute((3,), lambda i: scaled(A[i, k], axis=k), name="B")
    S = te.compute((3,), lambda i: te.sum(A[i, k], axis=k), name="S")
    assert why_not_combined(B.op) == "the combination of scaled uses factor"
    assert why_not_combined(S.op) is None
    assert reducer_of(S.op).name == "sum"


def first() -> Any:
    return te.comm_reducer(lambda x, y: te.if_then_else(x != 0, x, y), lambda t: te.const(0, t), name="first")


@pytest.mark.parametrize(
    ("reduce", "exchanged"),
    [(te.sum, True), (te.prod, True), (te.min, True), (te.max, True), (first(), False)],
)
def test_a_value_of_both_sides_alike_is_commutative(reduce: Any, exchanged: bool) -> None:
    A, k = te.placeholder((3, 8), name="A"), te.reduce_axis((0, 8), name="k")
    B = te.compute((3,), lambda i: reduce(A[i, k], axis=k), name="B")
    assert is_commutative(reducer_of(B.op)) is exchanged


def test_several_values_of_both_sides_alike_are_commutative_and_an_argmax_is_not() -> None:
    A, k = te.placeholder((3, 8), name="A"), te.reduce_axis((0, 8), name="k")
    both = te.comm_reducer(
        lambda x, y: (x[0] + y[0], te.max(y[1], x[1])),
        lambda a, b: (te.const(0, a), te.min_value(b)),
        name="both",
    )
    S, _ = te.compute((3,), lambda i: both((A[i, k], A[i, k]), axis=k), name="S")
    at, _ = te.compute((3,), lambda i: argmax()((k.var, A[i, k]), axis=k), name="T")
    assert is_commutative(reducer_of(S.op))
    assert not is_commutative(reducer_of(at.op))


@pytest.mark.parametrize(
    ("cuts", "in_order"),
    [
        (((2,), (2,)), ((2,), ())),
        (((), (2,)), ((), ())),  # the columns 0 and 1 of all rows do not come before the others of the first
        (((1, 2, 3), (2,)), ((1, 2, 3), (2,))),
        (((1, 2), (2,)), ((1, 2), ())),
        (((2,), ()), ((2,), ())),
    ],
)
def test_elements_stay_in_order(cuts: Any, in_order: Any) -> None:
    A = te.placeholder((4, 4), name="A")
    i, j = te.reduce_axis((0, 4), name="i"), te.reduce_axis((0, 4), name="j")
    B = te.compute((1,), lambda _: first()(A[i, j], axis=[i, j]), name="B")
    S = te.compute((1,), lambda _: te.sum(A[i, j], axis=[i, j]), name="S")
    assert cuts_in_order(B.op, dict(zip((i, j), cuts, strict=True))) == dict(
        zip((i, j), in_order, strict=True)
    )
    assert tuple(cuts_in_order(S.op, dict(zip((i, j), cuts, strict=True))).values()) == cuts
