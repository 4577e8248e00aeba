"""States that were made before are found again, and only where they would be made the same."""

from __future__ import annotations

import gc
from typing import Any

import pytest

import tewb
from tests.workbench.journal.sessions import recipes
from tewb import te
from tewb.schedule import Recipe
from tewb.workbench import Session
from tewb.workbench.demos import demo_session
from tewb.workbench.states import known, views
from tewb.workbench.states.known import MOST, KnownStates
from tewb.workbench.states.views import VIEWS, look

SPLIT = {"primitive": "split", "stage": "C", "args": {"axis": "j", "factor": 8}}


def split(factor: int) -> dict[str, Any]:
    return {"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": factor}}


def state(states: KnownStates, view: str, **options: Any) -> Any:
    *_, found = states.look_in_pieces(view, options)
    return found


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The views that were made, in order."""
    names: list[str] = []

    def noted(session: Session, name: str, options: Any) -> Any:
        names.append(name)
        return views.look_in_pieces(session, name, options)

    monkeypatch.setattr(known, "look_in_pieces", noted)
    return names


def test_undo_and_redo_find_the_states_of_their_steps(made: list[str]) -> None:
    s = demo_session("matmul", n=32)
    states = KnownStates(s)
    before = state(states, "loops")
    s.apply(SPLIT)
    after = state(states, "loops")
    s.undo()
    assert state(states, "loops") is before
    s.redo()
    assert state(states, "loops") is after and before != after and made == ["loops", "loops"]


def test_each_choice_of_options_has_a_state() -> None:
    s = demo_session("matmul", n=32)
    states = KnownStates(s)
    te_, ir = state(states, "code", form="TE"), state(states, "code")
    assert te_ != ir and state(states, "code", form="TE") is te_


@pytest.mark.parametrize(
    "view", [name for name, v in VIEWS.items() if v.depends_on and name not in ("llvm", "advice")]
)
def test_what_is_found_is_what_would_be_made(view: str) -> None:
    options: dict[str, Any] = {"actions": {"stage": "C"}, "primitives": {"stage": "C"}}.get(view, {})
    if view == "why":
        options = {"what": "bound", "stage": "C", "loop": "k"}
    s = demo_session("matmul", n=32)
    states = KnownStates(s)
    for change in (
        lambda: s.apply(SPLIT),
        s.undo,
        lambda: s.apply(split(4)),
        s.undo,
        s.redo,
        s.undo,
        lambda: s.apply(SPLIT),
    ):
        change()
        assert state(states, view, **options) == look(s, view, options)


def test_a_pin_makes_another_comparison() -> None:
    s = demo_session("matmul", n=32)
    states = KnownStates(s)
    s.pin()
    s.apply(SPLIT)
    first = state(states, "code", against="pinned")
    s.pin()
    second = state(states, "code", against="pinned")
    assert first["marks"] and not second["marks"]


def test_sizes_and_the_budget_are_looked_at_again() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    s = Session(te.create_schedule(B.op), [A, B], sizes={"n": 8})
    states = KnownStates(s)
    assert state(states, "cost")["lines"][0]["iterations"] == 8
    s.sizes["n"] = 16
    assert state(states, "cost")["lines"][0]["iterations"] == 16
    assert state(states, "memory")["budget"] == []
    s.expect("bytes", "<=", 4096)
    assert len(state(states, "memory")["budget"]) == 1


def test_what_is_wrong_is_looked_at_again(made: list[str]) -> None:
    s = demo_session("matmul", n=32)
    states = KnownStates(s)
    for _ in range(2):
        assert state(states, "code", form="no such form")["problem"]
    assert made == ["code", "code"]


def test_a_state_that_an_edit_overtook_is_not_kept(made: list[str]) -> None:
    s = demo_session("matmul", n=32)
    states = KnownStates(s)
    pieces = states.look_in_pieces("actions", {"stage": "C"})
    next(pieces)
    s.apply(SPLIT)
    list(pieces)
    assert state(states, "actions", stage="C") == look(s, "actions", {"stage": "C"})
    s.undo()
    assert state(states, "actions", stage="C") == look(s, "actions", {"stage": "C"})
    assert made == ["actions"] * 3


def test_the_states_of_a_few_journals_are_kept(made: list[str]) -> None:
    s = demo_session("matmul", n=32)
    states = KnownStates(s)
    state(states, "loops")
    for k in range(MOST):
        s.apply(split(2 + k))
        state(states, "loops")
        s.undo()
    assert len(states._journals) == MOST
    made.clear()
    s.apply(split(2 + MOST - 1))
    state(states, "loops")
    assert made == []


def test_a_recipe_that_is_defined_anew_has_other_fields_although_it_is_at_the_place_of_the_old_one() -> None:
    with recipes():

        def define(name: str) -> Recipe:
            scope: dict[str, Any] = {}
            exec(f"def tiled(s, C, {name}=4): s[C].split(s[C].op.axis[0], {name})", scope)
            return tewb.recipe(scope["tiled"])

        states_ = KnownStates(demo_session("matmul", n=32))
        for i in range(12):
            define(f"x{i}")
            gc.collect()
            shown = state(states_, "primitives", stage="C")
            form = next(f for f in shown if f["name"] == "tiled")
            assert [field["name"] for field in form["fields"]][-1] == f"x{i}"


def test_after_other_arguments_nothing_old_is_found() -> None:
    session = demo_session("blur", n=16)
    states = KnownStates(session)
    before = state(states, "memory")
    session.args = [*session.args, session.schedule["X"].op.output(0)]  # what was allocated is given
    after = state(states, "memory")
    assert before != after and after == state(KnownStates(session), "memory")


def test_the_program_as_python_has_the_name_of_now() -> None:
    s = demo_session("matmul", n=32)
    states_ = KnownStates(s)
    assert 'name="main"' in state(states_, "python")["text"]
    s.name = "product"
    assert 'name="product"' in state(states_, "python")["text"]


@pytest.mark.parametrize("view", [v.name for v in VIEWS.values() if v.depends_on and v.name != "advice"])
def test_after_another_name_nothing_old_is_found(view: str) -> None:
    s = demo_session("matmul", n=8)
    s.name = "matmul"
    options = {"actions": {"stage": "C"}, "primitives": {"stage": "C"}, "why": {"what": "bound", "stage": "C", "loop": "i"}}.get(view, {})  # fmt: skip
    kept = KnownStates(s)
    list(kept.look_in_pieces(view, options))
    s.name = "product"
    *_, state = kept.look_in_pieces(view, options)
    assert state == look(s, view, options) and "matmul" not in str(state)
