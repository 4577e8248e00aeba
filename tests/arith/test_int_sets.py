"""Sets of integers: each fact of the classic rules, and random expressions against all of their values."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from tests.arith.grid import on_grid
from tewb import arith, te, tir
from tewb.arith import IntervalSet, IntSet
from tewb.arith.int_sets import neg_inf, pos_inf, union_lower_bound
from tewb.base import TewbError
from tewb.ir import Range, const_int, structural_equal

x, y, z = te.var("x"), te.var("y"), te.var("z")


def of(e: Any, known: Any) -> str:
    """The set of an expression, as a text; y is at least 1."""
    analyzer = arith.Analyzer()
    analyzer.update(y, arith.ConstIntBound(1, 100))
    s = analyzer.int_set(e, known)
    return f"{s.min_value} .. {s.max_value}"


ten = IntervalSet(0, 10)


@pytest.mark.parametrize(
    ("e", "known", "expected"),
    [
        (x + z, {x: ten}, "z .. z + 10"),
        (x - z, {x: ten, z: IntervalSet(1, 11)}, "-11 .. 9"),
        (x - x, {x: ten}, "0 .. 0"),
        (x * y, {x: ten}, "0 .. y * 10"),
        (x * -2, {x: IntervalSet(1, 10)}, "-20 .. -2"),
        (x * z, {x: IntervalSet(-2, 3), z: IntervalSet(-5, 4)}, "-15 .. 12"),
        (x * z, {x: IntervalSet(1, 3)}, "T.min(z, z * 3) .. T.max(z, z * 3)"),
        (x // y, {x: ten}, "0 .. 10 // y"),
        (x // -2, {x: IntervalSet(1, 9)}, "-5 .. -1"),
        (te.truncdiv(x, 2), {x: IntervalSet(-3, 9)}, "-1 .. 4"),
        (x // z, {x: ten}, "neg_inf .. pos_inf"),
        (te.truncmod(x, y), {x: ten}, "0 .. y - 1"),
        (te.truncmod(x, 10), {x: IntervalSet(2, 9)}, "2 .. 9"),
        (te.truncmod(x, 10), {x: IntervalSet(-2, 9)}, "-9 .. 9"),
        (x % 10, {x: IntervalSet(-10, 10)}, "0 .. 9"),
        (x % 10, {x: IntervalSet(13, 15)}, "3 .. 5"),
        (x % 10, {x: IntervalSet(3, 11)}, "0 .. 9"),
        (x % 8, {x: IntervalSet(z * 8 + 2, z * 8 + 5)}, "2 .. 5"),
        (te.max(x, 3), {x: IntervalSet(neg_inf(), 7)}, "3 .. 7"),
        (te.min(x, z), {}, "T.min(x, z) .. T.min(x, z)"),
        (te.min(x, 3), {x: IntervalSet(0, pos_inf())}, "0 .. 3"),
        (te.select(x > 0, x - 1, x + 1), {x: ten}, "-1 .. 11"),
        (x + z, {x: IntervalSet(0, z), z: IntervalSet(2, 5)}, "2 .. 10"),
        (x + 1, {x: Range.from_min_extent(2, 4)}, "3 .. 6"),
        (x.astype("int64") * 3, {x: IntervalSet(1, 2)}, "T.int64(3) .. T.int64(6)"),
        (te.if_then_else(x > 3, x, 7), {x: ten}, "0 .. 10"),
        (x + 1, {x: IntervalSet(neg_inf(), 3)}, "neg_inf .. 4"),
        (te.select(x > z, te.const(1), te.const(2)), {x: ten}, "1 .. 2"),
    ],
)  # fmt: skip
def test_the_set_of_an_expression(e: Any, known: Any, expected: str) -> None:
    assert of(e, known) == expected


def test_without_sets_the_known_ranges_are_taken() -> None:
    analyzer = arith.Analyzer()
    analyzer.bind(x, Range.from_min_extent(2, 4))
    analyzer.bind(y, Range.from_min_extent(z, 8))
    s = analyzer.int_set(x + y)
    assert structural_equal(s.min_value, z + 2) and structural_equal(s.max_value, z + 12)


def test_axes_name_their_variables() -> None:
    k = te.reduce_axis((0, 8), name="k")
    assert of(k + 1, {k: IntervalSet(0, 7)}) == "1 .. 8"


def test_sets_by_their_names() -> None:
    assert (const_int(IntSet.single_point(4).min_value), const_int(IntSet.single_point(4).max_value)) == (
        4,
        4,
    )
    v = IntSet.vector(tir.Ramp(10, 3, 2))
    assert (const_int(v.min_value), const_int(v.max_value)) == (10, 13)
    everything, nothing = IntervalSet(neg_inf(), pos_inf()), IntervalSet(pos_inf(), neg_inf())
    assert everything.is_everything() and not everything.is_nothing()
    assert nothing.is_nothing() and IntervalSet(3, 2).is_nothing() and not IntervalSet(3, 3).is_nothing()
    assert repr(IntervalSet(x, 2)) == "IntervalSet[x, 2]"
    assert arith.Analyzer().can_prove_equal(everything.max_value, pos_inf())


def test_a_union_of_sets_that_touch() -> None:
    u = union_lower_bound([IntervalSet(neg_inf(), 0), IntervalSet(1, pos_inf())])
    assert u.is_everything()
    u = union_lower_bound([IntervalSet(0, 3), IntervalSet(9, 12), IntervalSet(x, x), IntervalSet(4, 8)])
    assert (const_int(u.min_value), const_int(u.max_value)) == (0, 12)
    assert union_lower_bound([]).is_nothing()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: IntervalSet(0.5, 1), "from an integer to an integer, and .* is float32"),
        (lambda: IntervalSet(te.var("n", "float32"), 1), "an integer"),
        (lambda: of(x, {x: "0..3"}), "'0..3' is no set of integers"),
    ],
)
def test_what_is_no_set_is_refused(wrong: Any, said: str) -> None:
    with pytest.raises(TewbError, match=said):
        wrong()


# ---------------------------------------------------------------- all values

RANGES = {x: (-7, 9), y: (1, 6), z: (-4, 5)}


def random_expression(r: random.Random, depth: int) -> Any:
    if depth == 0 or r.random() < 0.1:
        return r.choice([x, y, z, te.const(r.randint(-6, 6))])
    a, b = random_expression(r, depth - 1), random_expression(r, depth - 1)
    n = r.choice([-5, -3, -1, 1, 2, 4, 7])
    return r.choice(
        [
            lambda: a + b, lambda: a - b, lambda: a * n, lambda: a * b, lambda: a // n, lambda: a // y, lambda: a % abs(n),
            lambda: a % y, lambda: te.min(a, b), lambda: te.max(a, b), lambda: te.select(a < b, a, b),
        ]
    )()  # fmt: skip


def test_random_sets_hold_all_values() -> None:
    r = random.Random(7)
    tight = 0
    for _ in range(300):
        e = random_expression(r, 3)
        known = {v: IntervalSet(*RANGES[v]) for v in r.sample([x, z], r.randint(1, 2))}
        analyzer = arith.Analyzer()
        for v in RANGES.keys() - known.keys():
            analyzer.bind(v, *RANGES[v])
        s = analyzer.int_set(e, known)
        values = on_grid(e, RANGES)
        for end, is_below in ((s.min_value, True), (s.max_value, False)):
            if end is not neg_inf() and end is not pos_inf():
                bound = on_grid(end, RANGES)
                assert (bound <= values).all() if is_below else (bound >= values).all(), (e, s, known)
                tight += bool((bound == values).any())
    assert tight > 300


def test_regions_that_are_boxes_and_those_that_are_covered() -> None:
    r = random.Random(3)
    exact = 0
    for _ in range(200):
        start = x * r.choice([1, 2, 3, -4]) + y * r.choice([0, 1, 2, 6]) + z * r.choice([0, 0, 1, -5])
        extent = r.randint(1, 4)
        var_dom = {
            v: Range.from_min_extent(r.randint(-2, 2), n)
            for v, n in zip(RANGES, r.sample(range(1, 6), 3), strict=True)
        }
        ranges = {
            v: (int(d.min), int(d.min) + int(d.extent) - 1)  # type: ignore[call-overload]
            for v, d in var_dom.items()
        }
        covered = {int(n) + k for n in np.unique(on_grid(start, ranges)) for k in range(extent)}
        region = [Range.from_min_extent(start, extent)]
        (upper,) = arith.estimate_region_upper_bound(region, var_dom)
        lo, hi = const_int(upper.min_value), const_int(upper.max_value)
        assert lo == min(covered) and hi == max(covered)
        strict = arith.estimate_region_strict_bound(region, var_dom)
        if strict is not None:
            exact += 1
            lo, hi = const_int(strict[0].min_value), const_int(strict[0].max_value)
            assert lo is not None and hi is not None and set(range(lo, hi + 1)) == covered
    assert exact > 20


def test_dimensions_that_share_a_variable_are_no_box() -> None:
    var_dom = {x: Range.from_min_extent(0, 4)}
    diagonal = [Range.from_min_extent(x, 1), Range.from_min_extent(x, 1)]
    assert arith.estimate_region_lower_bound(diagonal, var_dom, True) is None
    rows = [Range.from_min_extent(x, 1), Range.from_min_extent(z * 2, 3)]
    strict = arith.estimate_region_strict_bound(rows, var_dom, x < 4)
    assert strict is not None and [str(s) for s in strict] == [
        "IntervalSet[0, 3]",
        "IntervalSet[z * 2, z * 2 + 2]",
    ]
    assert arith.estimate_region_strict_bound(rows, var_dom, x < 3) is None
    (upper, _) = arith.estimate_region_upper_bound(rows, var_dom, x < 3)
    assert str(upper) == "IntervalSet[0, 2]"
