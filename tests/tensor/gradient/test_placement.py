"""Loops over the solutions of equations: all of them, each once, and few others."""

from __future__ import annotations

import random
from itertools import product
from typing import Any

import pytest

from tewb import te
from tewb.arith import Analyzer
from tewb.ir import Var, const, const_int, ops, substitute
from tewb.tensor.gradient.equations import NoSolution, System, Unknown
from tewb.tensor.gradient.forms import Forms
from tewb.tensor.gradient.placement import Solution, placed

x, y = te.var("x"), te.var("y")


def solved(equations: Any, ranges: dict[Var, tuple[int, int]], most: int) -> Solution | None:
    facts = Analyzer()
    for v, (low, n) in ranges.items():
        facts.bind(v, low, low + n - 1)
    for v in (x, y):
        facts.bind(v, 0, most)
    forms = Forms(set(ranges), facts)
    zero = [forms.of(e) for e in equations]
    unknowns = {v: Unknown(v, const(low), const(n)) for v, (low, n) in ranges.items()}
    for v, (first, last) in forms.ranges.items():
        extent = None if first is None or last is None else const(last - first + 1)
        unknowns[v] = Unknown(v, const(first or 0), extent, implied=v in forms.quotients)
    system = System(unknowns, [*(z for z in zero if z is not None), *forms.equations], facts, frozenset())
    system.eliminate()
    return placed(system)


def number(e: Any, at: dict[Var, int]) -> int:
    value = const_int(Analyzer().simplify(substitute(e, {v: const(n) for v, n in at.items()})))
    assert value is not None
    return value


def enumerated(s: Solution, unknowns: list[Var], at: dict[Var, int]) -> list[tuple[int, ...]]:
    """The values of the unknowns in the iterations for which the conditions hold."""
    ranges = []
    for u in s.loops:
        assert u.extent is not None
        low = number(u.low, at)
        ranges.append(range(low, low + number(u.extent, at)))
    found = []
    for values in product(*ranges):
        here = {**at, **{u.var: n for u, n in zip(s.loops, values, strict=True)}}
        if number(ops.all_of(*s.conditions), here):
            found.append(tuple(number(s.values[v], here) for v in unknowns))
    return sorted(found)


def test_a_convolution_with_stride_takes_few_iterations() -> None:
    i, r = te.var("i"), te.var("r")
    s = solved([i * 2 + r - x], {i: (0, 8), r: (0, 3)}, 17)
    assert s is not None
    assert [(u.var.name, str(u.extent)) for u in s.loops] == [("i", "2")]
    assert (str(s.values[i]), str(s.values[r])) == ("x // 2 - i", "x % 2 + i * 2")


def test_quotients_and_remainders_are_put_together() -> None:
    i = te.var("i")
    s = solved([i // 8 - x, i % 8 - y], {i: (0, 64)}, 7)
    assert s is not None and not s.loops
    assert str(s.values[i]) == "x * 8 + y"


def test_a_range_that_is_not_known() -> None:
    i = te.var("i")
    facts = Analyzer()
    system = System({i: Unknown(i, const(0), None)}, [], facts, frozenset())
    assert placed(system) is None


@pytest.mark.one_in(6)
@pytest.mark.parametrize("seed", range(24))
def test_random_systems(seed: int) -> None:
    rand = random.Random(seed)
    i, j, k = te.var("i"), te.var("j"), te.var("k")
    ranges = {v: (rand.randrange(2), rand.randrange(1, 6)) for v in (i, j, k)}

    def index() -> Any:
        e = sum((v * rand.randrange(-2, 4) for v in (i, j, k)), const(rand.randrange(-1, 3)))
        return rand.choice([e, e, e // 2, e % 3])

    indices = [index(), index()]
    try:
        s = solved([indices[0] - x, indices[1] - y], ranges, 9)
    except NoSolution:
        s = Solution(conditions=[const(False, "bool")], values={v: const(0) for v in ranges})
    assert s is not None
    for at in product(range(0, 10, 3), range(0, 10, 4)):
        want = []
        for values in product(*(range(low, low + n) for low, n in ranges.values())):
            here = dict(zip(ranges, values, strict=True))
            if tuple(number(e, here) for e in indices) == at:
                want.append(values)
        assert enumerated(s, list(ranges), {x: at[0], y: at[1]}) == sorted(want)
