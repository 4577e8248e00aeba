"""The journal as it is shown: steps, what can be redone, branches, the pin, times."""

from __future__ import annotations

from tests.workbench.journal.sessions import recipes
from tewb.schedule import RECIPES
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


def test_recipes_are_lines_with_their_steps() -> None:
    with recipes():
        s = demo_session("matmul", n=32)
        s.load("C:tile(i,j,8,16);C:vectorize(j.inner);C:unroll(i.inner)")
        s.make_recipe("lanes", 2, 1)
        s.make_recipe("tiled", 1, 2)
        shown = journal_state(s).recipes
        assert [(r.first, r.count, r.depth, r.text, r.state) for r in shown] == [
            (1, 2, 0, "tiled(C, x_factor=8, y_factor=16)", "same"),
            (2, 1, 1, "lanes(C, j_inner=j.inner)", "same"),
        ]
        assert [(f.name, f.kind, f.value) for f in shown[0].fields] == [
            ("C", "stage", "C"),
            ("x_factor", "int", "8"),
            ("y_factor", "int", "16"),
        ]
        s.delete_step(2)
        assert [(r.name, r.state) for r in journal_state(s).recipes] == [("tiled", "changed")]
        s.undo()
        RECIPES.clear()
        assert [(r.state, r.fields) for r in journal_state(s).recipes] == [("unknown", ()), ("unknown", ())]


def test_a_step_tells_its_line_and_that_of_the_call() -> None:
    with recipes():
        s = demo_session("matmul", n=32)
        s.load("C:split(i,8)")
        s.make_recipe("rows", 1, 1)
        RECIPES["rows"](s.schedule, "C", factor=4) if s.undo() and s.undo() else None
        s.sync()
        j = journal_state(s)
        assert "in recipe rows, called at" in j.steps[0].where and "test_journal.py" in j.recipes[0].where
