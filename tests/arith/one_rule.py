"""One rule of simplification by itself: what it makes of an expression, and whether that has the same value."""

from __future__ import annotations

from collections.abc import Mapping

from tests.arith.grid import on_grid
from tewb.arith import RULES, Analyzer
from tewb.arith.rules import SCALARS, VECTORS, WHOLE, Rule
from tewb.ir import Expr, Var, script

Ends = tuple[int | None, int | None]


def apply(name: str, e: Expr, facts: Analyzer | None = None) -> Expr | None:
    """The result of the rule `name` for `e`, whose operands are as they are; None where it does not apply."""
    facts = facts or Analyzer()
    for table in (WHOLE, SCALARS, VECTORS):
        for given, rules in table.get(type(e), ()):
            if RULES[name] in rules:
                view = e if given is None else given(e, facts)
                return None if view is None else _applied(RULES[name], view, facts)
    raise AssertionError(f"{name} is no rule for {type(e).__name__}")


def _applied(rule: Rule, view: object, facts: Analyzer) -> Expr | None:
    after = rule.apply(view, facts)
    assert after is None or isinstance(after, Expr)
    return after


def becomes(name: str, e: Expr, ranges: Mapping[Var, Ends] | None = None, values: bool = False) -> str | None:
    """`apply` as text, with variables in `ranges`; a result must have the value of `e` for all numbers of these. Where a
    range has no end, -6 and 6 stand for it."""
    facts = Analyzer()
    for v, (lo, hi) in (ranges or {}).items():
        facts.bind(v, lo, hi)
    with facts.values(values):
        after = apply(name, e, facts)
    if after is None:
        return None
    if ranges and e.dtype.lanes == 1:
        numbers = {v: (-6 if lo is None else lo, 6 if hi is None else hi) for v, (lo, hi) in ranges.items()}
        assert (on_grid(e, numbers) == on_grid(after, numbers)).all(), f"{script(e)} -> {script(after)}"
    return script(after)
