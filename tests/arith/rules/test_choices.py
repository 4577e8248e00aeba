"""Rules for choices: decided ones are one of their branches."""

from __future__ import annotations

import pytest

from tests.arith.one_rule import apply
from tewb.base import BOOL, INT32
from tewb.ir import Broadcast, Buffer, Call, Expr, Ramp, Select, StringImm, Var, const, load, ops

x, y, c = Var("x", INT32), Var("y", INT32), Var("c", BOOL)
FOUR = BOOL.with_lanes(4)
a, b = ops.ramp(x, 1, 4), ops.broadcast(y, 4)


def choice(kind: str, cond: Expr, then: Expr, other: Expr) -> Expr:
    if kind == "select":
        return Select(cond, then, other, then.dtype)
    return Call("if_then_else", (cond, then, other), then.dtype)


@pytest.mark.parametrize("kind", ["select", "if_then_else"])
def test_a_choice_by_a_constant_is_its_branch(kind: str) -> None:
    assert apply("decided_choice", choice(kind, const(True), x, y)) is x
    assert apply("decided_choice", choice(kind, const(False), x, y)) is y


@pytest.mark.parametrize("kind", ["select", "if_then_else"])
def test_an_open_choice_stays_even_between_equals(kind: str) -> None:
    for cond in (c, ops.less(x, y), ops.likely(c)):
        assert apply("decided_choice", choice(kind, cond, x, y)) is None
        assert apply("decided_choice", choice(kind, cond, x, x)) is None


@pytest.mark.parametrize("kind", ["select", "if_then_else"])
def test_a_choice_between_equals_is_either_unless_its_condition_does_something(kind: str) -> None:
    twice = ops.mul(x, 2)
    assert apply("choice_of_equals", choice(kind, ops.less(x, y), twice, ops.mul(x, 2))) is twice
    assert apply("choice_of_equals", choice(kind, c, x, x)) is x
    assert apply("choice_of_equals", choice(kind, c, x, y)) is None
    A, B = (Buffer(name, INT32, (const(4),)) for name in "AB")
    assert apply("choice_of_equals", choice(kind, c, load(A, (x,)), load(B, (x,)))) is None
    asked = Call("tvm_call_packed", (StringImm("f"),), BOOL)
    assert apply("choice_of_equals", choice(kind, asked, x, x)) is None


@pytest.mark.parametrize("kind", ["select", "if_then_else"])
def test_a_choice_of_vectors_is_decided_in_all_lanes(kind: str) -> None:
    for truth, wanted in ((True, a), (False, b)):
        same = Broadcast(const(truth), 4, FOUR)
        assert apply("decided_choice_of_all_lanes", choice(kind, same, a, b)) is wanted
    for cond in (Broadcast(c, 4, FOUR), ops.less(a, b)):
        assert apply("decided_choice_of_all_lanes", choice(kind, cond, a, b)) is None


def test_other_calls_are_no_choices() -> None:
    assert apply("decided_choice", Call("likely", (const(True),), BOOL)) is None
    assert isinstance(a, Ramp)
