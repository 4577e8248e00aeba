"""Sums divided by an expression: its multiples, and the rest."""

from __future__ import annotations

import pytest

from tewb.arith import Analyzer
from tewb.arith.rules.symbolic_divisors import by_symbol
from tewb.base import INT32
from tewb.ir import Buffer, Expr, FloorDiv, FloorMod, Var, const, load, script

n, m, x, y = (Var(name, INT32) for name in "nmxy")


def parts(a: Expr, d: Expr, facts: Analyzer | None = None) -> tuple[str, str] | None:
    """The multiples of `d` in `a`, and the rest."""
    facts = facts or Analyzer()
    division = by_symbol(FloorDiv(a, d, INT32), facts)
    return (
        None if division is None else (script(facts.canonical(division.whole, INT32)), script(division.rest))
    )


@pytest.mark.parametrize(
    ("a", "d", "wanted"),
    [
        (x * n + y, n, ("x", "y")),
        (x * n * 3 + y - n, n, ("x * 3 - 1", "y")),
        (x * n * m + y * m, m, ("n * x + y", "0")),
        (n + 5, n, ("1", "5")),
        (n * n, n, ("n", "0")),
        (x + y, n, ("0", "x + y")),
        (x * (m // 2) + y, m // 2, ("x", "y")),
    ],
    ids=str,
)  # fmt: skip
def test_terms_with_the_factor_and_without(a: Expr, d: Expr, wanted: tuple[str, str]) -> None:
    assert parts(a, d) == wanted


def test_has_multiples_is_told() -> None:
    a = Analyzer()
    for e, has in ((x * n + y, True), (n + 1, True), (x + 1, False), (n - n + x, False)):
        division = by_symbol(FloorMod(e, n, INT32), a)
        assert division is not None and division.has_multiples is has


def test_a_number_is_no_symbol() -> None:
    assert parts(x * 4 + y, const(4)) is None


def test_what_may_wrap_is_not_taken_apart() -> None:
    a, data = Analyzer(), load(Buffer("A", INT32, (const(9),)), (x,))
    assert parts(data * n + y, n) is None and parts(x * n, data + 1) is None
    with a.values():
        assert parts(x * n + y, n, a) is None
    for v in (n, x, y):
        a.bind(v, 0, 100)
    with a.values():
        assert parts(x * n + y, n, a) == ("x", "y")


def test_a_rest_that_may_wrap_is_none() -> None:
    a = Analyzer()
    a.bind(y, 2**31 - 5, 2**31 - 1)
    a.bind(x, -500, -100)
    a.bind(n, 1, 50)
    assert parts(x * n + y + 5, n, a) is None
