"""A lane of a vector expression is the scalar that it computes there."""

from __future__ import annotations

import pytest

from tewb.base import CodegenError, DType
from tewb.codegen.single_lane import lane_of
from tewb.ir import (
    Buffer,
    BufferLoad,
    Call,
    Expr,
    Shuffle,
    Var,
    const,
    intrinsics,
    ops,
    script,
)

i, x = Var("i", DType("int32")), Var("x", DType("float32"))
v = Var("v", DType("float32x4"))
A = Buffer("A", DType("float32"), (const(64),))
RAMP, FOUR_X, NINES = ops.ramp(i, 3, 4), ops.broadcast(x, 4), ops.broadcast(const(9), 4)
SHORT = ops.ramp(i, 1, 2)
LOADED = BufferLoad(A, (RAMP,), DType("float32x4"))


@pytest.mark.parametrize(
    ("vector", "lane", "text"),
    [
        (RAMP, 0, "i"),
        (RAMP, 2, "i + 6"),
        (ops.ramp(i, i, 4), 3, "i + i * 3"),
        (FOUR_X, 3, "x"),
        (LOADED, 1, "A[i + 3]"),
        (ops.add(LOADED, FOUR_X), 2, "A[i + 6] + x"),
        (ops.cast(RAMP, "int64x4"), 1, 'T.Cast("int64", i + 3)'),
        (
            ops.select(ops.less(RAMP, NINES), LOADED, FOUR_X),
            1,
            "T.Select(i + 3 < 9, A[i + 3], x)",
        ),
        (ops.logical_not(ops.less(RAMP, NINES)), 0, "not i < 9"),
        (Call("exp", (LOADED,), DType("float32x4")), 3, "T.exp(A[i + 9])"),
        (Shuffle((SHORT, RAMP), (5, 0, 1, 2), DType("int32x4")), 0, "i + 9"),
        (Shuffle((SHORT, RAMP), (5, 0, 1, 2), DType("int32x4")), 2, "i + 1"),
        (v, 3, "T.Shuffle([v], [3])"),
    ],
)
def test_lanes(vector: Expr, lane: int, text: str) -> None:
    one = lane_of(vector, lane)
    assert one.dtype is vector.dtype.element
    assert script(one) == text


def test_a_scalar_is_each_of_its_lanes() -> None:
    assert lane_of(x, 7) is x


def test_what_is_shared_is_taken_apart_once() -> None:
    e: Expr = ops.add(LOADED, FOUR_X)
    for _ in range(60):
        e = ops.mul(e, e)
    one = lane_of(e, 1)
    assert one.a is one.b  # type: ignore[attr-defined]


def test_a_product_of_many_lanes_is_not_taken_apart() -> None:
    a, b = Var("a", DType("int8x16")), Var("b", DType("int8x16"))
    product = intrinsics.dot(Var("t", DType("int32x4")), a, b)
    with pytest.raises(CodegenError, match="the vector .* cannot be taken apart"):
        lane_of(product, 0)
