"""Questions that primitives ask about loops and places, each with its reason and its hint."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.programs import add_one, chain, lower_all, matmul, rows, schedule_for
from tewb import te
from tewb.base import ScheduleError
from tewb.ir import IterVar
from tewb.schedule import INLINE, At, Stage, questions
from tewb.schedule.declare import Refusal


def said(refusal: Refusal | None) -> tuple[str, str | None]:
    assert refusal is not None
    return refusal.reason, refusal.hint


def chained() -> Any:
    return schedule_for(chain(6, 4)[1])


def loop(stage: Stage, name: str) -> IterVar:
    iv = stage.find_axis(name)
    assert iv is not None
    return iv


def test_inputs_have_no_loops() -> None:
    s = chained()
    assert questions.has_loops(s["C"]) is None
    assert said(questions.has_loops(s["A"]))[0] == "A is an input and has no loops"


def test_stages_are_found_at_their_loop() -> None:
    s = chained()
    D = s["D"]
    assert questions.untouched(D, loop(D, "i")) is None
    s["C"].compute_at(D, "i")
    assert questions.attached_at(D, loop(D, "i")) == [s["C"]] and questions.attached_at(D, loop(D, "j")) == []


def test_the_inside_of_an_extern_is_its_own() -> None:
    A = te.placeholder((8,), name="A")
    E = te.extern(
        (8,), [A], lambda i, o: te.call_packed("f", i[0], o[0]), name="E", access=te.access.elementwise
    )
    stage = te.create_schedule(E.op)[E]
    assert said(questions.untouched(stage, loop(stage, "d0"))) == (
        "axis d0 is the inside of extern E, which only its own code knows",
        "split d0: its outer loop makes one call for each iteration",
    )


def test_a_reduce_axis_is_not_independent_and_the_hint_says_what_is() -> None:
    s = schedule_for(matmul(4, 4, 4)[1])
    C = s["C"]
    assert questions.independent(C, loop(C, "i"), "parallelise") is None
    reason, hint = said(questions.independent(C, loop(C, "k"), "parallelise"))
    assert reason.startswith("k is a reduce axis") and hint == (
        "parallelise a data axis (i, j), or make partial results: s.rfactor(C, k, parallel=True)"
    )
    assert questions.data_axes(C) == ["i", "j"]


def test_the_root_of_a_loop_is_found_through_splits() -> None:
    C = schedule_for(matmul(16, 16, 16)[1])["C"]
    _, inner = C.split("i", factor=8)
    deep, _ = C.split(inner, factor=2)
    assert questions.root_of(C, deep) is C.op.axis[0]
    assert questions.root_of(C, loop(C, "j")) is C.op.axis[1]
    fused = C.fuse("i.inner.inner", "j")
    assert questions.root_of(C, fused) is fused


def test_an_extent_is_constant_and_not_too_large() -> None:
    C = schedule_for(matmul(16, 4, 4)[1])["C"]
    assert questions.constant_extent(C, loop(C, "i"), 16, "unroll") is None
    assert said(questions.constant_extent(C, loop(C, "i"), 15, "unroll")) == (
        "i has 16 iterations, more than 15", "split i and unroll the inner loop"
    )  # fmt: skip
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i], name="B")
    s = te.create_schedule(B.op)
    reason, _ = said(questions.constant_extent(s[B], loop(s[B], "i"), 99, "unroll"))
    assert reason == "the extent of i is not a constant"


def test_lanes_take_no_calls_no_stages_and_no_second_loop() -> None:
    A = te.placeholder((8,), name="A")
    E = te.extern((8,), [A], lambda i, o: te.call_packed("f", i[0], o[0]), name="E", access=te.access.elementwise,
                  effect="stateful")  # fmt: skip
    stage = te.create_schedule(E.op)[E]
    assert "calls cannot become lanes" in said(questions.no_calls(stage, stage.leaf_iter_vars[0]))[0]
    assert said(questions.in_given_order(stage, "reorder"))[0].startswith(
        "extern E is stateful: to reorder its"
    )
    s = chained()
    D = s["D"]
    assert questions.no_calls(D, loop(D, "i")) is None and questions.in_given_order(D, "reorder") is None
    s["C"].compute_at(D, "j")
    assert "C is computed inside of loop i" in said(questions.nothing_inside(D, loop(D, "i")))[0]
    B = s["B"]
    assert questions.one_vector_loop(B, loop(B, "i")) is None
    B.vectorize("j")
    assert said(questions.one_vector_loop(B, loop(B, "i"))) == (
        "loop j is vectorized already", "fuse j and i, then vectorize"
    )  # fmt: skip
    C = schedule_for(matmul(8, 8, 8)[1])["C"]
    C.vectorize("k")  # no loop is made of a reduce axis and a data axis
    assert said(questions.one_vector_loop(C, loop(C, "j")))[1] == "take that step back to vectorize j"


def test_trying_leaves_the_loops_as_they_were() -> None:
    D = chained()["D"]
    before = D.leaf_iter_vars
    with questions.trying(D):
        D.leaf_iter_vars = questions.reordered(before, [before[1], before[0]])
        assert [iv.name for iv in D.leaf_iter_vars] == ["j", "i"]
    assert D.leaf_iter_vars.same_as(before)


def test_reordered_loops_take_the_places_of_those_that_are_named() -> None:
    C = schedule_for(matmul()[1])["C"]
    i, j, k = C.leaf_iter_vars
    assert [iv.name for iv in questions.reordered(C.leaf_iter_vars, [k, i])] == ["k", "j", "i"]
    assert questions.reordered(C.leaf_iter_vars, [j]).same_as(C.leaf_iter_vars)


def test_a_place_is_outside_of_no_reader() -> None:
    s = chained()
    at = At(s["D"], loop(s["D"], "i"))
    assert said(questions.misplaced_at(s["B"], at)) == (
        "C also reads B, and is computed outside of loop i of D",
        "compute C at the same loop, or B further out",
    )
    assert s["B"].attach is None
    assert questions.misplaced_at(s["C"], at) is None and questions.misplaced_at(s["C"], INLINE) is None
    s["C"].compute_inline()
    assert questions.misplaced_at(s["B"], at) is None  # what is inlined is computed where its readers are


def test_a_stage_is_not_computed_inside_of_itself() -> None:
    s = chained()
    s["C"].compute_at(s["D"], "i")
    s["D"].attach = At(s["C"], loop(s["C"], "i"))
    assert "would be computed inside of itself" in said(questions.misplaced(s))[0]


def test_inside_goes_through_loops_and_inlined_readers() -> None:
    s = chained()
    i, j = (loop(s["D"], name) for name in "ij")
    s["C"].compute_at(s["D"], "i")
    assert questions.inside(s["C"], s["D"], i) and not questions.inside(s["C"], s["D"], j)
    assert questions.inside(s["D"], s["D"], j) and not questions.inside(s["B"], s["D"], i)
    s["C"].compute_root()
    s["B"].compute_inline()
    assert not questions.inside(s["B"], s["D"], i)  # C, which is at the root, reads it too


def test_given_stages_have_no_place() -> None:
    s = schedule_for(rows()[1])
    assert questions.not_given(s["E"], "move") is None
    assert said(questions.not_given(s["A"], "move"))[0] == "A is an input: its values are given, not computed"
    assert (
        said(questions.not_given(s["A"], "move"))[1]
        == "inputs have no loops, and a copy has: s.cache_read(A, ...)"
    )
    assert said(questions.not_given(s["P"], "move"))[1] == "move what it reads"
    assert questions.read_by(s["E"]) == "it is read by S, P"
    assert questions.read_by(s["P"]) == "nothing reads it"


def test_a_hybrid_function_says_why_its_loops_cannot_be_so() -> None:
    A = te.placeholder((8,), name="A")
    B = add_one(A)
    stage = te.create_schedule(B.op)[B]
    assert questions.hybrid_refusal(stage) is None


def test_a_vectorized_loop_is_no_place_and_the_way_out_is_told() -> None:
    _, (C,) = chain()
    s = schedule_for([C])
    read = s[C].reads()[0]
    loop = s[C].leaf_iter_vars[-1]
    s[C].vectorize(loop)
    with pytest.raises(
        ScheduleError, match=f"loops cannot become lanes(.*\\n)+  hint: compute {read.name} at a loop"
    ):
        read.compute_at(s[C], loop)
        lower_all(s)


def test_a_loop_that_takes_no_other_stage_is_told_for_all_primitives() -> None:
    s = chained()
    i = loop(s["D"], "i")
    itself = Refusal("not in itself")
    assert questions.no_other_loop(s["D"], s["D"], i, itself) is itself
    assert said(questions.no_other_loop(s["C"], s["A"], i, itself)) == (
        "A is an input",
        "name a stage that is computed",
    )
    assert said(questions.no_other_loop(s["A"], s["D"], i, itself))[0].startswith("A is an input: ")
    assert questions.no_other_loop(s["C"], s["D"], i, itself) is None
    s["C"].compute_inline()
    assert said(questions.no_loop_for_others(s["C"], i))[0] == "C is computed inline and has no loops"


def test_a_stage_is_back_at_its_place_after_it_was_tried_elsewhere() -> None:
    s = chained()
    at = At(s["D"], loop(s["D"], "i"))
    with pytest.raises(ZeroDivisionError), questions.placed(s["C"], at):
        assert s["C"].attach is at
        _ = 1 // 0
    assert s["C"].attach is None


def test_refusals_say_what_helps() -> None:
    @te.hybrid.script
    def running(a):
        b = output_tensor(a.shape, a.dtype)  # noqa: F821
        for i in range(a.shape[0]):
            b[i] = a[i]
            if i > 0:
                b[i] = b[i - 1] + a[i]
        return b

    n = te.var("n")
    A = te.placeholder((n,), name="A")
    H = running(A)
    s = te.create_schedule(H.op)
    for steps, hint in (
        (lambda: s[H].parallel("i"), "choose a loop whose iterations touch elements of their own"),
        (lambda: s[A].split("i", 4), "inputs have no loops, and a copy has"),
        (lambda: s[A].store_root(), r"inputs have no loops, and a copy has: s.cache_read\(A, ...\)"),
        (lambda: s.specialize(n < 0), "a condition that holds in some calls"),
    ):
        with pytest.raises(ScheduleError) as e:
            steps()
        assert re.search(hint, e.value.hint or "") and e.value.loops
