"""The engine of simplification: what is an index and what a value, branches under their conditions, what is recorded."""

from __future__ import annotations

from tewb.arith import Analyzer, explain_simplify, unlikely
from tewb.base import BOOL, INT32
from tewb.ir import And, Buffer, Call, Expr, Let, Or, Var, const, load, ops, script

x, y = Var("x", INT32), Var("y", INT32)
p, q = Var("p", BOOL), Var("q", BOOL)
A = Buffer("A", INT32, (const(9),))


def simple(e: Expr) -> str:
    return script(Analyzer().simplify_value(e))


def test_a_simple_expression_comes_back_as_itself() -> None:
    a = Analyzer()
    for e in (x, x + y, ops.maximum(x, y), ops.select(ops.less(x, y), x, y), load(A, (x,))):
        assert a.simplify(e) is e and a.simplify(a.simplify(e)) is e


def test_in_a_value_what_may_wrap_is_kept_and_in_its_indices_it_is_not() -> None:
    e = ops.floordiv(x * 4, 4)
    assert simple(e) == "x * 4 // 4" and script(Analyzer().simplify_index(e)) == "x"
    assert simple(load(A, (e,)) + e) == "A[x] + x * 4 // 4"


def test_each_branch_of_a_choice_knows_its_condition() -> None:
    e = ops.if_then_else(x > 3, ops.maximum(x, 2), ops.minimum(x, 9))
    assert simple(e) == "x"
    e = ops.if_then_else(x > 3, ops.mul(ops.maximum(x, 2), 5), ops.minimum(x, 9))
    assert simple(e) == "T.if_then_else(x > 3, x * 5, x)"
    both = ops.select(x > 3, ops.maximum(x, 2), ops.minimum(x, 9))  # both sides of a select are evaluated
    assert simple(both) == script(both)


def test_a_decided_choice_is_its_branch() -> None:
    assert simple(ops.if_then_else(ops.less(x - x, 1), x, y)) == "x"
    assert simple(Call("if_then_else", (const(False), x, y), INT32)) == "y"


def test_connectives_stop_where_the_first_decides() -> None:
    assert simple(And(const(False), q, BOOL)) == "T.bool(False)"
    assert simple(Or(const(True), q, BOOL)) == "T.bool(True)"
    assert simple(And(ops.less(x - x, 1), q, BOOL)) == "q"


def test_the_value_of_a_name_bounds_it() -> None:
    t = Var("t", INT32)
    body = ops.minimum(t, const(100))
    assert simple(Let(t, x % 8, body, INT32)) == script(Let(t, x % 8, t, INT32))
    assert "min" in simple(Let(t, x, body, INT32))


def test_a_guard_compares_indices_and_a_choice_of_a_user_values() -> None:
    cond = ops.likely(ops.less(x * 4, 8))
    assert simple(cond) == "T.likely(x < 2)"
    assert simple(ops.if_then_else(cond, x, y)).startswith("T.if_then_else(T.likely(x * 4 < 8)")


def test_hints_are_taken_off_where_values_are_compared() -> None:
    assert unlikely(ops.likely(p)) is p and unlikely(p) is p
    assert script(unlikely(And(ops.likely(p), ops.likely(q), BOOL))) == "p and q"
    either = Or(ops.likely(p), q, BOOL)
    assert unlikely(either) is either


def test_changes_are_explained_from_the_inside_out_and_conditions_are_not() -> None:
    a = Analyzer()
    a.bind(y, 0, 3)
    changes = explain_simplify(ops.minimum((x * 4 + y) // 4, x + 1), a)
    assert [c.rule.name for c in changes] == ["quotient_of_a_bounded_rest", "order_of_min_and_max"]
    assert script(changes[-1].after) == "x"
    assert explain_simplify(x + y, a) == []


def test_an_explanation_does_not_change_what_is_known() -> None:
    a = Analyzer()
    e = ops.minimum(x, x + 1)
    first = a.explain_simplify(e)
    assert a.simplify(e) is x
    assert [c.rule.name for c in a.explain_simplify(e)] == [c.rule.name for c in first] != []


def test_an_expression_that_choices_share_is_not_simplified_under_every_mixture_of_conditions() -> None:
    e: Expr = x
    for n in range(24):  # in 2**24 ways
        e = ops.if_then_else(ops.less(Var(f"y{n}", INT32), 3), e + 1, e - 1)
    assert Analyzer().simplify_value(e).dtype is INT32
