"""Rules for vectors whose lanes are all the same."""

from __future__ import annotations

import pytest

from tests.arith.one_rule import apply, becomes
from tewb.base import BOOL, INT32, DType
from tewb.ir import (
    EQ,
    LT,
    Add,
    Broadcast,
    Call,
    Cast,
    Div,
    Expr,
    FloorDiv,
    FloorMod,
    Max,
    Min,
    Mod,
    Mul,
    Sub,
    Var,
    ops,
    script,
)

x, y, c = Var("x", INT32), Var("y", INT32), Var("c", BOOL)
X, Y = ops.broadcast(x, 4), ops.broadcast(y, 4)


@pytest.mark.parametrize("kind", [Add, Sub, Mul, Div, Mod, FloorDiv, FloorMod, Min, Max])
def test_an_operation_is_done_once(kind: type) -> None:
    after = apply("operation_on_equal_lanes", kind(X, Y, X.dtype))
    assert isinstance(after, Broadcast) and after.dtype is X.dtype
    assert type(after.value) is kind and after.value.a is x and after.value.b is y  # type: ignore[attr-defined]
    assert after.value.dtype is INT32


@pytest.mark.parametrize("kind", [EQ, LT])
def test_a_comparison_of_equal_lanes_is_of_bool(kind: type) -> None:
    after = apply("operation_on_equal_lanes", kind(X, Y, BOOL.with_lanes(4)))
    assert isinstance(after, Broadcast) and (after.dtype, after.value.dtype) == ("boolx4", "bool")


def test_one_ramp_is_enough_not_to_apply() -> None:
    ramp = ops.ramp(x, 1, 4)
    for a, b in ((ramp, Y), (X, ramp), (ramp, ramp)):
        assert apply("operation_on_equal_lanes", Add(a, b, X.dtype)) is None


def test_a_cast_is_done_once() -> None:
    after = becomes("cast_of_equal_lanes", Cast(X, DType("int64x4")))
    assert after == script(Broadcast(Cast(x, DType("int64")), 4, DType("int64x4")))
    assert becomes("cast_of_equal_lanes", Cast(ops.ramp(x, 1, 4), DType("int64x4"))) is None


def test_a_hint_on_equal_lanes_is_off_and_on_others_stays() -> None:
    def likely(e: Expr) -> Expr:
        return Call("likely", (e,), BOOL.with_lanes(4))

    same = Broadcast(c, 4, BOOL.with_lanes(4))
    assert apply("likely_of_equal_lanes", likely(same)) is same
    assert apply("likely_of_equal_lanes", likely(ops.less(ops.ramp(x, 1, 4), Y))) is None
    assert apply("likely_of_equal_lanes", Call("if_then_else", (same, X, Y), X.dtype)) is None
