"""Copies of tensors in memory nearby."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import argmax, assert_same_result, matmul, schedule_for
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


# ---------------------------------------------------------------- the layout of the loops


def turned(n: Any = 10, m: Any = 6) -> tuple[Any, Any]:
    A = te.placeholder((n, m), name="A")
    return A, te.compute((n, m), lambda i, j: te.sqrt(A[i, j] * A[i, j]) + 1.0, name="C")


def kept_whole(s: Any, A: Any, C: Any) -> str:
    return str(tewb.lower(s, [A, C], simple_mode=True))


def test_the_axes_of_a_cache_are_the_loops_over_data_in_their_order() -> None:
    A, C = turned()
    s = te.create_schedule(C.op)
    outer, inner = s[C].split(C.op.axis[0], 4)
    s[C].reorder(outer, C.op.axis[1], inner)
    cache = s.cache_write(C, "local")
    assert [int(n) for n in cache.shape] == [3, 6, 4]
    assert [iv.name for iv in cache.op.axis] == ["i.outer.c", "j.c", "i.inner.c"]
    assert s[C].loops() == "i(10), j(6)" and s["C.local"].leaf_iter_vars == list(cache.op.axis)
    text = kept_whole(s, A, C)
    assert "C[i, j] = C.local[i // 4, j, i % 4]" in text
    assert (
        "C.local[i.outer.c, j.c, i.inner.c] = T.if_then_else(T.likely(i.outer.c * 4 + i.inner.c < 10)" in text
    )
    assert_same_result(s, [A], [C])
    x, _ = s[C].split(C.op.axis[0], 4)
    s[cache].compute_at(s[C], x)
    assert 'C.local = T.allocate((1, 6, 4), "float32", scope="local")' in kept_whole(s, A, C)
    assert_same_result(s, [A], [C])


def test_no_guard_where_the_loops_divide() -> None:
    A, C = turned(12, 8)
    s = te.create_schedule(C.op)
    fused = s[C].fuse(*C.op.axis)
    s[C].split(fused, 16)
    cache = s.cache_write(C, "global")
    assert [int(n) for n in cache.shape] == [6, 16]
    text = kept_whole(s, A, C)
    assert "likely" not in text
    assert "C[i, j] = C._global[(i * 8 + j) // 16, (i * 8 + j) % 16]" in text
    assert_same_result(s, [A], [C])


def test_its_readers_take_it_in_the_new_layout_when_the_copy_is_inline() -> None:
    A, B = turned()
    C = te.compute((10, 6), lambda i, j: B[i, j] - 1.0, name="D")
    s = te.create_schedule(C.op)
    s[B].reorder(B.op.axis[1], B.op.axis[0])
    cache = s.cache_write(B, "global")
    s[B].compute_inline()
    assert [int(n) for n in cache.shape] == [6, 10]
    assert "D[i, j] = C._global[j, i] - T.float32(1.0)" in kept_whole(s, A, C)
    assert_same_result(s, [A], [C])


def test_reduce_axes_stay_those_of_the_reduction_however_they_are_ordered() -> None:
    inputs, (C,) = matmul(9, 10, 11)
    s = schedule_for([C])
    s[C].tile(*C.op.axis, 4, 4)
    s[C].reorder("k", "i.outer")
    cache = s.cache_write(C, "local")
    assert s[cache].loops() == (
        "j.outer.c(3), i.inner.c(4), j.inner.c(4), i.outer.c(3), k(11); in local memory"
    )
    s[cache].vectorize(cache.op.axis[2])
    assert_same_result(s, inputs, [C])


@pytest.mark.parametrize("where", ["start", "condition", "range"])
def test_places_without_an_element_read_nothing(where: str) -> None:
    A = te.placeholder((7, 7), "int32", name="A")
    B = te.placeholder((7,), "int32", name="B")
    some = te.placeholder((7,), "int32", name="some")

    def row(i: Any) -> Any:
        k = te.reduce_axis((0, te.min(te.max(some[i], 0), 7) if where == "range" else 7), name="k")
        return te.sum(
            A[i, k],
            axis=k,
            where=B[i] > 2 if where == "condition" else None,
            init=B[i] if where == "start" else None,
        )

    C = te.compute((7,), row, name="C")
    inputs = [t for t in (A, B, some) if t in C.op.input_tensors]
    s = te.create_schedule(C.op)
    s[C].split("i", factor=4)
    cache = s.cache_write(C, "local")
    assert [int(n) for n in cache.shape] == [2, 4]
    assert_same_result(s, inputs, [C])


def test_sizes_that_a_call_tells() -> None:
    n, m = te.var("n"), te.var("m")
    A, C = turned(n, m)
    s = te.create_schedule(C.op)
    outer, inner = s[C].split("i", factor=4)
    s[C].fuse(inner, C.op.axis[1])
    s[C].split("i.inner.j.fused", nparts=3)
    s.cache_write(C, "local")
    kernel = tewb.build(s, [A, C])
    for size in ((1, 1), (7, 5), (8, 3), (0, 3)):
        x = np.random.default_rng(0).random(size, dtype="float32")
        y = np.zeros_like(x)
        kernel(x, y)
        np.testing.assert_allclose(y, x + 1, rtol=1e-6)


def test_values_of_a_tuple_have_one_layout() -> None:
    A, B, C = sum_and_product()
    s = te.create_schedule(B.op)
    s[B].split("j", factor=2)
    copies = s.cache_write([B, C], "local")
    assert [[int(n) for n in t.shape] for t in copies] == [[6, 3, 2]] * 2
    assert_same_result(s, [A], [B, C])
    inputs, outputs = argmax()
    s = schedule_for(outputs)
    s["IV"].split("i", factor=4)
    s.cache_write(outputs, "local")
    assert_same_result(s, inputs, outputs)


def test_marks_stay_on_the_axes_and_go_with_other_loops() -> None:
    A, C = turned()
    s = te.create_schedule(C.op)
    _, inner = s[C].split("j", 4)
    s[C].parallel("i")
    s[C].vectorize(inner)
    s.cache_write(C, "local")
    assert s[C].loops() == "i(10, parallel), j(6)"
    assert_same_result(s, [A], [C])
    with pytest.raises(ScheduleError, match="vectorize on stage C: it has no loop j.inner any more"):
        s[C].vectorize(inner)


def test_what_was_computed_in_its_loops_moves_with_a_later_call() -> None:
    A, B = turned()
    C = te.compute((10, 6), lambda i, j: B[i, j] - 1.0, name="D")
    s = te.create_schedule(C.op)
    outer, _ = s[C].split("i", 4)
    s[B].compute_at(s[C], outer)
    cache = s.cache_write(C, "local")
    with pytest.raises(
        ScheduleError, match=r"C is computed at loop i.outer.*\n.*\n  hint: .* in the loops of the new"
    ):
        tewb.lower(s, [A, C])
    s[B].compute_at(s[cache], cache.op.axis[0])
    assert_same_result(s, [A], [C])


def test_it_is_undone_and_done_again_with_the_same_tensors() -> None:
    A, C = turned()
    s = te.create_schedule(C.op)
    s[C].split("i", 4)
    cache = s.cache_write(C, "local")
    done = s.journal
    s.restore(done[:1])
    assert s[C].loops() == "i.outer(3), i.inner(4), j(6)"
    s.restore(done)
    assert s[cache].op is cache.op
    assert_same_result(s.copy(), [A], [C])


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (lambda s: s["C"].split("k", 4), "k.outer is over a part of a reduce axis.*\n.*\n  hint: call cache_write first"),
        (lambda s: s["C"].fuse("j", "k"), "j.k.fused is over data and reduce axes at once"),
    ],
)  # fmt: skip
def test_reduce_loops_are_split_in_the_cache(before: Any, said: str) -> None:
    inputs, outputs = matmul()
    s = schedule_for(outputs)
    before(s)
    loops = s["C"].loops()
    with pytest.raises(ScheduleError, match=said):
        s.cache_write(outputs[0], "local")
    assert s["C"].loops() == loops and len(s.stages) == 3


def test_a_step_of_a_scan_has_a_layout_too() -> None:
    X = te.placeholder((5, 6), name="X")
    state = te.placeholder((5, 6), name="state")
    first = te.compute((1, 6), lambda _, i: X[0, i], name="first")
    step = te.compute((5, 6), lambda t, i: state[t - 1, i] * 0.5 + X[t, i], name="step")
    total = te.scan(first, step, state, inputs=[X], name="total")
    s = te.create_schedule(total.op)
    s[step].split("i", 4)
    s[step].reorder("i.inner", "t")
    cache = s.cache_write(step, "local")
    assert [int(n) for n in cache.shape] == [4, 2, 5]
    assert_same_result(s, [X], [total])


def test_a_reader_of_another_output_reads_no_copy() -> None:
    A = te.placeholder((4,), name="A")
    P, Q = te.compute((4,), lambda i: (A[i] + 1.0, A[i] * 2.0), name="PQ")
    C = te.compute((4,), lambda i: Q[i] + 1.0, name="C")
    D = te.compute((4,), lambda i: P[i] * Q[i], name="D")
    s = te.create_schedule([C.op, D.op])
    with pytest.raises(ScheduleError, match="C does not read output 0 of PQ") as e:
        s.cache_read(P, "local", [C, D])
    assert "it reads 1" in (e.value.hint or "")
    s.cache_read(Q, "local", [C, D])
    s.cache_read(P, "local", [D])
    assert_same_result(s, [A], [C, D])
