"""Split: every iteration once, whatever divides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import assert_same_result, matmul, schedule_for
from tests.regions import Watch
from tewb import te
from tewb.base import LowerError, ScheduleError, TewbError


@pytest.mark.parametrize(("n", "factor"), [(64, 16), (65, 16), (7, 16), (1, 3), (10, 3)])
@pytest.mark.parametrize("by", ["factor", "nparts"])
def test_split_computes_the_same(n: int, factor: int, by: str) -> None:
    inputs, outputs = matmul(n, 5, 3)
    s = schedule_for(outputs)
    s["C"].split("i", **{by: factor})
    assert_same_result(s, inputs, outputs)


@pytest.mark.parametrize("k", [12, 13, 1])
def test_a_split_reduction_adds_every_element_once(k: int) -> None:
    inputs, outputs = matmul(4, 5, k)
    s = schedule_for(outputs)
    _, inner = s["C"].split("k", factor=4)
    s["C"].split(inner, factor=3)  # 3 does not divide 4: the guard stands at k.inner, not only at k
    assert_same_result(s, inputs, outputs, debug=True)


# ---------------------------------------------------------------- without guards


def increment(n: Any) -> tuple[Any, Any]:
    A = te.placeholder((n,), name="A")
    return A, te.compute((n,), lambda i: A[i] + 1.0, name="B")


def test_a_split_that_is_said_to_divide_is_checked_once_and_guards_nothing() -> None:
    A, B = increment(te.var("n"))
    s = te.create_schedule(B.op)
    _, inner = s[B].split("i", factor=4, disable_predication=True)
    s[B].vectorize(inner)
    module = tewb.lower(s, [A, B])
    assert "likely" not in str(module) and "assert n % 4 == 0" in str(module)
    kernel = tewb.build(s, [A, B])
    x, y = np.arange(8, dtype="float32"), np.zeros(8, "float32")
    kernel(x, y)
    np.testing.assert_equal(y, x + 1)
    with pytest.raises(
        TewbError, match="i of stage B was split with disable_predication, and 4 does not divide"
    ):
        kernel(x[:7], y[:7])


@pytest.mark.parametrize(("n", "size"), [(12, {"factor": 4}), (12, {"nparts": 3}), (3, {"factor": 8})])
def test_nothing_is_checked_where_it_divides(n: int, size: dict[str, int]) -> None:
    A, B = increment(n)
    s = te.create_schedule(B.op)
    s[B].split("i", **size, disable_predication=True)
    assert "assert" not in str(tewb.lower(s, [A, B])) and "likely" not in str(tewb.lower(s, [A, B]))
    assert s.journal[0].args["disable_predication"] == 1
    assert_same_result(s.copy(), [A], [B])


def test_the_part_that_is_needed_at_a_place_divides() -> None:
    A, B = increment(40)
    C = te.compute((37,), lambda i: B[i] + B[i + 3], name="C")
    s = te.create_schedule(C.op)
    s[B].split("i", 16, disable_predication=True)
    with pytest.raises(LowerError, match="i of stage B has 40 iterations, which 16 does not divide"):
        tewb.lower(s, [A, C])
    outer, _ = s[C].split("i", 5)
    s[B].compute_at(s[C], outer)
    assert_same_result(s, [A], [C])


def a_triangle() -> None:
    A = te.placeholder((6, 6), name="A")

    def row(i: Any) -> Any:
        k = te.reduce_axis((0, i + 1), name="k")
        return te.sum(A[i, k], axis=k)

    C = te.compute((6,), row, name="C")
    te.create_schedule(C.op)[C].split("k", 2, disable_predication=True)


def an_extern() -> None:
    A = te.placeholder((6,), name="A")
    E = te.extern(
        (6,), [A], lambda i, o: te.call_packed("f", i[0], o[0]), access=te.access.elementwise, name="E"
    )
    s = te.create_schedule(E.op)
    s[E].split(E.op.axis[0], 2, disable_predication=True)


def of_increment(n: int, *args: Any, **more: Any) -> Callable[[], None]:
    def misuse() -> None:
        _, B = increment(n)
        te.create_schedule(B.op)[B].split("i", *args, **more)

    return misuse


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (of_increment(43, 4, disable_predication=True), "i has 43 iterations, which 4 does not divide.*\n.*\n  hint: leave"),
        (of_increment(43, nparts=4, disable_predication=True), "i has 43 iterations, which 4 does not divide"),
        (of_increment(8, 4, None, 7), "disable_predication=7 must be True or False"),
        (a_triangle, "how often k runs is not the same for all elements"),
        (an_extern, "E is not a compute"),
    ],
)  # fmt: skip
def test_a_split_that_does_not_divide_is_guarded(misuse: Callable[[], None], said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        misuse()


# ---------------------------------------------------------------- tails


@pytest.mark.parametrize("tail", ["guard", "shift", "predicate"])
@pytest.mark.parametrize(("n", "size"), [(64, {"factor": 16}), (65, {"factor": 16}), (7, {"factor": 16}), (13, {"nparts": 4}), (5, {"nparts": 4})])  # fmt: skip
def test_every_tail_computes_the_same(tail: str, n: int, size: dict[str, int]) -> None:
    inputs, outputs = matmul(n, 5, 3)
    s = schedule_for(outputs)
    s["C"].split("i", **size, tail=tail)
    assert_same_result(s, inputs, outputs, debug=True)


@pytest.mark.parametrize("tail", ["guard", "shift", "predicate"])
def test_tails_of_vectors_with_a_stage_inside(tail: str) -> None:
    A, T = increment(43)
    B = te.compute((41,), lambda i: T[i] * T[i + 2], name="C")
    s = te.create_schedule(B.op)
    outer, inner = s[B].split("i", 8, tail=tail)
    s[B].vectorize(inner)
    s[B].parallel(outer)
    s[T].compute_at(s[B], outer)
    s[T].split("i", 4, tail=tail)
    assert_same_result(s, [A], [B], debug=True)


def test_a_tail_that_is_moved_inwards_has_no_guard() -> None:
    A, B = increment(43)
    s = te.create_schedule(B.op)
    _, inner = s[B].split("i", 8, tail="shift")
    s[B].vectorize(inner)
    text = str(tewb.lower(s, [A, B]))
    assert "B[T.min(i.outer * 8, 35):T.min(i.outer * 8, 35) + 8] = " in text
    assert "likely" not in text and "if " not in text and text.count("for ") == 1


def test_a_predicate_cuts_no_loop() -> None:
    A, B = increment(te.var("n"))
    s = te.create_schedule(B.op)
    _, inner = s[B].split("i", 8, tail="predicate")
    s[B].vectorize(inner)
    text = str(tewb.lower(s, [A, B]))
    assert text.count("for ") == 1 and "if T.Ramp(i.outer * 8, 1, 8) < T.Broadcast(n, 8)" in text
    kernel = tewb.build(s, [A, B])
    for n in (0, 1, 7, 8, 29):
        x, y = np.arange(n, dtype="float32"), np.zeros(n, "float32")
        kernel(x, y)
        np.testing.assert_equal(y, x + 1)


@pytest.mark.parametrize("kind", ["serial", "vectorize", "parallel"])
def test_calls_with_fewer_iterations_than_a_shifted_part_run_beside(kind: str) -> None:
    A, B = increment(te.var("n"))
    s = te.create_schedule(B.op)
    outer, inner = s[B].split("i", 8, tail="shift")
    if kind != "serial":
        getattr(s[B], kind)(inner if kind == "vectorize" else outer)
    text = str(tewb.lower(s, [A, B]))
    assert "likely" not in text and "if n >= 8:" in text
    kernel = tewb.build(s, [A, B])
    for n in (0, 1, 7, 8, 9, 15, 16, 40):
        x, y = np.arange(n, dtype="float32"), np.zeros(n, "float32")
        kernel(x, y)
        np.testing.assert_equal(y, x + 1)


def test_reductions_of_calls_with_few_rows_are_done_once() -> None:
    n = te.var("n")
    A, k = te.placeholder((n, 5), "int32", name="A"), te.reduce_axis((0, 5), "k")
    B = te.compute((n,), lambda i: te.sum(A[i, k], k), name="B")
    s = te.create_schedule(B.op)
    s[B].split(s[B].split("i", 8, tail="shift")[0], 3, tail="shift")
    kernel = tewb.build(s, [A, B])
    for rows in (0, 1, 7, 8, 17, 24, 41):
        x, y = np.arange(rows * 5, dtype="int32").reshape(rows, 5), np.zeros(rows, "int32")
        kernel(x, y)
        np.testing.assert_equal(y, x.sum(1))


def test_short_calls_are_refused_where_stages_are_computed_in_shifted_parts_and_empty_ones_are_not() -> None:
    A, T = increment(te.var("n"))
    B = te.compute(T.shape, lambda i: T[i] * 2, name="C")
    s = te.create_schedule(B.op)
    outer, _ = s[B].split("i", 8, tail="shift")
    s[T].compute_at(s[B], outer)
    kernel = tewb.build(s, [A, B])
    for n in (0, 8, 13):
        x, y = np.arange(n, dtype="float32"), np.zeros(n, "float32")
        kernel(x, y)
        np.testing.assert_equal(y, (x + 1) * 2)
    with pytest.raises(
        TewbError, match='i of stage C was split with tail="shift", and has fewer iterations than 8'
    ):
        kernel(x[:7], y[:7])


def test_parts_of_parts_may_have_tails_of_their_own() -> None:
    inputs, outputs = matmul(29, 23, 3)
    s = schedule_for(outputs)
    _, inner = s["C"].split("i", 9, tail="shift")
    s["C"].split(inner, 4, tail="shift")
    s["C"].split("j", 5, tail="predicate")
    s["C"].reorder("i.outer", "j.outer", "k", "i.inner.outer", "j.inner", "i.inner.inner")
    with pytest.raises(LowerError, match="split on stage C: i.inner.outer is inside of the reduction over k"):
        tewb.lower(s, [*inputs, *outputs])
    s["C"].reorder("i.inner.outer", "k")
    assert_same_result(s, inputs, outputs)


def test_a_copy_in_the_layout_of_shifted_loops_has_its_elements_once() -> None:
    inputs, outputs = matmul(29, 23, 3)
    s = schedule_for(outputs)
    s["C"].split("i", 9, tail="shift")
    copied = s.cache_write(outputs[0], "local")
    s[copied].vectorize(s[copied].leaf_iter_vars[1])
    assert_same_result(s, inputs, outputs)


def test_a_reduction_whose_shifted_parts_run_at_once_is_refused() -> None:
    inputs, outputs = matmul(29, 23, 3)
    s = schedule_for(outputs)
    outer, _ = s["C"].split("i", 9, tail="shift")
    s["C"].parallel(outer)
    with pytest.raises(LowerError, match="split on stage C: the iterations of i.outer run at once"):
        tewb.lower(s, [*inputs, *outputs])


def of_matmul(axis: str, **more: Any) -> Callable[[], None]:
    def misuse() -> None:
        s = schedule_for(matmul(29, 23, 3)[1])
        s["C"].reorder("k", "j")
        s["C"].split(axis, 4, **more)

    return misuse


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (of_increment(43, 4, tail="wrap"), 'tail="wrap" is none of guard, shift, predicate, round_up'),
        (of_increment(44, 4, tail="shift", disable_predication=True), "a split that is said to divide has no tail"),
        (of_matmul("k", tail="shift"), "k is a loop of a reduction, which would combine some elements twice"),
        (of_matmul("j", tail="shift"), "j is inside of the reduction over k"),
    ],
)  # fmt: skip
def test_a_tail_that_would_be_wrong_is_refused(misuse: Callable[[], None], said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        misuse()


def test_the_tail_is_in_journal_code_and_json() -> None:
    A, B = increment(43)
    session = tewb.Session(te.create_schedule(B.op), [A, B])
    session.load("s[B].split('i', factor=8, tail='shift')")
    assert (
        session.schedule_code.splitlines()[-1] == 'i_outer, i_inner = s[B].split(i, factor=8, tail="shift")'
    )
    assert session.to_string() == "B:split(i,8,tail=shift)"


# ---------------------------------------------------------------- sizes near the ends of int32 and int64


def doubled(at_root: bool) -> tuple[Any, Any, Any]:
    A, T = increment(te.var("n"))
    B = te.compute(T.shape, lambda i: T[i] * 2, name="C")
    s = te.create_schedule(B.op)
    if at_root:
        s[T].compute_root()
    return s, A, B


@pytest.mark.parametrize("at_root", [True, False])
@pytest.mark.parametrize("size", [1 << 25, (1 << 31) - 1, 1 << 31, 1 << 61])
@pytest.mark.parametrize("word", ["factor", "nparts"])
def test_sizes_that_no_call_needs_take_no_time_and_no_memory(word: str, size: int, at_root: bool) -> None:
    s, A, B = doubled(at_root)
    outer, _ = s[B].split("i", **{word: size})
    if not at_root:
        s["B"].compute_at(s[B], outer)
    f = tewb.lower(s, [A, B])["main"]
    n = next(v for v in s.size_vars())
    for rows in (0, 1, 5):
        x = np.arange(rows, dtype="float32")
        memory = {p.data: a.copy() for p, a in zip(f.params, (x, np.zeros(rows, "float32")), strict=True)}
        Watch(memory, {n: rows}).run(f.body)
        np.testing.assert_array_equal(memory[f.params[1].data], (x + 1) * 2)


def test_a_hybrid_loop_has_no_more_parts_than_iterations() -> None:
    @te.hybrid.script
    def double(a):  # type: ignore[no-untyped-def]
        b = output_tensor((a.shape[0],), "float32")  # type: ignore[name-defined]  # noqa: F821
        for i in range(a.shape[0]):
            b[i] = a[i] * 2.0
        return b

    A = te.placeholder((te.var("n"),), name="A")
    B = double(A)
    s = te.create_schedule(B.op)
    s[B].split(s[B].op.axis[0], nparts=1 << 61)
    kernel = tewb.build(s, [A, B])
    x, y = np.arange(5, dtype="float32"), np.zeros(5, "float32")
    kernel(x, y)
    np.testing.assert_array_equal(y, x * 2)


def test_memory_of_every_call_is_not_padded_by_a_size_that_none_needs() -> None:
    s, _, _ = doubled(True)
    with pytest.raises(
        ScheduleError, match="memory of every call would be padded by up to 2147483647 elements"
    ):
        s["B"].split("i", (1 << 31) - 1, tail="round_up")
