"""The controls under the journal: each does one thing to the session, and they follow it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.workbench.journal.sessions import applied, session, steps
from tewb.workbench.views.journal_controls import JournalControls


def controls(text: str = "C:split(i,8);C:split(j,16);C:vectorize(j.inner)") -> tuple[Any, Any, list[str]]:
    """A session, its controls, and what they said."""
    s = applied(session(), text)
    said: list[str] = []

    def do(action: Callable[[], Any], what: str) -> None:
        assert action() is True
        said.append(what)

    return s, JournalControls(s, do), said


def press(c: Any, name: str) -> None:
    (button,) = [b for box in c.children for b in box.children if b.description == name]
    button.click()


def test_a_step_is_gone_to_deleted_and_moved() -> None:
    s, c, said = controls()
    c.step.value = 1
    press(c, "Jump")
    assert len(s.journal) == 1 and len(s.ahead) == 2 and c.step.max == 3
    c.step.value = 3
    press(c, "Jump")
    c.step.value = 2
    press(c, "Earlier")
    assert s.journal[0].args["axis"] == "j" and said == ["jumped", "jumped", "moved"]
    c.step.value = 1
    press(c, "Later")
    assert s.journal[0].args["axis"] == "i"
    c.step.value = 1
    press(c, "Delete step")
    assert steps(s) == ["split(C, axis=j, factor=16)", "vectorize(C, axis=j.inner)"] and said[-1] == "deleted"


def test_notes_and_branches() -> None:
    s, c, said = controls()
    c.step.value, c.note.value = 2, "tiles"
    press(c, "Keep note")
    assert s.journal[1].note == "tiles"
    c.name.value = "other"
    press(c, "Branch off")
    assert s.on_branch == "other" == c.branches.value and list(c.branches.options) == list(s.branches)
    c.branches.value = next(b for b in s.branches if b != "other")
    assert s.on_branch != "other" and said[-1] == f"on branch {s.on_branch}"


def test_controls_follow_what_others_do_and_say_nothing_then() -> None:
    s, c, said = controls()
    s.undo()
    assert (c.step.value, c.step.max) == (2, 3)
    s.branch("other")
    assert c.branches.value == "other" and said == []
