"""Copies of what a stage reads or makes."""

from __future__ import annotations

from tests.programs import assert_same_result, matmul, schedule_for
from tewb import te
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
