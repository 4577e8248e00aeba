"""The source of recipes: what a program that stands alone can define, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import tewb
from tests.workbench.journal.sessions import TILED, session
from tewb import te
from tewb.schedule import RECIPES
from tewb.workbench.journal.recipe_source import source_of, stands_alone, with_those_inside, written_sources

FACTOR = 8


@tewb.recipe
def alone(s, C, x=4):  # type: ignore[no-untyped-def]
    return s[C].split(s[C].op.axis[0], x)


@tewb.recipe
def calls_alone(s, C):  # type: ignore[no-untyped-def]
    alone(s, C)


@tewb.recipe
def needs_a_name(s, C):  # type: ignore[no-untyped-def]
    s[C].split(s[C].op.axis[0], FACTOR)


@tewb.recipe
def needs_a_default(s, C, x=FACTOR):  # type: ignore[no-untyped-def]
    s[C].split(s[C].op.axis[0], x)


@tewb.recipe
def uses_te(s, C, axis: tewb.tir.IterVar):  # type: ignore[no-untyped-def]
    s[C].bind(axis, te.thread_axis("threadIdx.x"))


OWN = {r.name: r for r in (alone, calls_alone, needs_a_name, needs_a_default, uses_te)}

for name in OWN:
    del RECIPES[name]  # other tests do not have them


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    before = dict(RECIPES)
    RECIPES.update(OWN)
    yield
    RECIPES.clear()
    RECIPES.update(before)


def test_what_needs_more_than_te_and_tewb_does_not_stand_alone() -> None:
    assert [name for name, r in OWN.items() if stands_alone(r)] == ["alone", "calls_alone", "uses_te"]


def test_recipes_come_after_those_that_they_call() -> None:
    assert with_those_inside([calls_alone]) == [alone, calls_alone]
    assert (source_of(calls_alone) or "").startswith("@tewb.recipe\ndef calls_alone(s, C):")


def test_only_texts_of_the_workbench_are_kept_with_steps() -> None:
    s = session(TILED)
    made = s.make_recipe("tiled", 1, 2)
    assert written_sources(s.journal) == [made.source]
    t = session()
    calls_alone(t.schedule, "C")
    assert written_sources(t.journal) == []


def test_a_program_defines_recipes_or_writes_their_steps() -> None:
    s = session()
    needs_a_name(s.schedule, s.args[2])
    assert "needs_a_name(s, C)" in s.schedule_code
    assert "# needs_a_name(C)\n" in s.code and "s[C].split(i, factor=8)" in s.code
    t = session(TILED)
    t.make_recipe("tiled", 1, 4)
    scope: dict[str, Any] = {}
    exec(t.code, scope)
    assert scope["s"].journal == t.journal and [c.recipe for c in scope["s"].journal[0].calls] == ["tiled"]
