"""Partial results are combined by the reducer of the program, in their order."""

from __future__ import annotations

import numpy as np

import tewb
from tests.blocks.programs import argmax
from tewb import te
from tewb.blocks.combination import combination, reducer_of, why_not_combined


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
