"""The iterations in which a condition holds, compared with trying every one."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tewb.arith import Analyzer
from tewb.arith.intset import interval
from tewb.base import DType
from tewb.ir import Buffer, Expr, IntImm, Var, const, const_int, load, ops, script, substitute
from tewb.lowering.iterations import Ends, at_least, at_most, iterations_where

INT32 = DType("int32")
v, j, n = (Var(name, INT32) for name in "vjn")


def where(below: Expr | None, inner: Any = None, unknown: Any = (), analyzer: Analyzer | None = None) -> Any:
    return iterations_where(below, v, inner or {}, unknown, analyzer or Analyzer())


@pytest.mark.parametrize(
    ("slope", "start"), [*itertools.product([-7, -3, -1, 1, 2, 5], [-11, -5, -1, 0, 1, 4, 10])]
)
def test_the_ends_are_those_that_trying_finds(slope: int, start: int) -> None:
    ends = where(v * slope + start)
    (known,) = [e for e in (ends.begin, ends.end) if e is not None]
    assert (ends.begin is None) == (slope > 0)
    edge = const_int(known)
    assert edge is not None
    for i in range(-15, 16):
        assert (slope * i + start < 0) == (i < edge if slope > 0 else i >= edge)


def test_the_worst_of_the_loops_inside_counts() -> None:
    ends = where(v * 32 + j - n, {j: interval(const(0), const(32))})
    assert ends == Ends(None, ends.end) and script(ends.end) == "n // 32"
    ends = where(j - v, {j: interval(const(0), const(4))})  # j < v for all j: from 4 on
    assert script(ends.begin) == "4" and ends.end is None


@pytest.mark.parametrize(
    "below",
    [None, n - 5, v * v - 3, v * n - 3, j * v, load(Buffer("A", INT32, (IntImm(9, INT32),)), (v,))],
    ids=[
        "nothing",
        "another variable",
        "a square",
        "a symbolic slope",
        "a slope of a loop inside",
        "elements",
    ],
)
def test_a_condition_that_does_not_move_evenly_has_no_ends(below: Expr | None) -> None:
    assert where(below, {j: interval(const(0), const(4))}) is None


def test_what_is_unknown_before_the_loop_has_no_ends() -> None:
    assert where(v - n, unknown={n}) is None
    assert where(v - n, unknown={j}) is not None


@pytest.mark.parametrize(("least", "most", "smaller"), [(0, 9, "n"), (10, 12, "10"), (0, 12, "T.min(n, 10)")])
def test_the_smaller_and_the_larger_are_told_where_they_can_be(least: int, most: int, smaller: str) -> None:
    analyzer = Analyzer()
    analyzer.bind(n, least, most)
    assert script(at_most(n, const(10), analyzer)) == smaller
    larger = {"n": "10", "10": "n"}.get(smaller, "T.max(n, 10)")
    assert script(at_least(n, const(10), analyzer)) == larger
    for value in range(least, most + 1):
        e = substitute(at_most(n, const(10), analyzer), {n: const(value)})
        assert const_int(analyzer.simplify(e)) == min(value, 10)


def test_equal_ones_are_either() -> None:
    assert at_most(n, n, Analyzer()) is n and at_least(n, n, Analyzer()) is n
    assert script(ops.sub(at_most(n + 1, n, Analyzer()), at_least(n, n - 1, Analyzer()))) == "n - n"
