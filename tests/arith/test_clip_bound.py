"""What conditions say of variables: classic facts, and random conditions against all values."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from tests.arith.grid import on_grid
from tewb import arith, te, tir
from tewb.arith import IntervalSet, deduce_bound, detect_clip_bound, detect_linear_equation
from tewb.arith.int_sets import neg_inf, pos_inf

a, b, c, d = te.var("a"), te.var("b"), te.var("c"), te.var("d")


@pytest.mark.parametrize(
    ("e", "variables", "expected"),
    [
        (a * 4 + b * 6 + 7, [a], ["4", "b * 6 + 7"]),
        (a * 4 * (a + 1) + b, [a], []),
        (a * 4 + (a + 1) + b * 6 + 7, [a], ["5", "b * 6 + 8"]),
        (a * b + 7, [a], ["b", "7"]),
        (b * 7, [a], ["0", "b * 7"]),
        (b * 7, [], ["b * 7"]),
        (a * b + c, [a, b], []),
        (a * b + b * c, [c, a], ["b", "b", "0"]),
        (a // 2, [a], []),
        (te.var("t", "float32") * 2.0, [a], []),
        (te.var("t", "int64") * 3, [a], ["T.int64(0)", "t * T.int64(3)"]),
    ],
)
def test_linear_equations(e: Any, variables: Any, expected: list[str]) -> None:
    assert [str(n) for n in detect_linear_equation(e, variables)] == expected


def test_axes_are_variables_too() -> None:
    k = te.reduce_axis((0, 4), name="k")
    assert [str(n) for n in detect_linear_equation(k * 3 + 1, [k])] == ["3", "1"]


@pytest.mark.parametrize(
    ("cond", "variables", "expected"),
    [
        (tir.all(a * 1 < b * 6, a - 1 > 0), [a], ["2", "b * 6 - 1"]),
        (tir.all(a * 1 < b * 6, a - 1 > 0), [a, b], []),
        (tir.all(a + 10 * c <= 20, b - 1 > 0), [a, b], ["None", "20 - c * 10", "2", "None"]),
        (tir.all(tir.Not(a * 1 > b * 6), a - 1 > 0), [a], ["2", "b * 6"]),
        (tir.all(tir.Min(a, b) > 3, a - 10 < 0), [a, b], ["4", "9", "4", "None"]),
        (tir.all(b == 3, a == 4), [a, b], ["4", "4", "3", "3"]),
        (tir.any(a < 3, a > 5), [a], []),
        (tir.Not(tir.any(a < 3, a > 5)), [a], ["3", "5"]),
        (a * 3 <= 10, [a], ["None", "3"]),
        (a * -3 <= 10, [a], ["-3", "None"]),
        (tir.all(a < 10, a < b), [a], ["None", "T.min(9, b - 1)"]),
        (tir.likely(a < 10), [a], ["None", "9"]),
        (a + b, [a], []),
        (a != 3, [a], []),
        (tir.all(a < 3, c < 4), [a], []),
    ],
)
def test_clipped_ranges(cond: Any, variables: Any, expected: list[str]) -> None:
    assert [str(n) for n in detect_clip_bound(cond, variables)] == expected


KNOWN = {b: IntervalSet(2, 3), c: IntervalSet(10, 15), d: IntervalSet(-3, -1)}


@pytest.mark.parametrize(
    ("cond", "relaxed", "expected"),
    [
        ((-b) * a + c - d >= 0, {}, "neg_inf .. (d - c) // (b * (-1))"),
        (te.const(0) <= (-b) * a + c - d, {}, "neg_inf .. (d - c) // (b * (-1))"),
        (a * 4 + b < c, {}, "neg_inf .. (c + 3 - b) // 4 - 1"),
        (c > a * 4 + b, {}, "neg_inf .. (c + 3 - b) // 4 - 1"),
        (te.max(5, a * 4) < 0, {}, "pos_inf .. neg_inf"),
        (te.const(0) < te.max(5, a * 4), {}, "pos_inf .. neg_inf"),
        (a + b > 3, {b: KNOWN[b]}, "2 .. pos_inf"),
        (a + b < 3, {b: KNOWN[b]}, "neg_inf .. -1"),
        (a + b, {}, "pos_inf .. neg_inf"),
        (a * 2 - a > b, {}, "pos_inf .. neg_inf"),
        (a * te.var("unknown") > b, {}, "pos_inf .. neg_inf"),
        (a // 8 > 3, {}, "32 .. pos_inf"),
        (a // 8 <= 3, {}, "neg_inf .. 31"),
        (a // -8 > 3, {}, "pos_inf .. neg_inf"),
        (b * 3 + a // 8 < 63, {b: IntervalSet(2, 6)}, "neg_inf .. 359"),
        (b * 3 + a // 8 >= 63, {b: IntervalSet(2, 6)}, "456 .. pos_inf"),
        (a + 3 == c, {}, "c - 3 .. c - 3"),
        (a * 2 == c, {}, "pos_inf .. neg_inf"),
        (a * 2 == c * 4, {}, "c * 2 .. c * 2"),
        (a == b, {b: KNOWN[b]}, "pos_inf .. neg_inf"),
        (a < c, {c: IntervalSet(neg_inf(), 4)}, "pos_inf .. neg_inf"),
    ],
)
def test_the_bound_of_a_variable(cond: Any, relaxed: Any, expected: str) -> None:
    s = deduce_bound(a, cond, KNOWN, relaxed)
    assert f"{s.min_value} .. {s.max_value}" == expected


RANGES = {a: (-30, 30), b: (1, 4), c: (-3, 5)}


def random_side(r: random.Random, depth: int, with_a: bool) -> Any:
    """A sum, product or quotient with one `a` in it, or none."""
    if depth == 0:
        return a if with_a else r.choice([b, c, te.const(r.randint(-5, 5))])
    other = random_side(r, depth - 1, False)
    inner = random_side(r, depth - 1, with_a)
    n = r.choice([-4, -2, 1, 3, 5])
    return r.choice(
        [
            lambda: inner + other, lambda: other + inner, lambda: inner - other, lambda: other - inner, lambda: inner * n,
            lambda: inner * b, lambda: inner // abs(n), lambda: inner // b, lambda: (inner * -1) * b,
        ]
    )()  # fmt: skip


def test_random_bounds_are_right() -> None:
    r = random.Random(5)
    found = exact = 0
    for _ in range(250):
        left, right = random_side(r, 3, True), random_side(r, 1, False)
        if r.random() < 0.3:
            left, right = right, left
        cond = r.choice([left < right, left <= right, left > right, left >= right, left == right])  # type: ignore[comparison-overlap]
        relaxed = {v: IntervalSet(*RANGES[v]) for v in r.sample([b, c], r.randint(0, 2))}
        hints = {v: IntervalSet(*RANGES[v]) for v in (b, c)}
        s = deduce_bound(a, cond, hints, relaxed)
        if s.is_nothing():
            continue
        found += 1
        holds = on_grid(cond, RANGES)
        axes = tuple(i for i, v in enumerate(RANGES) if v in relaxed)
        certain = np.broadcast_to(holds.all(axis=axes, keepdims=True), holds.shape)
        lo = -1000 if s.min_value is neg_inf() else on_grid(s.min_value, RANGES)
        hi = 1000 if s.max_value is pos_inf() else on_grid(s.max_value, RANGES)
        values = on_grid(a, RANGES)
        inside = (values >= lo) & (values <= hi)
        assert (certain | ~inside).all(), (cond, s)
        exact += bool((certain == inside).all())
    assert found > 100 and exact > found // 2


def test_random_clipped_ranges_are_exact() -> None:
    r = random.Random(9)
    for _ in range(150):
        conds = []
        for v in (a, c):
            for _ in range(r.randint(0, 2)):
                side = v * r.choice([-5, -2, -1, 1, 3]) + r.randint(-4, 4)
                bound = b * r.randint(-2, 2) + r.randint(-9, 9)
                conds.append(
                    r.choice([side < bound, side <= bound, bound < side, te.max(side, side - 3) <= bound])
                )
        cond = tir.all(*conds) if conds else te.const(True)
        bounds = detect_clip_bound(cond, [a, c])
        if not conds:
            assert bounds == []
            continue
        inside = np.ones_like(on_grid(a, RANGES), bool)
        for v, low, high in ((a, *bounds[:2]), (c, *bounds[2:])):
            values = on_grid(v, RANGES)
            if low is not None:
                inside &= values >= on_grid(low, RANGES)
            if high is not None:
                inside &= values <= on_grid(high, RANGES)
        np.testing.assert_array_equal(inside, on_grid(cond, RANGES), err_msg=str(cond))


def test_the_names_are_on_the_face() -> None:
    assert arith.detect_linear_equation is detect_linear_equation and arith.deduce_bound is deduce_bound
