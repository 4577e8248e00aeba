"""The journal as it is shown: steps, what can be redone, branches, the pin, times."""

from __future__ import annotations

from tewb.workbench.demos import demo_session
from tewb.workbench.states.journal import journal_state

SPLIT = {"primitive": "split", "stage": "C", "args": {"axis": "j", "factor": 8}}


def test_steps_done_and_taken_back() -> None:
    s = demo_session("matmul", n=32)
    s.apply(SPLIT, {"primitive": "vectorize", "stage": "C", "args": {"axis": "j.inner"}})
    s.label_step(1, note="lanes")
    s.undo()
    j = journal_state(s)
    assert [(x.number, x.ahead, x.note) for x in j.steps] == [(1, False, "lanes"), (2, True, "")]
    assert j.steps[0].text == "split(C, axis=j, factor=8)" and j.steps[0].step["args"] == {
        "axis": "j",
        "factor": 8,
    }
    assert j.can_undo and j.can_redo and j.share == "C:split(j,8)" and "s[C].split(j, factor=8)" in j.code


def test_branches_and_the_pin() -> None:
    s = demo_session("matmul", n=32)
    s.apply(SPLIT)
    s.pin()
    s.branch("wide")
    j = journal_state(s)
    assert [(b.name, b.steps, b.current) for b in j.branches] == [("main", 1, False), ("wide", 1, True)]
    assert (j.pinned_at, j.pinned_steps) == (1, 1)
    s.undo()
    assert (journal_state(s).pinned_at, journal_state(s).pinned_steps) == (None, 1)


def test_a_step_that_was_measured_has_its_time() -> None:
    s = demo_session("matmul", n=16)
    s.apply(SPLIT)
    assert journal_state(s).steps[0].seconds is None
    s.measure(repeat=1, cold=False)
    assert (journal_state(s).steps[0].seconds or 0) > 0
