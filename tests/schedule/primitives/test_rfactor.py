"""rfactor: partial results in a stage of their own, and their combination."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import argmax, assert_same_result, lower_all, matmul, rows, schedule_for
from tewb import te
from tewb.base import ScheduleError, thread_count
from tewb.ir import Reduce, script
from tewb.schedule import Schedule
from tewb.workbench import Session


@pytest.mark.one_in(3)
@pytest.mark.parametrize("k", [16, 13, 3, 1])
@pytest.mark.parametrize("part", ["outer", "inner"])
@pytest.mark.parametrize("place", [0, 1, 2, -1, -3])
def test_a_factored_sum_is_the_same(k: int, part: str, place: int) -> None:
    inputs, outputs = matmul(5, 6, k)
    s = schedule_for(outputs)
    s["C"].split("k", factor=4)
    partial = s.rfactor(outputs[0], f"k.{part}", factor_axis=place)
    assert partial.op.axis[place].name == f"k.{part}"
    assert_same_result(s, inputs, outputs, debug=True)


def test_the_new_stage_has_the_loop_as_an_axis_and_the_old_one_reduces_over_it() -> None:
    inputs, outputs = matmul(5, 6, 13)
    s = schedule_for(outputs)
    s["C"].split("k", factor=4)
    s.rfactor(outputs[0], "k.inner")
    assert s["C.rf"].loops() == "k.inner(4), i(5), j(6), k.outer(4)"
    assert s["C"].loops() == "i(5), j(6), k.inner.v(4)"
    partial = s["C.rf"].op.body[0]
    assert isinstance(partial, Reduce) and script(partial.condition) == "T.likely(k.outer * 4 + k.inner < 13)"


def test_loops_over_data_axes_stay() -> None:
    inputs, outputs = matmul(9, 10, 12)
    s = schedule_for(outputs)
    s["C"].split("k", factor=4)
    s["C"].split("i", factor=4)
    s["C"].vectorize("j")
    partial = s.rfactor(outputs[0], "k.outer")
    assert s["C"].loops() == "i.outer(3), i.inner(4), j(10, vectorize), k.outer.v(3)"
    s[partial].compute_at(s["C"], "i.outer")
    s[partial].vectorize("j")
    s["C"].unroll("k.outer.v")
    assert_same_result(s, inputs, outputs)


def test_partial_results_of_several_threads() -> None:
    inputs, outputs = matmul(3, 4, 50)
    s = schedule_for(outputs)
    s["C"].split("k", nparts=4)
    partial = s.rfactor(outputs[0], "k.outer")
    s[partial].parallel("k.outer")
    assert_same_result(s, inputs, outputs)


def test_a_reduction_of_pairs_gives_a_pair() -> None:
    inputs, outputs = argmax(7, 21)
    s = schedule_for(outputs)
    s["IV"].split("k", factor=4)
    places, values = s.rfactor(outputs[0], "k.outer", 1)
    assert [t.dtype for t in (places, values)] == ["int32", "float32"]
    s[places].compute_at(s["IV"], "i")
    assert_same_result(s, inputs, outputs, debug=True)


def test_the_only_reduce_loop_becomes_a_stage_of_terms() -> None:
    inputs, outputs = matmul(5, 6, 7)
    s = schedule_for(outputs)
    s.rfactor(outputs[0], "k", -1)
    assert s["C.rf"].op.reduce_axis == ()
    assert_same_result(s, inputs, outputs)


def test_start_condition_and_first_index_are_kept() -> None:
    A = te.placeholder((6, 20), name="A", dtype="int32")
    k = te.reduce_axis((3, 17), name="k")
    C = te.compute((6,), lambda i: te.sum(A[i, k], axis=k, where=k % 3 != i % 2, init=i + 5), name="C")
    s = te.create_schedule(C.op)
    s[C].split("k", factor=4)
    s.rfactor(C, "k.inner")
    assert_same_result(s, [A], [C], debug=True)


def test_two_axes_of_a_reduction_and_factors_of_factors() -> None:
    A = te.placeholder((5, 6, 7), name="A", dtype="int32")
    a, b = te.reduce_axis((0, 6), name="a"), te.reduce_axis((0, 7), name="b")
    C = te.compute((5,), lambda i: te.max(A[i, a, b], axis=[a, b]), name="C")
    s = te.create_schedule(C.op)
    s[C].split(s[C].fuse(a, b), factor=5)
    first = s.rfactor(C, "a.b.fused.inner", 1)
    s[first].split("a.b.fused.outer", factor=2)
    s.rfactor(first, "a.b.fused.outer.inner", -1)
    s.rfactor(C, "a.b.fused.inner.v")
    assert [st.name for st in s.stages] == ["A", "C.rf.rf", "C.rf", "C.rf_1", "C"]
    assert_same_result(s, [A], [C], debug=True)


def test_after_cache_write_and_inside_of_another_stage() -> None:
    inputs, outputs = rows(9, 22)
    s = schedule_for(outputs)
    (total,) = [st.op.output(0) for st in s.stages if st.name == "S"]
    local = s.cache_write(total, "local")
    s[total].compute_at(s["P"], "i")
    s[local].compute_at(s["P"], "i")
    s[local].split("k", factor=8)
    partial = s.rfactor(local, "k.inner", -1)
    s[partial].reorder("k.outer", "k.inner")
    s[partial].vectorize("k.inner")
    assert_same_result(s, inputs, outputs, debug=True)


def test_a_symbolic_size() -> None:
    n = te.var("n")
    A = te.placeholder((3, n), name="A")
    k = te.reduce_axis((0, n), name="k")
    C = te.compute((3,), lambda i: te.sum(A[i, k], axis=k), name="C")
    for part in ("outer", "inner"):
        s = te.create_schedule(C.op)
        s[C].split(k, factor=8)
        s.rfactor(C, f"k.{part}", 1)
        kernel = tewb.build(s, [A, C])
        for size in (0, 1, 8, 21):
            a, c = np.random.rand(3, size).astype("float32"), np.full(3, 9, "float32")
            kernel(a, c)
            np.testing.assert_allclose(c, a.sum(axis=1), rtol=1e-5)


def split_and(f: Callable[[Schedule, Any], object]) -> Callable[[], object]:
    def run() -> object:
        _, outputs = matmul(32, 32, 32)
        s = schedule_for(outputs)
        s["C"].split("k", factor=4)
        return f(s, outputs[0])

    return run


def placed(s: Schedule, C: Any) -> None:
    copy = s.cache_read(s["A"].op.output(0), "local", [C])
    s[copy].compute_at(s[C], "k.outer")
    s.rfactor(C, "k.inner")
    lower_all(s)


def marked(s: Schedule, C: Any) -> None:
    s[C].unroll("k.outer")
    s.rfactor(C, "k.inner")


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (split_and(lambda s, C: s.rfactor(C, "i")), r"i is a data axis.*\n.*\n  hint: factor one of the reduce "
                                                   r"loops \(k.outer, k.inner\)"),
        (split_and(lambda s, C: s.rfactor(C, "k")), "axis k was already split into k.outer and k.inner"),
        (split_and(lambda s, C: s.rfactor(C, "k.inner", 3)), "have 3 axes, so there is no place 3.*\n.*\n.*-3 to 2"),
        (split_and(lambda s, C: s.rfactor(C, "k.inner", "j")), "'j' is not a whole number"),
        (split_and(marked), "reduce loop k.outer is marked unroll.*\n.*\n  hint: call rfactor before unroll"),
        (split_and(placed), "A.local is computed at loop k.outer.*\n.*\n  hint: call rfactor first"),
        (split_and(lambda s, C: s.rfactor(s["A"].op.output(0), "k")), "it has no axis k"),
        (lambda: (s := schedule_for(rows()[1])).rfactor(s["E"].op.output(0), "j"), "E is not a reduction"),
    ],
)  # fmt: skip
def test_misuse_is_refused_in_the_users_names(misuse: Callable[[], object], said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        misuse()


def test_undo_replay_and_code() -> None:
    inputs, outputs = argmax(7, 21)
    bench = Session(schedule_for(outputs), [*inputs, *outputs])
    bench.apply({"primitive": "split", "stage": "IV", "args": {"axis": "k", "factor": 4}})
    bench.apply({"primitive": "rfactor", "stage": "IV", "args": {"axis": "k.inner", "factor_axis": 1}})
    bench.apply({"primitive": "compute_at", "stage": "IV.rf", "args": {"parent": "IV", "axis": "i"}})
    assert "IV_rf, *_ = s.rfactor(IV_v0, k_inner, factor_axis=1)" in bench.code
    found: dict[str, Any] = {}
    exec(bench.code, found)
    assert found["s"].journal == bench.journal
    steps, loops = bench.schedule.journal, repr(bench.schedule)
    bench.schedule.restore(steps[:1])
    assert "IV.rf" not in [st.name for st in bench.schedule.stages]
    bench.schedule.restore(steps)
    assert repr(bench.schedule) == loops


def test_whole_reduce_axes_move_to_the_partial_results_before_parts_as_in_classic_te() -> None:
    n = te.size_var("n")
    A = te.placeholder((n, n, n), name="A")
    a, b = te.reduce_axis((0, n), name="a"), te.reduce_axis((0, n), name="b")
    C = te.compute((n,), lambda i: te.sum(A[i, a, b], axis=[a, b]), name="C")
    s = te.create_schedule(C.op)
    outer, inner = s[C].split(a, factor=4)
    partial = s.rfactor(C, inner)
    first, second = partial.op.body[0].axis
    assert first is b and second.var is outer.var and partial.op.axis[0].var is inner.var
    _, within = s[partial].split(b, 2)  # the handle of before is that of the loop now
    s[partial].unroll(within)
    with pytest.raises(ScheduleError, match="split on stage C: this b is a loop of C.rf, not of C"):
        s[C].split(b, 2)
    kernel = tewb.build(s, [A, C])
    x, y = np.arange(125, dtype="float32").reshape(5, 5, 5), np.zeros(5, "float32")
    kernel(x, y)
    np.testing.assert_allclose(y, x.sum(axis=(1, 2)))


def test_what_was_computed_in_its_loops_moves_to_those_of_the_partial_results() -> None:
    inputs, outputs = matmul(5, 6, 13)
    s = schedule_for(outputs)
    copy = s.cache_read(inputs[0], "local", outputs)
    outer, inner = s["C"].split("k", factor=4)
    s[copy].compute_at(s["C"], outer)
    partial = s.rfactor(outputs[0], inner)
    s[copy].compute_at(s[partial], partial.op.reduce_axis[0])
    assert_same_result(s, inputs, outputs)


@pytest.mark.parametrize("split_other", [False, True])
@pytest.mark.parametrize("factor_outer", [False, True])
def test_other_reduce_axes_come_whole_and_first(split_other: bool, factor_outer: bool) -> None:
    A = te.placeholder((4, 7, 6), name="A")
    p, q = te.reduce_axis((0, 7), name="p"), te.reduce_axis((0, 6), name="q")
    C = te.compute((4,), lambda i: te.sum(A[i, p, q], axis=[p, q]), name="C")
    s = te.create_schedule(C.op)
    po, pi = s[C].split(p, 3)
    if split_other:
        s[C].reorder(s[C].split(q, 4)[1], po)
    R = s.rfactor(C, po if factor_outer else pi)
    assert [iv.name for iv in R.op.reduce_axis] == ["q", "p.inner" if factor_outer else "p.outer"]
    assert [iv.name for iv in s[R].leaf_iter_vars][2:] == [iv.name for iv in R.op.reduce_axis]
    a = np.random.default_rng(0).integers(-4, 4, (4, 7, 6)).astype("float32")
    np.testing.assert_array_equal(tewb.build(s, [A, C])(a), a.sum((1, 2)))


def test_axes_that_were_fused_are_of_one_reduction() -> None:
    A = te.placeholder((4, 3, 6, 5), name="A")
    p, q, r = (te.reduce_axis((0, n), name=m) for m, n in (("p", 3), ("q", 6), ("r", 5)))
    C = te.compute((4,), lambda i: te.sum(A[i, p, q, r], axis=[p, q, r]), name="C")
    s = te.create_schedule(C.op)
    qo, qi = s[C].split(q, 4)
    fused = s[C].fuse(p, qo)
    R = s.rfactor(C, fused)
    assert [iv.name for iv in R.op.reduce_axis] == ["r", "q.inner"]
    a = np.random.default_rng(0).integers(-4, 4, (4, 3, 6, 5)).astype("float32")
    np.testing.assert_array_equal(tewb.build(s, [A, C])(a), a.sum((1, 2, 3)))


# ---------------------------------------------------------------- parts for threads


def total(n: Any) -> tuple[Any, Any, Any]:
    A = te.placeholder((3, n), "int32", name="A")
    k = te.reduce_axis((0, n), "k")
    return A, k, te.compute((3,), lambda i: te.sum(A[i, k], k), name="B")


@pytest.mark.parametrize("n", [0, 1, 2, 8, 9, 64])
def test_parts_that_threads_reduce_add_up(n: int) -> None:
    A, k, B = total(n)
    s = te.create_schedule(B.op)
    partial = s.rfactor(B, k, parallel=4)
    assert s[partial].annotations == {s[partial].leaf_iter_vars[0]: "parallel"}
    assert_same_result(s, [A], [B], debug=True)


def test_parts_are_one_step_that_is_split_rfactor_and_parallel() -> None:
    A, k, B = total(64)
    one, three = te.create_schedule(B.op), te.create_schedule(B.op)
    one.rfactor(B, k, parallel=4)
    outer, _ = three[B].split(k, nparts=4)
    partial = three.rfactor(B, outer)
    three[partial].parallel(outer.var.name)
    assert str(tewb.lower(one, [A, B])) == str(tewb.lower(three, [A, B]))
    assert [str(step) for step in one.journal] == ["rfactor(B, axis=k, factor_axis=0, parallel=4)"]
    again = te.create_schedule(B.op)
    again.restore(one.journal)
    assert str(tewb.lower(again, [A, B])) == str(tewb.lower(one, [A, B]))


def test_as_many_parts_as_threads_are_kept_as_a_number() -> None:
    _, k, B = total(64)
    s = te.create_schedule(B.op)
    s.rfactor(B, k, parallel=True)
    assert s.journal[0].args["parallel"] == thread_count()


def test_the_last_part_is_done_at_once_with_the_others() -> None:
    A, k, B = total(103)
    s = te.create_schedule(B.op)
    s.rfactor(B, k, parallel=4)
    text = str(tewb.lower(s, [A, B]))
    assert "for k.outer in T.parallel(4)" in text and "if T.likely(k.outer < 3)" in text
    assert text.count("for k.inner in range(26)") == text.count("for k.inner in range(25)") == 1


def test_a_place_of_the_partial_results_leaves_the_parts_outermost() -> None:
    A, k, B = total(9)
    s = te.create_schedule(B.op)
    partial = s.rfactor(B, k, 1, parallel=2)
    assert [int(n) for n in partial.shape] == [3, 2]
    assert s[partial].loops() == "k.outer(2, parallel), i(3), k.inner(5)"
    assert_same_result(s, [A], [B])


def test_pairs_are_reduced_by_threads_too() -> None:
    inputs, outputs = argmax(5, 29)
    s = schedule_for(outputs)
    k = s[outputs[0]].op.reduce_axis[0]
    assert len(s.rfactor(outputs[0], k, parallel=3)) == 2
    assert_same_result(s, inputs, outputs)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda s, B: s.rfactor(B, "k", parallel=0), "parallel=0 must be at least 1"),
        (lambda s, B: s.rfactor(B, "k", parallel="x"), "'x' is not a whole number"),
        (lambda s, B: s.rfactor(B, "i", parallel=2), "i is a data axis"),
        (lambda s, B: s.rfactor(B, "k", 5, parallel=2), "the partial results have 2 axes"),
        (lambda s, B: s[B].parallel("k"), r"s.rfactor\(B, k, parallel=True\)"),
        (lambda s, B: (s[B].unroll("k"), s.rfactor(B, "k", parallel=2)), "loop k is marked unroll"),
    ],
)
def test_parts_that_cannot_be_are_refused(call: Callable[[Any, Any], object], said: str) -> None:
    _, _, B = total(9)
    s = te.create_schedule(B.op)
    with pytest.raises(ScheduleError, match=said):
        call(s, B)
    assert not [step for step in s.journal if step.primitive == "rfactor"]


@pytest.mark.parametrize("loop", ["k", "l"])
@pytest.mark.parametrize("parallel", [None, 2])
def test_axes_that_do_not_begin_at_0_keep_their_terms(loop: str, parallel: int | None) -> None:
    A = te.placeholder((9, 5), "int32", name="A")
    k, m = te.reduce_axis((2, 7), name="k"), te.reduce_axis((1, 4), name="l")
    B = te.compute((2,), lambda i: te.sum(A[k, m] + i, axis=[k, m]), name="B")
    s = te.create_schedule(B.op)
    s.rfactor(B, loop, parallel=parallel)
    assert_same_result(s, [A], [B], debug=True)


def test_a_stage_in_the_loop_that_is_cut_into_parts_waits_for_a_place() -> None:
    A, k, _ = total(9)
    T = te.compute((3, 9), lambda i, j: A[i, j] + 1, name="T")
    B = te.compute((3,), lambda i: te.sum(T[i, k], k), name="B")
    s = te.create_schedule(B.op)
    s[T].compute_at(s[B], "k")
    partial = s.rfactor(B, "k", parallel=2)
    with pytest.raises(ScheduleError, match="rfactor on stage B: T is computed at loop k"):
        tewb.lower(s, [A, B])
    s[T].compute_at(s[partial], "k.inner")
    assert_same_result(s, [A], [B])
