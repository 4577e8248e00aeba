"""Facts that follow from a condition."""

from __future__ import annotations

import math

import pytest

from tewb.arith import Analyzer
from tewb.arith.learning import learn
from tewb.base import INT32, DType
from tewb.ir import Buffer, Var, const, load, ops, structural_equal

x, y = Var("x", INT32), Var("y", INT32)
LARGEST = 2**31 - 1


@pytest.mark.parametrize(("low", "factor"), [(-7, 1), (5, 1), (-7, 3), (5, 3), (6, 3), (-6, 3)])
def test_a_bound_that_is_assumed_is_that_bound(low: int, factor: int) -> None:
    v, a = Var("v", INT32), Analyzer()
    with a.assume(ops.greater_equal(ops.mul(v, factor), low)):
        assert a.const_bounds(v) == (math.ceil(low / factor), None)
    with a.assume(ops.less_equal(ops.mul(v, factor), low)):
        assert a.const_bounds(v) == (None, math.floor(low / factor))


def test_a_condition_on_values_says_nothing_of_what_wraps() -> None:
    a = Analyzer()
    with a.assume(x - 5 >= 0, wraps=True):
        assert a.const_bounds(x) == (None, None)  # the smallest number minus 5 is positive
    a.bind(x, 0, None)
    with a.assume(x * 2 >= 1, wraps=True):  # it would be negative if it wrapped
        assert a.const_bounds(x) == (1, LARGEST // 2)
    with a.assume(x * 4 >= 1, wraps=True):  # it would be so, or positive again
        assert a.const_bounds(x) == (0, None)


def test_no_order_of_floats_is_the_opposite_of_another() -> None:
    p, q = Var("p", DType("float32")), Var("q", DType("float32"))
    a = Analyzer()
    with a.assume(ops.logical_not(p < q)):  # NaN
        assert structural_equal(a.simplify(p >= q), p >= q)
    with a.assume(ops.logical_not(ops.equal(p, q))):
        assert structural_equal(a.simplify(ops.not_equal(p, q)), const(True))
    assert not a.can_prove(ops.logical_not(p < q))


def test_all_of_a_conjunction_and_of_a_denied_disjunction_is_learnt() -> None:
    a = Analyzer()
    with a.assume(ops.all_of(x >= 1, x <= 5, y >= x)):
        assert a.const_bounds(x) == (1, 5) and a.can_prove(y - x >= 0)
    with a.assume(ops.logical_not(ops.any_of(x < 1, x > 5))):
        assert a.const_bounds(x) == (1, 5)
    with a.assume(ops.any_of(x >= 1, x >= 2)):
        assert a.const_bounds(x) == (None, None)


def test_an_equation_is_two_bounds_and_its_opposite_none() -> None:
    a = Analyzer()
    with a.assume(ops.equal(x, 7)):
        assert a.const_bounds(x) == (7, 7)
    with a.assume(ops.equal(x * 2, y)):
        assert a.can_prove(x * 2 <= y) and a.can_prove(x * 2 >= y) and not a.can_prove(x * 2 < y)
    with a.assume(ops.not_equal(x, 7)):
        assert a.const_bounds(x) == (None, None) and a.can_prove(ops.not_equal(x, 7))


def test_a_weaker_condition_does_not_widen_a_range() -> None:
    a = Analyzer()
    a.bind(x, 2, 6)
    with a.assume(x <= 100), a.assume(x >= -5):
        assert a.const_bounds(x) == (2, 6)


def test_a_guard_compares_indices_also_among_values() -> None:
    a = Analyzer()
    with a.assume(ops.likely(x * 4 >= 1), wraps=True):
        assert a.const_bounds(x) == (1, None)
    with a.assume(x * 4 >= 1, wraps=True):
        assert a.const_bounds(x) == (None, None)


def test_elements_wrap_in_indices_too() -> None:
    a, e = Analyzer(), load(Buffer("A", INT32, (const(9),)), (x,))
    with a.assume(e - 5 >= 8):
        assert not a.can_prove(e >= 13)  # the smallest number less 5 is a large one
    with a.assume(e + 5 >= 8):
        assert a.can_prove(e >= 3)  # the largest one and 5 is negative
    with a.assume(e >= 3):
        assert a.can_prove(e >= 3)


def test_whether_everything_that_follows_was_found_is_told() -> None:
    a = Analyzer()
    a.bind(x, -5, 5)
    assert learn(a, x >= 0) and learn(a, ops.logical_not(x >= 3))
    with a.values():
        assert not learn(a, y * 4 >= 1)
    assert learn(a, ops.broadcast(ops.less(x, 3), 4))  # nothing follows for scalars
    assert learn(a, ops.less(Var("f", DType("float32")), 1.0))


def test_one_condition_may_say_that_another_does_not_wrap() -> None:
    """In either order: x * 4 wraps only beyond what the second one allows."""
    bounded = ops.all_of(x >= 0, x <= 100)
    for cond in (ops.logical_and(x * 4 >= 8, bounded), ops.logical_and(bounded, x * 4 >= 8)):
        a = Analyzer()
        with a.assume(cond, wraps=True):
            assert a.const_bounds(x) == (2, 100)
