"""The timeline: what undo and redo lead to, whatever came before."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tewb.workbench.journal.timeline import Timeline


def timeline(*journals: str) -> Any:
    """A timeline of journals whose steps are letters, after a change to each."""
    t: Any = Timeline(tuple(journals[0]))
    for journal in journals[1:]:
        t.change(tuple(journal))
    return t


def shown(t: Any) -> tuple[str, str, str]:
    """Past, now and future, as the docstring of Timeline writes them."""
    return ", ".join(map("".join, t.past)), "".join(t.now), ", ".join(map("".join, t.future))


def test_undo_and_redo_walk_through_the_changes() -> None:
    t = timeline("", "a", "ab", "abc")
    assert shown(t) == (", a, ab", "abc", "")
    t.back()
    t.back()
    assert shown(t) == ("", "a", "abc, ab")
    t.forward()
    assert shown(t) == (", a", "ab", "abc")


def test_a_change_forgets_what_was_taken_back_and_the_same_journal_is_none() -> None:
    t = timeline("", "a", "ab")
    t.back()
    t.change(("a",))
    assert shown(t) == ("", "a", "ab")
    t.change(("x",))
    assert shown(t) == (", a", "x", "")


def test_undo_without_a_past_drops_the_last_step() -> None:
    t = timeline("ab")
    assert t.before == ("a",)
    t.back()
    assert shown(t) == ("", "a", "ab")
    t.back()
    assert t.before is None and shown(t) == ("", "", "ab, a")


def test_a_journal_that_grew_elsewhere_is_followed_step_by_step() -> None:
    t = timeline("a")
    assert t.follow(tuple("abc")) and shown(t) == ("a, ab", "abc", "")
    assert t.follow(tuple("xy")) and shown(t) == ("a, ab, abc", "xy", "")
    assert not t.follow(tuple("xy"))


@pytest.mark.parametrize(
    ("journals", "ahead"), [(("", "a", "ab"), "ab"), (("", "a", "xy"), "a"), (("", "ab"), "")]
)
def test_what_redo_would_add(journals: tuple[str, ...], ahead: str) -> None:
    t = timeline(*journals)
    while t.past:
        t.back()
    assert "".join(t.ahead) == ahead


def test_a_jump_is_undoing_where_that_leads_there() -> None:
    t = timeline("", "a", "ab", "abc")
    t.jump(1)
    assert shown(t) == ("", "a", "abc, ab")
    t.jump(3)
    assert shown(t) == (", a, ab", "abc", "")


def test_a_jump_elsewhere_is_a_change_that_can_be_redone() -> None:
    t = timeline("", "abc")
    t.jump(1)
    assert shown(t) == (", abc", "a", "abc, ab")
    t.back()
    assert "".join(t.now) == "abc"


def test_a_copy_has_no_future_and_a_past_of_its_own() -> None:
    t = timeline("", "a", "ab")
    t.back()
    copied = t.copy()
    assert shown(copied) == ("", "a", "")
    copied.change(("x",))
    assert shown(t) == ("", "a", "ab")


def test_a_step_is_renewed_wherever_it_is_the_same() -> None:
    t = timeline("", "a", "ab", "xb", "ab", "abc")
    t.back()
    t.relabel(1, "B")
    assert shown(t) == (", a, aB, xb", "aB", "aBc")


def test_random_walks_come_back() -> None:
    rng = random.Random(0)
    for _ in range(50):
        t = timeline("", *("".join(rng.choices("ab", k=rng.randint(0, 3))) for _ in range(5)))
        before, n = shown(t), len(t.past)
        for _ in range(n):
            t.back()
        for _ in range(n):
            t.forward()
        assert shown(t) == before
