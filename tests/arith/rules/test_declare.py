"""How rules are declared: by name and formula, and tried in order in the tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tewb.arith import RULES, Analyzer
from tewb.arith.rules import FAMILIES, SCALARS, VECTORS, WHOLE
from tewb.arith.rules.declare import rule
from tewb.base import BOOL
from tewb.ir import Expr, Not, Var


@pytest.fixture
def tables() -> Iterator[None]:
    """The tables are afterwards as they were."""
    kept = [dict(t) for t in (WHOLE, SCALARS, VECTORS, RULES)]
    groups = [{c: [(g, list(rs)) for g, rs in t[c]] for c in t} for t in (WHOLE, SCALARS, VECTORS)]
    yield
    for table, before in zip((WHOLE, SCALARS, VECTORS), groups, strict=True):
        table.clear()
        table.update(before)
    RULES.clear()
    RULES.update(kept[3])


def test_every_rule_has_a_formula_and_its_place() -> None:
    for name, r in RULES.items():
        assert r.name == name and " -> " in r.formula, name
        for c in r.classes:
            tables = [t for t in (WHOLE, SCALARS, VECTORS) if any(r in rs for _, rs in t.get(c, ()))]
            assert len(tables) == 1, (name, c)


def test_every_family_has_rules_of_its_own() -> None:
    for family in FAMILIES:
        assert any(r.apply.__module__ == family.__name__ for r in RULES.values()), family


def test_a_new_rule_is_applied_last(tables: None) -> None:
    p = Var("p", BOOL)

    @rule(Not)
    def not_p(e: Not, facts: Analyzer) -> Expr | None:
        """not p  ->  p     as nobody should say

        More words are no part of the formula.
        """
        return p if e.a is p else None

    assert RULES["not_p"].formula == "not p -> p as nobody should say"
    assert [r.name for _, rs in SCALARS[Not] for r in rs][-1] == "not_p"
    assert Analyzer().simplify(Not(p, BOOL)) is p


def test_rules_of_one_view_are_a_group_and_see_it(tables: None) -> None:
    seen: list[Any] = []

    def view(e: Any, facts: Analyzer) -> Any:
        seen.append(e)
        return "view"

    def first(v: str, facts: Analyzer) -> Expr | None:
        """a  ->  b"""
        seen.append(v)
        return None

    def second(v: str, facts: Analyzer) -> Expr | None:
        """b  ->  c"""
        seen.append(v)
        return None

    for f in (first, second):
        rule(Not, given=view)(f)
    assert SCALARS[Not][-1][0] is view and len(SCALARS[Not][-1][1]) == 2
    e = Not(Var("p", BOOL), BOOL)
    assert Analyzer().simplify(e) is e
    assert seen == [e, "view", "view"]


def test_a_rule_without_a_formula_or_of_a_taken_name_is_refused(tables: None) -> None:
    def nameless(e: Not, facts: Analyzer) -> Expr | None:
        return None

    def double_negation(e: Not, facts: Analyzer) -> Expr | None:
        """a  ->  b"""
        return None

    for f in (nameless, double_negation):
        with pytest.raises(AssertionError, match="needs a formula, and its own name"):
            rule(Not)(f)
