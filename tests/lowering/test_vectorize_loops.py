"""Vectorized loops of any extent: they are cut into vectors of a few registers."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest

import tewb
from tests.lowering.passes import after, vector
from tests.programs import assert_same_result
from tewb import te
from tewb.base import LowerError
from tewb.ir import BufferStore, Expr, For, walk
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


@pytest.mark.one_in(3)
@pytest.mark.parametrize("lanes", [3, 64, 65, 256, 528, 1000, 4099])
@pytest.mark.parametrize(
    "program",
    [neighbours, across, apart, scattered, mathematics, padded, with_a_sum_inside, two_results],
)
def test_lanes_of_any_number_are_cut_and_compute_the_same(program: Any, lanes: int) -> None:
    s, inputs, outputs = program(lanes)
    assert most_lanes(s, [*inputs, *outputs]) <= 64
    assert_same_result(s, inputs, outputs)


def test_vectorize_makes_vectors_of_the_tail_too() -> None:
    s, args = vector()
    s["B"].vectorize("i.inner")
    assert after("simplify again", s, args) == (
        "for i.outer in range(2):\n"
        "    B[i.outer * 4:i.outer * 4 + 4] = A[i.outer * 4:i.outer * 4 + 4] + T.Broadcast(T.float32(1.0), 4)\n"
        "B[8:10] = A[8:10] + T.Broadcast(T.float32(1.0), 2)"
    )


def test_an_index_that_is_made_wider_names_neighbours() -> None:
    A = te.placeholder((16,), name="A")
    B = te.compute((16,), lambda i: A[i.astype("int64") + 0] + i.astype("int64"), name="B")
    s = te.create_schedule(B.op)
    s[B].vectorize(s[B].split("i", factor=8)[1])
    text = after("vectorize_loops", s, [A, B])
    assert 'A[T.Cast("int64", i.outer * 8):T.Cast("int64", i.outer * 8) + 8]' in text
    assert 'T.Cast("int64x8", T.Ramp(i.outer * 8, 1, 8))' in text  # data, which would wrap
    a, b = np.random.rand(16).astype("float32"), np.zeros(16, "float32")
    tewb.build(s, [A, B])(a, b)
    np.testing.assert_array_equal(b, a + np.arange(16, dtype="float32"))


WIDTHS = [(48, [16] * 3), (24, [8] * 3), (9, [9]), (12, [12]), (64, [64]), (19, [16, 3]), (33, [16, 16, 1])]


@pytest.mark.parametrize("lanes, widths", WIDTHS)
def test_vectors_fill_registers(lanes: int, widths: list[int]) -> None:
    s, args = vector(2 * lanes, lanes)
    s["B"].vectorize("i.inner")
    f = tewb.lower(s, args)["main"]
    assert [n.value.dtype.lanes for n in walk(f.body) if isinstance(n, BufferStore)] == widths
    a, b = np.arange(2 * lanes, dtype="float32"), np.zeros(2 * lanes, "float32")
    tewb.build(s, args)(a, b)
    np.testing.assert_array_equal(b, a + 1)


def test_what_is_stored_past_the_caches_stays_together() -> None:
    s, args = vector(38, 19)
    s["B"].vectorize("i.inner")
    s["B"].nontemporal()
    f = tewb.lower(s, args)["main"]
    assert [n.value.dtype.lanes for n in walk(f.body) if isinstance(n, BufferStore)] == [19]


def test_vectors_can_be_switched_off_and_checks_on() -> None:
    s, args = vector()
    s["B"].vectorize("i.inner")
    with tewb.PassContext(config={"tir.disable_vectorize": True}):
        assert "Broadcast" not in str(tewb.lower(s, args))
    with tewb.PassContext(config={"tir.instrument_bound_checkers": True}):
        assert "an access to A" in tewb.build(s, args).signature.messages
    assert tewb.build(s, args).signature.messages == ()


def test_a_symbolic_part_cannot_be_vectorized() -> None:
    n = te.var("n")
    A = te.placeholder((n, n), name="A")
    B = te.compute((n, n), lambda i, j: A[i, j] + 1.0, name="B")
    C = te.compute((n, n), lambda i, j: B[i, j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], "i")
    s[B].vectorize("j")
    with pytest.raises(LowerError, match="loop j has an extent that is not constant, n"):
        tewb.lower(s, [A, C])


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


@pytest.mark.parametrize(
    ("call", "calls"),
    [
        (lambda f, a: te.call_extern("float32", f, 3.0), 8),
        (lambda f, a: a + te.call_extern("float32", f, 3.0), 8),
        (lambda f, a: te.select(a > 3.0, te.call_extern("float32", f, 3.0), a), 8),
        (lambda f, a: te.call_pure_extern("float32", f, 3.0), 1),
        (lambda f, a: te.call_pure_extern("float32", f, a), 8),
    ],
)
def test_a_call_that_all_lanes_make_is_made_once_for_each_unless_it_is_pure(call: Any, calls: int) -> None:
    numbers: list[float] = []

    @ctypes.CFUNCTYPE(ctypes.c_float, ctypes.c_float)
    def counted(value: float) -> float:
        numbers.append(value)
        return value + len(numbers)

    results = []
    for lanes in (1, 8):
        numbers.clear()
        A = te.placeholder((8,), name="A")
        B = te.compute((8,), lambda i: call(counted, A[i]), name="B")  # noqa: B023
        s = te.create_schedule(B.op)
        if lanes > 1:
            s[B].vectorize(B.op.axis[0])
        b = np.zeros(8, "float32")
        tewb.build(s, [A, B])(np.arange(8, dtype="float32"), b)
        results.append(b)
    assert len(numbers) == calls
    if calls == 8:
        np.testing.assert_array_equal(*results)


def test_an_llvm_intrinsic_that_all_lanes_call_is_called_once_if_it_is_pure() -> None:
    for call, is_vector in ((te.call_llvm_intrin, False), (te.call_llvm_pure_intrin, True)):
        A = te.placeholder((8,), name="A")
        B = te.compute((8,), lambda i: A[i] * call("float32", "llvm.sqrt", 3.0), name="B")  # noqa: B023
        s = te.create_schedule(B.op)
        s[B].vectorize(B.op.axis[0])
        assert (most_lanes(s, [A, B]) == 8) == is_vector
