"""Explanations: chains of sentences whose numbers are those of the lowered loops."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

import tewb
from tests.programs import PROGRAMS, random_schedule
from tewb import te
from tewb.arith import RULES
from tewb.base import ScheduleError, TewbError
from tewb.schedule import Step
from tewb.workbench.demos import demo_session
from tewb.workbench.session import Session


def tiled_blur() -> Any:
    s = demo_session("blur", n=64)
    s.apply(Step("split", "Y", {"axis": "i", "factor": 10}))
    s.apply(Step("compute_at", "X", {"parent": "Y", "axis": "i.outer"}))
    s.apply(Step("split", "X", {"axis": "i", "factor": 5}))
    return s


def test_a_bound_goes_from_the_readers_to_the_loop() -> None:
    e = tiled_blur().explain("bound", "X", "i.inner")
    assert e.question == "Why does loop X.i.inner have 5 iterations?" and e.answer.startswith(
        "i.inner has 5 iterations"
    )
    said = "\n".join(e.steps)
    assert "X is computed inside of loop Y.i.outer: while it is computed, Y.i.outer stands still" in said
    assert (
        "Y reads X[max(i - 1, 0), j], while Y.i.inner, Y.j run: that is [max(Y.i.outer * 10 - 1, 0) .. Y.i.outer * 10 + 8, 0 .. 63]"
        in said
    )
    assert "the union of these boxes" in said
    assert "along i that is never more than 12, less than the declared 64" in said
    assert "along j that is all 64 of the declared size" in said
    assert "i(12) is split with factor 5: i.outer(3) of i.inner(5); that is rounded up" in said
    assert "are kept out by X.i.outer * 5 + X.i.inner < 12" in said
    assert "may pass the edge of X" in said


def test_a_range_with_gaps_tells_its_steps() -> None:
    A = te.placeholder((80,), name="A")
    B = te.compute((80,), lambda i: A[i] * 2.0, name="B")
    C = te.compute((4, 3), lambda i, j: B[i * 16 + j], name="C")
    e = Session(te.create_schedule(C.op), [A, C]).explain("bound", "B", "i")
    assert e.answer == "i has 12 iterations each time it is entered, and its body runs 12 times in one call"
    assert "along i that is never more than 12 in steps of 16, and nothing between them is read" in "\n".join(
        e.steps
    )


def test_a_factor_larger_than_the_loop_is_clamped() -> None:
    s = demo_session("matmul", n=12)
    s.apply(Step("split", "C", {"axis": "i", "factor": 100}))
    e = s.explain("bound", "C", "i.inner")
    assert "i(12) is split with factor 100, which is more than there is: clamped to 12" in e.steps[-1]


def test_bounds_of_fused_and_reduce_loops() -> None:
    s = demo_session("matmul", n=12)
    s.apply(Step("fuse", "C", {"axes": ["i", "j"]}))
    assert (
        "i(12) and j(12) are fused: their product is i.j.fused(144)"
        in s.explain("bound", "C", "i.j.fused").steps
    )
    assert s.explain("bound", "C", "k").steps == (
        "k is a reduce axis of 12 terms: every element needs all of them",
    )


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("seed", range(3))
def test_everything_has_an_explanation_with_the_right_number(name: str, seed: int) -> None:
    inputs, outputs = PROGRAMS[name]()
    s = tewb.Session(random_schedule(outputs, random.Random(f"why{name}{seed}"), 5), inputs + outputs)
    ledger = {e.stage: e for e in s.ledger()}
    first = s.passes[0][1].script()
    for stage in s.schedule.stages:
        if stage.is_placeholder:
            continue
        memory = s.explain("allocation", stage.name)
        assert f"take {ledger[stage.name].allocated} bytes" in memory.question
        for what in ("guard", "simplification"):
            assert s.explain(what, stage.name).answer
        for iv in [] if stage.is_inlined else stage.leaf_iter_vars:
            e = s.explain("bound", stage.name, stage.axis_name(iv))
            times = re.search(r"has (\d+) iterations?", e.answer)
            assert times and re.search(rf"(range|parallel|vectorized|unroll)\({times[1]}\)", first), (
                str(e),
                first,
            )


def test_an_allocation_says_what_would_make_it_smaller() -> None:
    for access, allocated in (("whole", 384), ("elementwise", 128)):
        s = demo_session("extern", access=access)
        s.apply(Step("compute_at", "E", {"parent": "C", "axis": "i"}))
        e = s.explain("allocation", "E")
        assert e.question == f"Why does E take {allocated} bytes?"
        assert ("declare its access" in str(e)) == (access == "whole")
        assert ("while it is computed, C.i stands still" in str(e)) == (access == "elementwise")


def test_an_argument_and_an_inlined_stage_take_no_memory() -> None:
    s = demo_session("blur", n=16)
    s.apply(Step("compute_inline", "X"))
    assert s.explain("allocation", "X").answer == "it takes no memory"
    assert s.explain("allocation", "Y").answer == "it takes none of the kernel's memory"


def test_guards_that_loop_partition_takes_out() -> None:
    s = tiled_blur()
    e = s.explain("guard", "X")
    assert len(e.steps) == 3 and "partition_loops" in e.steps[-1]
    assert e.answer == "none are left inside of the loops" and "if " not in s.ir
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    s = tewb.Session(te.create_schedule(B.op), [A, B])
    assert s.explain("guard", "B").answer == "none are left: every iteration is a real one"
    s.apply(Step("split", "B", {"axis": "i", "factor": 4}))
    assert s.explain("guard", "B").answer == "none are left inside of the loops"
    with tewb.PassContext(config={"tir.LoopPartition": False}):
        kept = tewb.Session(s.schedule, [A, B])
        assert (
            kept.explain("guard", "B").answer
            == "in the lowered IR there is likely(i.outer * 4 + i.inner < n)"
        )


def test_a_refusal_tells_facts_the_reason_and_the_repair() -> None:
    s = demo_session("softmax", n=24, m=40)
    e = s.explain("illegal", Step("compute_at", "E", {"parent": "P", "axis": "i"}))
    assert e.steps[2] == "E is read by S, P"
    assert "S also reads E, and is computed outside of loop i of P" in e.steps
    assert "compute_at(S, parent=P, axis=i) and then compute_at(E, parent=P, axis=i) can" in e.answer
    s.apply(Step("split", "P", {"axis": "j", "factor": 8}))
    e = s.explain("illegal", {"primitive": "vectorize", "stage": "P", "args": {"axis": "j"}})
    assert (
        "j was split into j.outer and j.inner" in e.steps
        and "what helps: use j.outer or j.inner instead" in e.steps
    )
    s.apply(Step("vectorize", "P", {"axis": "j.inner"}))
    e = s.explain("illegal", Step("unroll", "P", {"axis": "j.inner"}))
    assert "j.inner is marked vectorize" in e.steps
    assert "j.inner came from step 2, vectorize(P, axis=j.inner)" in e.steps
    assert s.explain("illegal", Step("unroll", "P", {"axis": "i"})).answer == "it is not: it is legal now"


def test_a_refusal_about_what_is_not_there() -> None:
    s = demo_session("matmul", n=16)
    assert "X is not a stage" in str(s.explain("illegal", Step("split", "X", {"axis": "i"})))
    assert "is not a primitive" in str(s.explain("illegal", Step("frob", "C")))


def test_simplification_names_the_rules() -> None:
    s = demo_session("matmul", n=12)
    s.apply(Step("fuse", "C", {"axes": ["i", "j"]}))
    s.apply(Step("split", "C", {"axis": "i.j.fused", "factor": 12}))
    e = s.explain("simplification", "C")
    said = "\n".join(e.steps)
    assert (
        "axis i: (C.i.j.fused.outer * 12 + C.i.j.fused.inner) // 12 becomes C.i.j.fused.outer by quotient_of_a_bounded_rest"
        in said
    )
    assert "becomes C.i.j.fused.inner by remainder_of_a_bounded_rest" in said
    assert "C.i.j.fused.outer * 12 + C.i.j.fused.inner < 144 becomes True by comparison_by_bounds" in said
    assert "(C.i.j.fused.outer in 0 .. 11, C.i.j.fused.inner in 0 .. 11)" in said


def test_a_rule_is_shown_with_its_formula_and_each_step_by_itself() -> None:
    s = demo_session("matmul", n=12)
    s.apply(Step("fuse", "C", {"axes": ["i", "j"]}))
    s.apply(Step("split", "C", {"axis": "i.j.fused", "factor": 24}))
    x = "(C.i.j.fused.outer * 24 + C.i.j.fused.inner) // 12"
    steps = [said for said in s.explain("simplification", "C").steps if said.startswith("axis i")]
    assert steps == [
        f"axis i: {x} becomes C.i.j.fused.outer * 2 + C.i.j.fused.inner // 12 by quotient_of_multiples, "
        "(x*c + r) // c -> x + r // c when r does not wrap (C.i.j.fused.outer in 0 .. 5, C.i.j.fused.inner in 0 .. 23)"
    ]


def test_the_indices_of_floats_are_explained_too() -> None:
    A = te.placeholder((8, 4), name="A")
    B = te.compute((8, 4), lambda i, j: A[(i * 4 + j) // 4, j], name="B")
    session = tewb.Session(te.create_schedule(B.op), [A, B])
    (step,) = session.explain("simplification", "B").steps
    assert step.startswith(
        "a store: (B.i * 4 + B.j) // 4 becomes B.i by quotient_of_a_bounded_rest, (x*c + r) // c -> x + k"
    )


def test_no_rule_about_indices_is_named_for_values() -> None:
    C = te.compute((70_000,), lambda i: te.select(i * i < 0, 1, 0) + i // i, name="C")
    assert not session_of(C).explain("simplification", "C").steps
    D = te.compute((40_000,), lambda i: te.select(i * i < 0, 1, 0), name="D")
    assert any("comparison_by_bounds" in said for said in session_of(D).explain("simplification", "D").steps)


def session_of(t: Any) -> tewb.Session:
    return tewb.Session(te.create_schedule(t.op), [t])


def test_every_rule_has_words() -> None:
    assert RULES and all(re.fullmatch(r"\S.* -> .*\S", rule.formula) for rule in RULES.values())


def test_questions_that_mean_nothing() -> None:
    s = demo_session("blur", n=16)
    with pytest.raises(TewbError, match="'colour' is not a question"):
        s.explain("colour", "X")
    with pytest.raises(ScheduleError, match="Z is not a stage"):
        s.explain("allocation", "Z")
    with pytest.raises(ScheduleError, match="A is an input"):
        s.explain("bound", "A", "i")
    with pytest.raises(ScheduleError, match="stage X has no loop q"):
        s.explain("bound", "X", "q")
    with pytest.raises(ScheduleError, match="stage X has no loop None"):
        s.explain("bound", "X")
    with pytest.raises(TewbError, match="'X' is not a step"):
        s.explain("illegal", "X")
    s.apply(Step("compute_inline", "X"))
    with pytest.raises(ScheduleError, match="X is computed inline and has no loops"):
        s.explain("bound", "X", "i")


def test_why_memory_goes_round() -> None:
    s = demo_session("blur", n=64)
    s.apply(Step("compute_at", "X", {"parent": "Y", "axis": "i"}))
    s.apply(Step("store_root", "X"))
    said = str(s.explain("allocation", "X"))
    for words in ("kept around loops that it is computed in", "slides along i of Y", "memory goes round: 4 of i",
                  "X holds 4 * 64 elements"):  # fmt: skip
        assert words in said
