"""A schedule: finding its stages, its order, and the journal that makes it again."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import tewb
from tests.programs import chain, matmul, schedule_for, two_outputs
from tewb import te
from tewb.base import ScheduleError
from tewb.ir import script, structural_equal
from tewb.schedule import Step
from tewb.schedule.declare import PrimitiveCall, Refusal


def test_restore_replays_and_a_handle_from_before_still_works() -> None:
    _, outputs = matmul()
    s = schedule_for(outputs)
    io, ii = s["C"].split("i", factor=4)
    cache = s.cache_read(outputs[0].op.inputs[0], "local", [outputs[0]])
    steps = s.journal
    s.restore(steps[:1])
    assert [st.primitive for st in s.journal] == ["split"]
    s.restore(steps)
    s[cache].unroll("ax1")
    s["C"].reorder(ii, io)
    assert s["C"].loops().startswith("i.inner(4), i.outer(5)")


def test_a_refused_restore_leaves_the_schedule_as_it_was() -> None:
    _, outputs = matmul()
    s = schedule_for(outputs)
    s["C"].split("i", factor=4)
    before = s.journal
    with pytest.raises(ScheduleError, match=r"step 2, split\(C, axis=i, factor=2\).*already split"):
        s.restore([*before, Step("split", "C", {"axis": "i", "factor": 2})])
    assert s.journal == before


def test_a_copy_is_independent() -> None:
    inputs, outputs = matmul()
    s = schedule_for(outputs)
    s["C"].split("i", factor=4)
    t = s.copy()
    t["C"].unroll("i.inner")
    assert len(s.journal) == 1
    assert structural_equal(tewb.lower(s, inputs + outputs), tewb.lower(s.copy(), inputs + outputs))


def test_what_is_in_doubt_is_in_doubt_in_a_copy_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps that are right for certain are done again unasked, in a copy of the copy too."""
    s = schedule_for(matmul()[1])
    s["C"].tile("i", "j", 4, 4)
    asked: list[object] = []
    ask = PrimitiveCall.refusal
    monkeypatch.setattr(PrimitiveCall, "refusal", lambda call: (asked.append(call), ask(call))[1])
    copy_ = s.copy().copy()
    assert copy_.journal == s.journal and not asked
    s.doubts[0] = Refusal("later", later=True)
    s.copy()
    assert len(asked) == 1


def test_python_copies_a_schedule_with_its_stages() -> None:
    A = te.placeholder((8,), name="A")
    C = te.compute((8,), lambda i: A[i] + 1.0, name="C")
    s = te.create_schedule(C.op)
    s[C].split("i", factor=4)
    other = copy.copy(s)
    other[C].vectorize("i.inner")
    assert (len(s.journal), len(other.journal)) == (1, 2)
    assert "vectorize" not in s[C].loops() and "vectorize" in other[C].loops()


def test_stages_are_in_the_order_in_which_they_can_be_computed() -> None:
    s = schedule_for(chain()[1])
    assert [stage.name for stage in s.stages] == ["A", "B", "C", "D"]
    assert [stage.name for stage in s["B"].readers()] == ["C", "D"]
    assert [stage.name for stage in s["D"].reads()] == ["C", "B"]


def test_a_stage_is_found_by_tensor_operation_name_and_itself() -> None:
    _, (P, Q) = two_outputs()
    s = te.create_schedule([P.op, Q.op])
    assert len(s.output_stages) == 1
    assert s[P] is s[Q] is s[P.op] is s["PQ"] is s[s["PQ"]]
    assert s.find("nothing") is None and s.find(7) is None


def test_what_is_no_stage_is_named_with_those_there_are() -> None:
    s = schedule_for(chain()[1])
    other = te.placeholder((3,), name="Z")
    with pytest.raises(ScheduleError, match="Z is not a stage of this schedule") as e:
        s[other]
    assert e.value.hint == "it has A, B, C, D"


def test_stages_of_one_name_are_numbered() -> None:
    A = te.placeholder((4,), name="A")
    first = te.compute((4,), lambda i: A[i] + 1.0, name="B")
    second = te.compute((4,), lambda i: first[i] + 1.0, name="B")
    s = te.create_schedule(second.op)
    assert [stage.name for stage in s.stages] == ["A", "B", "B_1"]
    assert s[second].name == "B_1"


@pytest.mark.parametrize(
    ("given", "said"),
    [(3, "create_schedule takes C.op or C, not 3"), ([], "needs at least one output"), (["C"], "not 'C'")],
)
def test_what_is_no_output_is_refused(given: Any, said: str) -> None:
    with pytest.raises(ScheduleError, match=said) as e:
        te.create_schedule(given)
    assert "te.create_schedule(C.op)" in (e.value.hint or "")


def test_an_output_that_is_given_twice_is_one() -> None:
    _, (D,) = chain()
    assert len(te.create_schedule([D, D.op]).outputs) == 1


def test_sizes_of_symbolic_programs() -> None:
    n, m = te.var("n"), te.var("m", "int64")
    A = te.placeholder((n, m, 3), name="A")
    B = te.compute((n, m), lambda i, j: A[i, j, 0], name="B")
    s = te.create_schedule(B.op)
    assert s.size_vars() == [n, m]
    s[B].split("i", factor=4)
    assert [script(e) for e in s.extents(s[B]).values()] == ["n", "m", "4", "(n + 3) // 4"]


def test_a_refused_step_is_no_part_of_the_journal() -> None:
    s = schedule_for(matmul()[1])
    version = s.version
    with pytest.raises(ScheduleError, match="teleport is not a primitive") as e:
        s.apply(Step("teleport", "C"))
    assert "split" in (e.value.hint or "")
    assert (s.journal, s.version) == ((), version)


def test_words_about_a_step_are_kept() -> None:
    s = schedule_for(matmul()[1])
    s.apply(Step("split", "C", {"axis": "i", "factor": 4}, name="rows", note="four at once"))
    assert [(step.name, step.note, step.results) for step in s.journal] == [
        ("rows", "four at once", ("i.outer", "i.inner"))
    ]


def test_a_refused_restore_of_other_steps_brings_back_the_first_ones() -> None:
    s = schedule_for(matmul()[1])
    s["C"].split("i", factor=4)
    before = s["C"].loops()
    with pytest.raises(ScheduleError, match="step 2, parallel.C, axis=k"):
        s.restore([Step("unroll", "C", {"axis": "j"}), Step("parallel", "C", {"axis": "k"})])
    assert s["C"].loops() == before and [step.primitive for step in s.journal] == ["split"]
