"""Systems of equations of integers."""

from __future__ import annotations

from typing import Any

import pytest

from tewb import te
from tewb.arith import Analyzer
from tewb.ir import const
from tewb.tensor.gradient.equations import NoSolution, System, Unknown
from tewb.tensor.gradient.forms import Forms

i, j, x, y = te.var("i"), te.var("j"), te.var("x"), te.var("y")


def eliminated(*equations: Any, kept: Any = (), long: Any = i) -> System:
    facts = Analyzer()
    forms = Forms({i, j}, facts)
    lengths = {i: 9, j: 9, long: 10}
    unknowns = {v: Unknown(v, const(0), const(n)) for v, n in lengths.items()}
    zero = [forms.of(e) for e in equations]
    s = System(unknowns, [z for z in zero if z is not None], facts, frozenset(kept))
    s.eliminate()
    return s


def text(s: System) -> dict[str, str]:
    return {
        v.name: " + ".join([*(f"{c}*{u.name}" for u, c in f.coefficients.items()), str(f.rest)])
        for v, f in s.given.items()
    }


def test_the_longer_range_goes() -> None:
    assert text(eliminated(i + j - x)) == {"i": "-1*j + x"}
    assert text(eliminated(i + j - x, long=j)) == {"j": "-1*i + x"}


def test_what_ranges_depend_on_stays() -> None:
    assert text(eliminated(i + j - x, kept=[i])) == {"j": "-1*i + x"}


def test_two_equations() -> None:
    assert text(eliminated(i + j - x, i - y)) == {"i": "y", "j": "x - y"}


def test_a_multiple_has_a_condition() -> None:
    s = eliminated(i * 3 - x)
    assert text(s) == {"i": "x // 3"}
    assert [str(c) for c in s.conditions] == ["x % 3 == 0"]


def test_common_factors_are_divided_out() -> None:
    s = eliminated(i * 4 + j * 6 - x)
    assert [str(c) for c in s.conditions] == ["x % 2 == 0"]
    of_i, of_j = s.given[i], s.given[j]
    ((t, c),) = of_i.coefficients.items()
    assert abs(c) == 3 and 4 * c + 6 * of_j.coefficients[t] == 0
    assert str(Analyzer().simplify(of_i.rest * 4 + of_j.rest * 6)) == "x // 2 * 2"


def test_a_contradiction() -> None:
    with pytest.raises(NoSolution):
        eliminated(i - 3, i - 4)
    with pytest.raises(NoSolution):
        eliminated(i * 4 + j * 2 - 3)


def test_equations_that_say_the_same() -> None:
    assert eliminated(i - x, i * 2 - x * 2).conditions == []
