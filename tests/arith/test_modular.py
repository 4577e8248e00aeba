"""Remainders: classic facts, and random expressions against all of their values."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from tests.arith.grid import on_grid
from tewb import arith, te, tir
from tewb.arith import ModularSet
from tewb.arith.modular import both, either
from tewb.ir import Let, const_int

x, y, z = te.var("x"), te.var("y"), te.var("z")


@pytest.mark.parametrize(
    ("e", "coeff", "base"),
    [
        (x * 6 + y * 4, 2, 0),
        ((x * 4 + 2) * (y * 6 + 1), 4, 2),
        (1 - (x * 4 + 1), 4, 0),
        ((x * 3 + 1).astype("int64"), 3, 1),
        ((x * 128 + y * 4) % 256, 4, 0),
        ((x * 4 + 2) // 2, 2, 1),
        (te.truncdiv(x * 4 + 2, 2), 1, 0),
        ((x * 4 + 1) % 4, 0, 1),
        (te.min(x * 3, y * 9), 3, 0),
        (te.max(x * 3 + 1, y * 9 + 4), 3, 1),
        (te.select(x > 0, x * 3 + 1, y * 9 + 2), 1, 0),
        (te.select(x > 0, te.const(7), te.const(11)), 4, 3),
        (Let(x, y * 10, x + 1, x.dtype), 10, 1),
        (te.const(7), 0, 7),
        (x // y, 1, 0),
    ],
)
def test_remainders(e: Any, coeff: int, base: int) -> None:
    assert arith.Analyzer().modular_set(e) == ModularSet(coeff, base)


def test_division_that_rounds_toward_zero_needs_a_sign() -> None:
    analyzer = arith.Analyzer()
    analyzer.update(x, arith.ConstIntBound(0, 100))
    assert analyzer.modular_set(te.truncdiv(x * 4 + 2, 2)) == ModularSet(2, 1)
    assert analyzer.modular_set(te.truncmod(x * 8 + 3, 4)) == ModularSet(0, 3)


def test_a_variable_has_the_remainders_of_its_value() -> None:
    analyzer = arith.Analyzer()
    analyzer.bind(y, x * 4 + 1)
    assert analyzer.modular_set(1 - y) == ModularSet(4, 0)


def test_conditions_tell_remainders_in_their_block() -> None:
    analyzer = arith.Analyzer()
    with analyzer.constraint_scope(tir.all(x % 3 == 2, te.const(3) == x % 5)):
        with analyzer.constraint_scope(tir.likely(x % 7 == 2)):
            assert analyzer.modular_set(x) == ModularSet(105, 23)
            assert analyzer.can_prove(x % 35 == 23) and const_int(analyzer.simplify(x % 21)) == 2
        assert analyzer.modular_set(x) == ModularSet(15, 8)
    assert analyzer.modular_set(x) == ModularSet(1, 0)


def test_known_remainders_simplify() -> None:
    analyzer = arith.Analyzer()
    analyzer.update(x, ModularSet(8, 3))
    assert const_int(analyzer.simplify(x % 8)) == const_int(analyzer.simplify((x + y * 4) % 4)) == 3
    assert const_int(analyzer.rewrite_simplify((x * 2 + 1) % 16 + 1)) == 8
    assert analyzer.can_prove(x % 4 == 3) and not analyzer.can_prove(x % 16 == 3)


def test_sets_together() -> None:
    r = random.Random(1)
    for _ in range(300):
        p, q = [
            ModularSet(n, r.randrange(n)) if (n := r.randint(0, 12)) else ModularSet(0, r.randint(-9, 9))
            for _ in "pq"
        ]
        numbers = range(-400, 400)
        in_p, in_q = [
            {n for n in numbers if (n - s.base) % s.coeff == 0} if s.coeff else {s.base} for s in (p, q)
        ]
        common, union = both(p, q), either(p, q)
        found = set() if common is None else {n for n in numbers if _is_in(n, common)}
        assert found == in_p & in_q
        assert all(_is_in(n, union) for n in in_p | in_q)


def _is_in(n: int, s: ModularSet) -> bool:
    return (n - s.base) % s.coeff == 0 if s.coeff else n == s.base


def random_expression(r: random.Random, depth: int) -> Any:
    if depth == 0 or r.random() < 0.1:
        return r.choice([x, y, z, te.const(r.randint(-6, 12))]) * r.choice([1, 2, 3, 4, 6])
    a, b = random_expression(r, depth - 1), random_expression(r, depth - 1)
    n = r.choice([-6, -4, -2, 1, 2, 3, 4, 8])
    return r.choice(
        [
            lambda: a + b, lambda: a - b, lambda: a * n, lambda: a * b, lambda: a // n, lambda: a % abs(n), lambda: a % n,
            lambda: te.min(a, b), lambda: te.max(a, b), lambda: te.select(a < b, a, b), lambda: a // y,
        ]
    )()  # fmt: skip


def test_random_expressions_have_their_remainders() -> None:
    r = random.Random(11)
    ranges = {x: (-9, 9), y: (1, 7), z: (-6, 8)}
    told = 0
    for _ in range(300):
        analyzer = arith.Analyzer()
        e = random_expression(r, 3)
        values = on_grid(e, ranges)
        mask = np.ones_like(values, bool)
        for v in r.sample([x, z], r.randint(0, 2)):
            step = r.randint(2, 6)
            fact = ModularSet(step, r.randrange(step))
            analyzer.update(v, fact)
            mask &= on_grid(v, ranges) % step == fact.base
        s = analyzer.modular_set(e)
        chosen = values[mask]
        assert ((chosen - s.base) % s.coeff == 0).all() if s.coeff else (chosen == s.base).all(), (e, s)
        np.testing.assert_array_equal(on_grid(analyzer.simplify(e), ranges)[mask], chosen, err_msg=str(e))
        told += s.coeff != 1
    assert told > 100
