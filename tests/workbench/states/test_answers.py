"""Advice and explanations as they are sent."""

from __future__ import annotations

import pytest

from tests.workbench.judge.test_next_steps import MACHINE
from tewb.runtime import Timing
from tewb.workbench.demos import demo_session
from tewb.workbench.judge.estimate import Machine
from tewb.workbench.measure.try_steps import Tried
from tewb.workbench.session import Session
from tewb.workbench.states.answers import QUESTIONS, AdviceList, advice_state, why_state
from tewb.workbench.states.schema import as_json, json_schema


@pytest.fixture(autouse=True)
def a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same peaks everywhere, and no time to measure them."""
    monkeypatch.setattr(Machine, "here", staticmethod(lambda dtype="float32": MACHINE))


def advice_of(session: Session) -> AdviceList:
    *_, found = advice_state(session)
    assert found is not None
    return found


def test_advice_carries_the_steps_that_answer_it() -> None:
    found = advice_of(demo_session("matmul", n=64))
    strided = next(f for f in found.findings if f.kind == "strided")
    assert (strided.stage, strided.loop) == ("C", "k") and strided.steps[0]["primitive"] == "reorder"
    assert strided.steps_text == "reorder(C, axes=[k, j])"


def test_without_loops_there_is_a_problem() -> None:
    s = demo_session("matmul", n=16)
    s.args = s.args[:1]
    s.schedule.version += 1
    assert "not among the arguments" in (advice_of(s).problem or "")


def test_what_to_try_next_comes_with_its_steps_and_with_other_factors() -> None:
    found = advice_of(demo_session("matmul", n=256))
    first = found.next[0]
    assert first.kind == "register tile" and first.stage == "C" and first.gain > 5
    assert first.steps[-1]["primitive"] == "vectorize" and "vectorize(C, axis=j.inner)" in first.steps_text
    assert first.others and first.others[0][0]["primitive"] in ("split", "cache_write")
    assert found.standing.startswith("at ") and found.share is not None and found.tried == ()
    assert set(as_json(found)) == set(json_schema(AdviceList)["$defs"]["AdviceList"]["properties"])


def test_what_was_tried_is_told() -> None:
    s = demo_session("matmul", n=64)
    steps = s.advise(MACHINE).next[0].steps
    s.settle(Tried(steps, (), 0.5, timing=Timing((1.0,))))
    found = advice_of(s)
    assert len(found.tried) == 1 and "2 times as slow, taken back" in found.tried[0]
    assert all(n.steps_text not in found.tried[0] for n in found.next)


@pytest.mark.parametrize("what", QUESTIONS)
def test_every_question_has_an_answer(what: str) -> None:
    s = demo_session("blur", n=64)
    s.apply({"primitive": "split", "stage": "Y", "args": {"axis": "i", "factor": 7}})
    found = why_state(s, what, "Y", "i.outer")
    assert found.question and found.answer


def test_a_question_about_nothing_says_so() -> None:
    assert "no" in why_state(demo_session("matmul", n=8), "bound", "Z", None).answer


def test_where_no_loop_is_chosen_the_innermost_is_explained() -> None:
    session = demo_session("matmul", n=32)
    assert why_state(session, "bound", "C", None) == why_state(session, "bound", "C", "k")
