"""Each pass on a program that fits on a screen, as text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import matmul, schedule_for
from tewb import te
from tewb.base import LowerError
from tewb.ir import Allocate, BufferLoad, BufferStore, For, ForKind, PrimFunc, walk
from tewb.lowering import BUILD, LOWER, run


def vector(n: int = 10, factor: int = 4) -> tuple[Any, list[Any]]:
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].split("i", factor=factor)
    return s, [A, B]


def after(name: str, s: Any, args: list[Any]) -> str:
    trace: list[tuple[str, PrimFunc]] = []
    tewb.lower(s, args, trace=trace)
    lines = dict(trace)[name].script().splitlines()
    return "\n".join(line[4:] for line in lines[3:])


def test_schedule_ops_guards_a_split_that_does_not_divide() -> None:
    assert after("schedule_ops", *vector()) == (
        "for i.outer in range(3):\n"
        "    for i.inner in range(4):\n"
        "        if T.likely(i.outer * 4 + i.inner < 10):\n"
        "            B[i.outer * 4 + i.inner] = A[i.outer * 4 + i.inner] + T.float32(1.0)"
    )


def test_partition_takes_the_guard_out_of_the_loop() -> None:
    assert after("partition_loops", *vector()) == (
        "for i.outer in range(2):\n"
        "    for i.inner in range(4):\n"
        "        B[i.outer * 4 + i.inner] = A[i.outer * 4 + i.inner] + T.float32(1.0)\n"
        "for i.inner in range(2):\n"
        "    B[i.inner + 8] = A[i.inner + 8] + T.float32(1.0)"
    )


def test_partition_can_be_switched_off() -> None:
    with tewb.PassContext(config={"tir.LoopPartition": False}):
        assert "T.likely" in str(tewb.lower(*vector()))
    with pytest.raises(tewb.TewbError, match="unknown pass option 'tir.LoopPartiton'"):
        tewb.PassContext(config={"tir.LoopPartiton": False})


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


@pytest.mark.parametrize("lanes, widths", [(48, [16] * 3), (24, [8] * 3), (9, [9]), (12, [12]), (64, [64])])
def test_vectors_fill_registers(lanes: int, widths: list[int]) -> None:
    s, args = vector(2 * lanes, lanes)
    s["B"].vectorize("i.inner")
    f = tewb.lower(s, args)["main"]
    assert [n.value.dtype.lanes for n in walk(f.body) if isinstance(n, BufferStore)] == widths
    a, b = np.arange(2 * lanes, dtype="float32"), np.zeros(2 * lanes, "float32")
    tewb.build(s, args)(a, b)
    np.testing.assert_array_equal(b, a + 1)


def test_vectors_can_be_switched_off_and_checks_on() -> None:
    s, args = vector()
    s["B"].vectorize("i.inner")
    with tewb.PassContext(config={"tir.disable_vectorize": True}):
        assert "Broadcast" not in str(tewb.lower(s, args))
    with tewb.PassContext(config={"tir.instrument_bound_checkers": True}):
        assert "an access to A" in tewb.build(s, args).signature.messages
    assert tewb.build(s, args).signature.messages == ()


def test_unroll_writes_the_iterations_out() -> None:
    s, args = vector(4, 2)
    s["B"].unroll("i.inner")
    assert after("simplify again", s, args) == (
        "for i.outer in range(2):\n"
        "    B[i.outer * 2] = A[i.outer * 2] + T.float32(1.0)\n"
        "    B[i.outer * 2 + 1] = A[i.outer * 2 + 1] + T.float32(1.0)"
    )


def test_a_reduction_starts_and_updates() -> None:
    (A, B), (C,) = matmul(2, 3, 4)
    s = te.create_schedule(C.op)
    s[C].reorder("k", "i", "j")
    assert after("simplify", s, [A, B, C]) == (
        "for i.init in range(2):\n"
        "    for j.init in range(3):\n"
        "        C[i.init, j.init] = T.float32(0.0)\n"
        "for k in range(4):\n"
        "    for i in range(2):\n"
        "        for j in range(3):\n"
        "            C[i, j] = C[i, j] + A[i, k] * B[k, j]"
    )


def test_flatten_gives_every_access_one_index() -> None:
    (A, B), (C,) = matmul(4, 5, 6)
    f = run(tewb.lower(schedule_for([C]), [A, B, C])["main"], BUILD)
    assert all(len(n.indices) == 1 for n in walk(f.body) if isinstance(n, BufferLoad))
    assert "C[i * 5 + j] = C[i * 5 + j] + A[i * 6 + k] * B[k * 5 + j]" in f.script()


def test_a_pass_with_nothing_to_do_returns_what_it_was_given() -> None:
    (A, B), (C,) = matmul(4, 5, 6)
    f = tewb.lower(schedule_for([C]), [A, B, C])["main"]
    for p in LOWER:
        assert p.run(f) is f, p.name
        assert p.doc


def test_no_vector_or_unrolled_loop_is_left() -> None:
    inputs, outputs = matmul(10, 12, 8)
    s = schedule_for(outputs)
    s["C"].vectorize("j")
    s["C"].unroll("i")
    kinds = {n.kind for n in walk(tewb.lower(s, inputs + outputs)["main"].body) if isinstance(n, For)}
    assert kinds == {ForKind.SERIAL}


def test_enormous_unrolling_is_refused() -> None:
    inputs, outputs = matmul(4096, 64, 4096)
    s = schedule_for(outputs)
    s["C"].unroll("i")
    s["C"].unroll("j")
    with pytest.raises(LowerError, match="would become about"):
        tewb.lower(s, inputs + outputs)


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


def test_classic_code_runs_after_one_import() -> None:
    import tewb as tvm

    n = tvm.te.var("n")
    A = tvm.te.placeholder((n,), name="A")
    B = tvm.te.compute(A.shape, lambda *i: A(*i) * 2.0, name="B")
    s = tvm.te.create_schedule(B.op)
    xo, xi = s[B].split(B.op.axis[0], factor=8)
    s[B].parallel(xo)
    s[B].vectorize(xi)
    f = tvm.build(s, [A, B], target="llvm", name="double")
    dev = tvm.cpu(0)
    a, b = tvm.nd.array([1.0, 2.0, 3.0], dev), tvm.nd.empty((3,))
    f(a, b)
    assert b.numpy().tolist() == [2.0, 4.0, 6.0]
    assert f.time_evaluator(f.entry_name, dev, number=2)(a, b).mean > 0
    with pytest.raises(tvm.TVMError):
        s[B].split(B.op.axis[0], factor=2)


def test_a_tensor_that_is_both_kept_and_read() -> None:
    A = te.placeholder((6,), name="A")
    B = te.compute((6,), lambda i: A[i] + 1.0, name="B")
    C = te.compute((6,), lambda i: B[i] * 2.0, name="C")
    f = tewb.lower(te.create_schedule(C.op), [A, B, C])["main"]
    assert f.outputs == (1, 2)
    assert not any(isinstance(n, Allocate) for n in walk(f.body))


def test_what_cannot_be_lowered_tells_stage_loops_hint_and_line() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, m), name="A")
    P = te.compute((n, m), lambda i, j: A[i, j] + 1, name="P")
    C = te.compute((n, m), lambda i, j: P[i, j] * 2, name="C")
    s = te.create_schedule(C.op)
    s[P].compute_at(s[C], C.op.axis[0])
    s[P].unroll(P.op.axis[1])  # which is known to be whole only when the program is lowered
    line = s.journal[-1].span
    with pytest.raises(LowerError) as e:
        tewb.lower(s, [A, C])
    assert e.value.message.startswith("stage P: unroll: loop j has an extent that is not constant, m")
    assert e.value.loops == "at C.i: i(n), j(m, unroll)"
    assert e.value.hint == "split it by a constant and unroll the inner loop" and e.value.span == line
