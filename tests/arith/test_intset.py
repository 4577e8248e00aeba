"""Symbolic intervals cover what an index can be, compared with all values of the variables."""

from __future__ import annotations

import pytest

from tests.arith.grid import on_grid
from tewb.arith import Analyzer
from tewb.arith.intset import Interval, eval_set, interval, largest_extent, point, relaxed, union
from tewb.base import INT32, DType
from tewb.ir import Buffer, Expr, Var, const, const_int, load, ops, script, substitute

i, j, n = (Var(name, INT32) for name in "ijn")
RANGES = {i: interval(const(0), const(5)), j: interval(const(-2), const(4))}
NUMBERS = {i: (0, 4), j: (-2, 1)}


def ends(x: Interval | None) -> tuple[str, str, int | None]:
    assert x is not None
    lo, hi = (Analyzer().simplify(e) for e in (x.lo, x.hi))
    return script(lo), script(hi), x.width


@pytest.mark.parametrize(
    "e",
    [
        i, i + j, i - j, i * 3 - 7, j * -2, i // 2, (i + j) // 3, (j + 1) // 2, i % 8, j % 3, (i * 4 + 1) % 4, ops.minimum(i, 3),
        ops.maximum(j, 0), ops.maximum(ops.minimum(i + j, 3), 0), ops.select(ops.less(i, 2), i, j + 9),
        ops.if_then_else(ops.less(j, 0), i * 2, const(7)), const(5), i - i, ops.minimum(i, j) - ops.maximum(i, j),
    ],
    ids=script,
)  # fmt: skip
def test_an_interval_covers_every_value_and_its_width_bounds_it(e: Expr) -> None:
    x = eval_set(e, RANGES)
    assert x is not None
    lo, hi = (const_int(Analyzer().simplify(end)) for end in (x.lo, x.hi))
    values = on_grid(e, NUMBERS)
    assert lo is not None and hi is not None and lo <= values.min() and values.max() <= hi
    assert x.width is None or hi - lo <= x.width


