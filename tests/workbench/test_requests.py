"""Every request: what it does, what it says, and how it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tewb.workbench.demos import demo_session
from tewb.workbench.requests import REQUESTS, ask, schema_of_requests

SPLIT = {"primitive": "split", "stage": "C", "args": {"axis": "j", "factor": 8}}
VECTORIZE = {"primitive": "vectorize", "stage": "C", "args": {"axis": "j.inner"}}


def names(session: Any) -> list[str]:
    return [s.primitive for s in session.journal]


def test_steps_are_done_together_or_not_at_all() -> None:
    s = demo_session("matmul", n=32)
    refused = ask(
        s, "do", {"steps": [SPLIT, {"primitive": "vectorize", "stage": "C", "args": {"axis": "nope"}}]}
    )
    assert not refused.ok and refused.refused and "it has no axis nope" in refused.refused.message
    assert names(s) == [] and not s.can_undo and not s.can_redo
    done = ask(s, "do", {"steps": [SPLIT, VECTORIZE]})
    assert done.said == "split(C, axis=j, factor=8), then vectorize(C, axis=j.inner)"
    assert ask(s, "undo").ok and names(s) == ["split"]


def test_undo_and_redo_say_when_there_is_nothing() -> None:
    s = demo_session("matmul", n=32)
    assert ask(s, "undo").refused.message == "there is nothing more to take back"  # type: ignore[union-attr]
    ask(s, "do", {"steps": [SPLIT]})
    assert ask(s, "undo").said == "undone" and ask(s, "redo").said == "done again"
    assert "nothing more to do again" in ask(s, "redo").refused.message  # type: ignore[union-attr]


def test_the_step_that_is_named_is_deleted() -> None:
    s = demo_session("matmul", n=32)
    ask(
        s,
        "do",
        {
            "steps": [
                SPLIT,
                VECTORIZE,
                {"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 4}},
            ]
        },
    )
    assert ask(s, "delete", {"step": 3}).said == "deleted step 3, split(C, axis=i, factor=4)"
    stuck = ask(s, "delete", {"step": 1})
    assert not stuck.ok and "vectorize" in stuck.refused.text and names(s) == ["split", "vectorize"]  # type: ignore[union-attr]
    assert (
        ask(s, "delete", {"step": 1, "force": True}).said.endswith("and 1 that depended on it")
        and names(s) == []
    )
    assert "there is no step 9" in ask(s, "delete", {"step": 9}).refused.message  # type: ignore[union-attr]


def test_a_mark_goes_as_it_came() -> None:
    s = demo_session("matmul", n=32)
    ask(s, "do", {"steps": [SPLIT, VECTORIZE]})
    what = {"stage": "C", "loop": "j.inner", "primitive": "vectorize"}
    assert ask(s, "unmark", what).found is True and names(s) == ["split"]
    assert ask(s, "unmark", what).found is False and names(s) == ["split"]


def test_the_journal_is_walked_and_noted() -> None:
    s = demo_session("matmul", n=32)
    ask(s, "do", {"steps": [SPLIT, VECTORIZE]})
    assert ask(s, "jump", {"step": 1}).said == "after step 1" and names(s) == ["split"]
    assert ask(s, "jump", {"step": 0}).said == "before the first step"
    assert ask(s, "jump", {"step": 2}).ok
    assert ask(s, "label", {"step": 1, "note": "eight lanes"}).ok and s.journal[0].note == "eight lanes"
    assert ask(s, "reset").said == "back to the start"


def test_a_step_is_moved() -> None:
    s = demo_session("matmul", n=32)
    ask(s, "do", {"steps": [SPLIT, {"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 4}}]})
    assert ask(s, "move", {"step": 2, "to": 1}).said == "step 2 is step 1 now"
    assert s.journal[0].args["axis"] == "i"


def test_branches_and_the_pin() -> None:
    s = demo_session("matmul", n=32)
    assert ask(s, "branch", {"name": "wide"}).ok and s.on_branch == "wide"
    assert ask(s, "switch", {"name": "main"}).ok and ask(s, "delete_branch", {"name": "wide"}).ok
    assert ask(s, "pin").said == "pinned the schedule of 0 steps" and ask(s, "unpin").ok and s.pinned is None


@pytest.mark.parametrize("what", ["code", "share", "json", "program"])
def test_what_is_exported_can_be_loaded(what: str) -> None:
    s, other = demo_session("matmul", n=32), demo_session("matmul", n=32)
    ask(s, "do", {"steps": [SPLIT, VECTORIZE]})
    text = ask(s, "export", {"what": what}).found
    if what == "program":
        assert "te.create_schedule" in text
        return
    assert ask(other, "load", {"text": text}).said == "loaded 2 steps" and other.journal == s.journal


def test_what_is_no_schedule_is_not_loaded() -> None:
    s = demo_session("matmul", n=32)
    refused = ask(s, "load", {"text": "s[C].splt(i)"})
    assert not refused.ok and refused.refused and refused.refused.text


def test_questions_change_nothing() -> None:
    s = demo_session("matmul", n=32)
    assert (
        "would race"
        in ask(s, "why_not", {"step": {"primitive": "parallel", "stage": "C", "args": {"axis": "k"}}}).found
    )
    assert ask(s, "why_not", {"step": SPLIT}).found is None
    assert ask(s, "preview", {"step": SPLIT}).found["loops"] == ["C: i(32), j.outer(4), j.inner(8), k(32)"]
    assert names(s) == []


def test_the_budget_grows() -> None:
    s = demo_session("blur", n=32)
    assert (
        "allocated bytes of X <= 64"
        in ask(s, "expect", {"what": "bytes", "relation": "<=", "limit": 64, "stage": "X"}).said
    )


def test_running_says_what_was_found() -> None:
    s = demo_session("matmul", n=16)
    assert ask(s, "verify").found["test"] == "same"
    found = ask(s, "measure", {"repeat": 1})
    assert found.found["contestants"][0]["ok"] and "result equals numpy's" in found.said


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("unto", {}, "did you mean undo"),
        ("jump", {}, "it takes step"),
        ("undo", {"x": 1}, "it takes nothing"),
    ],
)
def test_wrong_requests_teach(name: str, arguments: dict[str, Any], said: str) -> None:
    refused = ask(demo_session("matmul", n=8), name, arguments).refused
    assert refused is not None and said in refused.hint


def test_every_request_has_a_schema_and_words() -> None:
    schema = schema_of_requests()
    assert set(schema) == set(REQUESTS) and all(s["doc"].endswith(".") for s in schema.values())
    assert schema["jump"]["arguments"]["required"] == ["step"]


def test_minimise_of_what_is_right_is_refused() -> None:
    s = demo_session("matmul", n=16)
    refused = ask(s, "minimise").refused
    assert refused is not None and "is not different" in refused.message
