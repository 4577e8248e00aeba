"""The journal as it is shown: steps, what can be redone, branches, the pin, times."""

from __future__ import annotations

import tewb
from tests.workbench.journal.sessions import recipes
from tewb.schedule import RECIPES
from tewb.workbench.demos import demo_session
from tewb.workbench.desk import Desk
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


def test_a_recipe_is_judged_anew_when_one_inside_of_it_is_defined_anew() -> None:
    with recipes():

        @tewb.recipe
        def rows(s, C, f=8):  # type: ignore[no-untyped-def]
            s[C].split(s[C].op.axis[0], f)

        @tewb.recipe
        def both(s, C, f=8):  # type: ignore[no-untyped-def]
            RECIPES["rows"](s, C, f=f)
            s[C].vectorize(s[C].op.axis[1])

        s = demo_session("matmul", n=64)
        both(s.schedule, "C")
        s.sync()
        desk = Desk(s)
        assert states(desk) == [("both", "same"), ("rows", "same")]
        assert desk.look("journal", {})["code"] == 'both(s, "C")\n'

        @tewb.recipe
        def rows(s, C, f=8):  # type: ignore[no-untyped-def]  # noqa: F811
            s[C].split(s[C].op.axis[0], 2 * f)

        assert states(desk) == [("both", "changed"), ("rows", "changed")]
        code = desk.look("journal", {})["code"]
        assert "\nboth(" not in f"\n{code}"
        fresh = demo_session("matmul", n=64)
        fresh.load(code)
        assert fresh.journal == s.journal


def test_a_recipe_is_judged_anew_when_one_that_it_calls_becomes_known() -> None:
    with recipes():

        @tewb.recipe
        def rows(s, C, f=8):  # type: ignore[no-untyped-def]
            s[C].split(s[C].op.axis[0], f)

        s = demo_session("matmul", n=64)
        rows(s.schedule, "C", f=4)
        s.sync()
        s.apply({"primitive": "vectorize", "stage": "C", "args": {"axis": "j"}})
        s.make_recipe("mine", 1, 2)
        saved = s.to_json()
        del RECIPES["rows"], RECIPES["mine"]
        desk = Desk(demo_session("matmul", n=64))
        desk.session.load(saved)
        assert states(desk) == [("mine", "changed"), ("rows", "unknown")]
        RECIPES["rows"] = rows
        assert states(desk) == [("mine", "same"), ("rows", "same")]
        assert desk.look("journal", {})["code"].endswith("\nmine(s, C)\n")


def states(desk: Desk) -> list[tuple[str, str]]:
    return [(r["name"], r["state"]) for r in desk.look("journal", {})["recipes"]]


def test_a_step_that_is_noted_keeps_its_time() -> None:
    s = demo_session("matmul", n=8)
    s.apply({"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 4}})
    s.measure(repeat=1)
    before = journal_state(s).steps[0].seconds
    s.label_step(1, note="fits the cache")
    (after,) = journal_state(s).steps
    assert before is not None and after.seconds == before and after.note == "fits the cache"