def test_simple_intervals_are_tight() -> None:
    assert ends(eval_set(i * 3 - 7, RANGES)) == ("-7", "5", 12)
    assert ends(eval_set(j * -2, RANGES)) == ("-2", "4", 6)
    assert ends(eval_set(i // 2, RANGES)) == ("0", "2", 2)
    assert ends(eval_set(i % 8, RANGES)) == ("0", "4", 4)
    assert ends(eval_set(i % 3, RANGES)) == ("0", "2", 2)


def test_other_variables_stand_for_themselves() -> None:
    assert ends(eval_set(n * 4 + i, RANGES)) == ("n * 4", "n * 4 + 4", 4)
    x = eval_set(n + 1, RANGES)
    assert x is not None and x.is_point
    clamped = eval_set(ops.maximum(ops.minimum(n + i, 9), 0), RANGES)
    assert clamped is not None and clamped.width == 4  # a clamped stencil keeps its size


@pytest.mark.parametrize(
    "e", [i * i, i * n, i // n, i % n, i // -2, load(Buffer("A", INT32, (const(9),)), (i,)), ops.cast(i, "int8")], ids=script
)  # fmt: skip
def test_what_cannot_be_bounded_is_not(e: Expr) -> None:
    assert eval_set(e, RANGES) is None


def test_a_variable_without_a_range_and_elements_are_not_bounded() -> None:
    assert eval_set(n + 1, {n: None}) is None
    assert eval_set(load(Buffer("A", INT32, (const(9),)), (const(0),)), {}) is None
    assert ends(eval_set(ops.cast(i, "int64"), RANGES))[2] == 4


def test_intervals_of_a_number_of_integers() -> None:
    assert interval(n, const(1)).is_point and point(n).width == 0
    assert ends(interval(n, const(3))) == ("n", "n + 2", 2)
    assert interval(const(0), n).width is None and interval(const(0), const(0)).width == 0


def test_relaxed_intervals_cover_all_of_their_variables() -> None:
    x = Interval(i * 2, i * 2 + 3, 3)
    assert ends(relaxed(x, RANGES)) == ("0", "11", 11)
    assert relaxed(x, {}) is x and relaxed(None, RANGES) is None
    assert ends(relaxed(point(i), RANGES)) == ("0", "4", 4)
    assert relaxed(Interval(i * i, i, 0), RANGES) is None


def test_a_union_covers_both_as_far_as_ends_can_be_ordered() -> None:
    a = Analyzer()
    a.bind(n, 0, 100)
    assert ends(union(Interval(const(0), const(3)), Interval(const(2), const(9)), a))[:2] == ("0", "9")
    assert ends(union(Interval(n, n + 3), Interval(n + 1, n + 2), a))[:2] == ("n", "n + 3")
    assert ends(union(Interval(const(-1), n), Interval(n, const(200)), a))[:2] == ("-1", "200")
    lo, hi, _ = ends(union(point(n), point(const(50)), a))
    assert (lo, hi) == ("T.min(n, 50)", "T.max(50, n)")


def test_the_largest_extent_is_found_branch_by_branch() -> None:
    a = Analyzer()
    a.bind(n, 0, 100)
    assert largest_extent(Interval(const(0), const(9)), a) == 10
    assert largest_extent(Interval(n, ops.minimum(n + 7, 20)), a) == 8
    assert largest_extent(Interval(ops.maximum(n - 1, 0), n + 1), a) == 3
    assert largest_extent(Interval(ops.minimum(n, 5), ops.maximum(n + 2, 7)), a) == 98
    assert largest_extent(Interval(const(0), Var("m", DType("int32"))), a) is None
    assert largest_extent(Interval(const(0), Var("m", DType("int32")), 4), a) == 5


def test_substituted_ends_are_those_of_each_value() -> None:
    """With one variable known, the interval over the other one is exact for sums."""
    x = eval_set(i * 3 + j, {j: RANGES[j]})
    assert x is not None
    for value in range(5):
        lo = const_int(Analyzer().simplify(substitute(x.lo, {i: const(value)})))
        assert lo == value * 3 - 2


# ---------------------------------------------------------------- steps


def test_intervals_know_the_steps_of_their_values() -> None:
    ranges = {i: interval(const(0), const(4)), j: interval(const(0), const(3))}

    def steps(e: Expr) -> object:
        x = eval_set(e, ranges)
        assert x is not None
        return x.steps

    assert steps(i * 5 + n) == ((4, 5),) == steps(n - i * 5)
    assert steps(i * 16 + j) == ((3, 1), (4, 16))
    assert steps(i * 3 + j) == ((12, 1),)
    assert steps(i * 5 // 2) is None and steps(ops.maximum(i * 5, 3)) is None
    assert steps(n + 7) == ()
    x = eval_set(n - (i * 5 + j), ranges)
    assert ends(x) == ("n - 17", "n", 17) and x is not None and x.steps == ((3, 1), (4, 5))


def test_what_runs_further_out_adds_its_steps() -> None:
    x = relaxed(
        eval_set(n * 20 + i * 5, {i: interval(const(0), const(2))}), {n: interval(const(0), const(3))}
    )
    assert ends(x) == ("0", "45", 45) and x is not None and x.steps == ((2, 5), (3, 20))


def test_a_remainder_that_passes_no_multiple_is_an_interval() -> None:
    o = Var("o", INT32)
    x = eval_set((o * 8 + i) % 16, {i: interval(const(0), const(8))})
    assert x is not None and (x.width, x.steps) == (7, ((8, 1),))
    for e in (o * 8 + i + 1, o * 6 + i):
        x = eval_set(e % 16, {i: interval(const(0), const(8))})
        assert x is not None and x.width == 15


def test_the_union_of_clamped_intervals_keeps_its_width() -> None:
    analyzer, o = Analyzer(), Var("o", INT32)
    analyzer.bind(n, 0, None)
    ranges = {i: interval(const(0), const(8))}
    x, *others = [eval_set(ops.maximum(ops.minimum(o * 8 + i + d, n - 1), 0), ranges) for d in (-1, 0, 5)]
    for y in others:
        assert x is not None and y is not None
        x = union(x, y, analyzer)
    assert x is not None and x.width == 13 and largest_extent(x, analyzer) == 14
    assert script(analyzer.simplify(x.lo)) == "T.max(T.min(o * 8 - 1, n - 1), 0)"
