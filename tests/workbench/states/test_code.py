"""Code as one text: what its lines are about, remarks, differences."""

from __future__ import annotations

import pytest

from tewb.workbench.demos import demo_session
from tewb.workbench.states.code import LOWERED, code_state, forms_state

SPLIT = {"primitive": "split", "stage": "C", "args": {"axis": "j", "factor": 8}}


@pytest.mark.parametrize("form", ["TE", "schedule_ops", LOWERED, "assembly"])
def test_every_line_has_its_link(form: str) -> None:
    s = demo_session("matmul", n=32)
    s.apply(SPLIT)
    c = code_state(s, form)
    lines = c.text.split("\n")
    assert c.problem is None and len(c.link_of) == len(lines) == len(s.code_forms.form(form).lines)
    assert max(c.link_of) < len(c.links) and len(set(c.links)) == len(c.links)


def test_a_loop_is_about_its_stage_its_step_and_its_part() -> None:
    s = demo_session("matmul", n=32)
    s.apply(SPLIT)
    c = code_state(s)
    at = next(i for i, line in enumerate(c.text.split("\n")) if "for j.outer in" in line)
    link = c.links[c.link_of[at]]
    assert (link.stage, link.loop, link.steps) == ("C", "j.outer", (0,))
    assert s.code_forms.loop_numbers.number("C", "j.outer") in link.parts
    assert c.remarks[str(at)] == "step 1"


def test_instructions_know_the_line_that_they_compute() -> None:
    c = code_state(demo_session("matmul", n=32), "assembly")
    assert c.kind == "assembly" and c.sources and max(map(int, c.sources)) < len(c.link_of)


def test_a_difference_marks_lines_and_says_what_they_were() -> None:
    s = demo_session("matmul", n=32)
    s.apply(SPLIT)
    c = code_state(s, LOWERED, "before")
    assert c.against.startswith("the schedule before split") and set(c.marks.values()) <= {
        "added",
        "removed",
        "changed",
    }
    assert c.marks and set(c.was) <= set(c.marks)


def test_what_cannot_be_made_is_a_problem() -> None:
    s = demo_session("matmul", n=32)
    assert "there is no form" in (code_state(s, "nope").problem or "")
    assert "no step yet" in (code_state(s, LOWERED, "before").problem or "")
    s.args = s.args[:1]
    s.schedule.version += 1
    assert "not among the arguments" in (code_state(s).problem or "")


def test_the_forms_go_from_te_to_assembly() -> None:
    forms = forms_state(demo_session("matmul", n=32))
    assert [forms[0].name, forms[-1].name] == ["TE", "assembly"]
    (lowered,) = [f for f in forms if f.label == "Lowered IR"]
    assert lowered.name == LOWERED and all(f.doc for f in forms)
