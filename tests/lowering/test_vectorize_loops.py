"""Vectorized loops of any extent: they are cut into vectors of a few registers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import assert_same_result
from tewb import te
from tewb.ir import Expr, For, walk
from tewb.schedule import Schedule
from tewb.tensor import Tensor

Made = tuple[Schedule, list[Tensor], list[Tensor]]


def most_lanes(s: Schedule, args: list[Any]) -> int:
    body = tewb.lower(s, args)["main"].body
    return max(n.dtype.lanes for n in walk(body) if isinstance(n, Expr))


def neighbours(lanes: int) -> Made:
    A = te.placeholder((2 * lanes,), name="A")
    C = te.compute((2 * lanes,), lambda i: A[i] * 2.0 + 1.0, name="C")
    s = te.create_schedule(C.op)
    s[C].vectorize(s[C].split("i", factor=lanes)[1])
    return s, [A], [C]


def across(lanes: int) -> Made:
    A = te.placeholder((lanes, 3), name="A")
    C = te.compute((3, lanes), lambda i, j: A[j, i], name="C")
    s = te.create_schedule(C.op)
    s[C].vectorize("j")
    return s, [A], [C]


def apart(lanes: int) -> Made:
    A = te.placeholder((3 * lanes,), name="A", dtype="int16")
    C = te.compute((lanes,), lambda i: A[3 * i].astype("int64") + i, name="C")
    s = te.create_schedule(C.op)
    s[C].vectorize("i")
    return s, [A], [C]


def scattered(lanes: int) -> Made:
    A = te.placeholder((3, lanes), name="A", dtype="uint8")
    C = te.compute((lanes, 3), lambda i, j: A[j, i] + te.const(1, "uint8"), name="C")
    s = te.create_schedule(C.op)
    s[C].reorder("j", "i")
    s[C].vectorize("i")
    return s, [A], [C]


def mathematics(lanes: int) -> Made:
    A = te.placeholder((lanes,), name="A")
    C = te.compute((lanes,), lambda i: te.select(A[i] > 0.0, te.exp(-A[i]), te.tanh(A[i])), name="C")
    s = te.create_schedule(C.op)
    s[C].vectorize("i")
    return s, [A], [C]


def padded(lanes: int) -> Made:
    A = te.placeholder((lanes,), name="A")
    C = te.compute((lanes,), lambda i: te.if_then_else(i % 3 > 0, A[i - 1], 0.5), name="C")
    s = te.create_schedule(C.op)
    s[C].vectorize("i")
    return s, [A], [C]


def with_a_sum_inside(lanes: int) -> Made:
    A, B = te.placeholder((2, 5), name="A"), te.placeholder((5, lanes), name="B")
    k = te.reduce_axis((0, 5), name="k")
    C = te.compute((2, lanes), lambda i, j: te.sum(A[i, k] * B[k, j], axis=k), name="C")
    s = te.create_schedule(C.op)
    s[C].reorder("i", "k", "j")
    s[C].vectorize("j")
    return s, [A, B], [C]


def two_results(lanes: int) -> Made:
    A = te.placeholder((lanes,), name="A", dtype="int32")
    C, D = te.compute((lanes,), lambda i: (A[i] * 2, A[i] - i), name="CD")
    s = te.create_schedule(C.op)
    s[C].vectorize("i")
    return s, [A], [C, D]


@pytest.mark.parametrize("lanes", [3, 64, 65, 256, 528, 1000, 4099])
@pytest.mark.parametrize(
    "program",
    [neighbours, across, apart, scattered, mathematics, padded, with_a_sum_inside, two_results],
)
def test_lanes_of_any_number_are_cut_and_compute_the_same(program: Any, lanes: int) -> None:
    s, inputs, outputs = program(lanes)
    assert most_lanes(s, [*inputs, *outputs]) <= 64
    assert_same_result(s, inputs, outputs)


@pytest.mark.parametrize("lanes", [64, 128, 528, 1000, 1024])
def test_partial_results_of_a_reduction_are_cut(lanes: int) -> None:
    A = te.placeholder((3, 2 * lanes), name="A", dtype="int32")
    k = te.reduce_axis((0, 2 * lanes), name="k")
    C = te.compute((3,), lambda i: te.sum(A[i, k], axis=k), name="C")
    s = te.create_schedule(C.op)
    s[C].vectorize(s[C].split("k", factor=lanes)[1])
    assert most_lanes(s, [A, C]) <= 64
    assert_same_result(s, [A], [C])


@pytest.mark.parametrize("n", [1, 527, 528, 1500])
def test_a_tail_of_many_lanes_is_masked_vector_by_vector(n: int) -> None:
    size = te.var("n")
    A = te.placeholder((size,), name="A")
    C = te.compute((size,), lambda i: A[i] + 1.0, name="C")
    s = te.create_schedule(C.op)
    s[C].vectorize(s[C].split("i", factor=528)[1])
    a, c = np.arange(n, dtype="float32"), np.zeros(n, "float32")
    tewb.build(s, [A, C])(a, c)
    np.testing.assert_array_equal(c, a + 1)


def test_lanes_that_lie_apart_are_fewer_and_many_vectors_are_a_loop() -> None:
    s, inputs, outputs = across(528)
    body = tewb.lower(s, inputs + outputs)["main"].body
    assert most_lanes(s, inputs + outputs) == 16
    assert [n.var.name for n in walk(body) if isinstance(n, For)] == ["i", "j.vector"]


def test_few_vectors_stand_in_sequence() -> None:
    s, inputs, outputs = neighbours(256)
    body = tewb.lower(s, inputs + outputs)["main"].body
    assert [n.var.name for n in walk(body) if isinstance(n, For)] == ["i.outer"]


def test_schedules_of_up_to_64_lanes_are_not_cut() -> None:
    s, inputs, outputs = across(64)
    assert most_lanes(s, inputs + outputs) == 64


def test_65536_lanes_compute_the_same() -> None:
    s, inputs, outputs = neighbours(1 << 16)
    assert_same_result(s, inputs, outputs)
