"""The timeline: what undo and redo lead to, whatever came before."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from tewb.schedule import RecipeCall, Step
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


def recipes(*runs: int) -> Any:
    """A journal of steps, of which each run was made by a call; runs of 1 are steps of their own."""
    made: list[Step] = []
    for n in runs:
        call = RecipeCall("tiled", {})
        made += [Step("split", "C", {"n": len(made) + i}, calls=(call,) if n > 1 else ()) for i in range(n)]
    return tuple(made)


def test_what_a_recipe_made_is_followed_undone_and_redone_as_one() -> None:
    journal = recipes(1, 3, 2)
    t = Timeline(())
    assert t.follow(journal)
    assert [len(past) for past in t.past] == [0, 1, 4]
    t.back()
    assert len(t.now) == 4 and t.ahead == journal[4:]
    t.back()
    assert len(t.now) == 1 and t.ahead == journal[1:]
    t.jump(6)
    assert t.now == journal
    started = Timeline(journal)
    assert started.before == journal[:4]


def test_a_jump_into_a_recipe_goes_on_with_the_rest_of_it() -> None:
    journal = recipes(1, 3, 2)
    t = Timeline(())
    t.follow(journal)
    t.jump(2)
    assert t.now == journal[:2] and t.ahead[0] == journal[2]
    t.forward()
    assert t.now == journal[:4]
    t.jump(0)
    t.jump(3)
    assert t.now == journal[:3] and t.future
    while t.future:
        t.forward()
    assert t.now == journal


def test_steps_that_become_a_recipe_are_a_change() -> None:
    t = Timeline(recipes(1, 1))
    before, call = t.now, RecipeCall("tiled", {})
    t.change(tuple(replace(s, calls=(call,)) for s in before))
    assert t.past == [before] and t.now[0].calls == (call,)
    t.back()
    assert t.now[0].calls == ()
