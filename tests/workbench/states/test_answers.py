"""Advice and explanations as they are sent."""

from __future__ import annotations

import pytest

from tewb.workbench.demos import demo_session
from tewb.workbench.states.answers import QUESTIONS, advice_state, why_state


def test_advice_carries_the_steps_that_answer_it() -> None:
    found = advice_state(demo_session("matmul", n=64))
    strided = next(f for f in found.findings if f.kind == "strided")
    assert (strided.stage, strided.loop) == ("C", "k") and strided.steps[0]["primitive"] == "reorder"
    assert strided.steps_text == "reorder(C, axes=[k, j])"


def test_without_loops_there_is_a_problem() -> None:
    s = demo_session("matmul", n=16)
    s.args = s.args[:1]
    s.schedule.version += 1
    assert "not among the arguments" in (advice_state(s).problem or "")


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
