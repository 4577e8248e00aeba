"""Copies of tensors in memory nearby."""

from __future__ import annotations

from typing import Any

import pytest

from tests.programs import assert_same_result, matmul, schedule_for
from tewb import te
from tewb.base import ScheduleError
from tewb.ir import ProducerLoad, walk


def test_cache_read_copies_the_output_that_was_named() -> None:
    A = te.placeholder((6,), "int32", name="A")
    P, Q = te.compute((6,), lambda i: (A[i] + 1, A[i] * 2), name="PQ")
    C = te.compute((6,), lambda i: P[i] - Q[i], name="C")
    for tensor, index in ((P, 0), (Q, 1)):
        s = te.create_schedule(C.op)
        copy = s.cache_read(tensor, "local", [C])
        assert s.journal[-1].args["output"] == index
        assert [
            load.producer for e in copy.op.body for load in walk(e) if isinstance(load, ProducerLoad)
        ] == [tensor]
        assert_same_result(s, [A], [C])


def test_cache_read_and_cache_write_compute_the_same() -> None:
    inputs, outputs = matmul(9, 10, 11)
    s = schedule_for(outputs)
    local = s.cache_write(outputs[0], "local")
    copy = s.cache_read(inputs[1], "local", [local])
    io, _ = s["C"].split("i", factor=4)
    s[local].compute_at(s["C"], io)
    s[copy].compute_at(s[local], s[local].op.reduce_axis[0])
    assert [st.name for st in s.stages] == ["A", "B", "B.local", "C.local", "C"]
    assert_same_result(s, inputs, outputs)


def sum_and_product() -> tuple[Any, Any, Any]:
    A = te.placeholder((6, 5), name="A")
    B, C = te.compute((6, 5), lambda i, j: (A[i, j] + 1.0, A[i, j] * 2.0), name="T")
    return A, B, C


def test_several_outputs_are_computed_elsewhere_at_once() -> None:
    A, B, C = sum_and_product()
    s = te.create_schedule(B.op)
    copies = s.cache_write([B, C], "local")
    assert [t.value_index for t in copies] == [0, 1] and copies[0].op is copies[1].op
    s[copies[0]].compute_at(s[B], "i")
    assert_same_result(s, [A], [B, C])
    (D,) = s.cache_write([copies[0], copies[1]], "global")[:1]
    assert s[D].op.output(1).name


def test_one_in_a_list() -> None:
    inputs, outputs = matmul()
    s = schedule_for(outputs)
    (copy,) = s.cache_write([outputs[0]], "local")
    s[copy].compute_at(s["C"], "i")
    assert_same_result(s, inputs, outputs)


def test_a_copy_for_several_readers() -> None:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: A[i] + 1.0, name="B")
    C = te.compute((8,), lambda i: A[i] * B[i], name="C")
    s = te.create_schedule(C.op)
    copy = s.cache_read(A, "local", [B, C])
    assert {x.name for x in s[copy].readers()} == {"B", "C"}
    assert_same_result(s, [A], [C])


@pytest.mark.parametrize(
    ("pick", "said"),
    [
        (lambda A, B, C: [B], "takes all outputs of one operation, not T"),
        (lambda A, B, C: [B, A], "takes all outputs of one operation, not T.*, A"),
        (lambda A, B, C: [], "takes all outputs of one operation, not nothing"),
    ],
)
def test_several_outputs_are_all_of_one_operation(pick: Any, said: str) -> None:
    A, B, C = sum_and_product()
    s = te.create_schedule(B.op)
    with pytest.raises(ScheduleError, match=said):
        s.cache_write(pick(A, B, C), "local")
    assert not s.journal
