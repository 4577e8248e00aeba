"""Rules for minimum and maximum."""

from __future__ import annotations

import pytest

from tests.arith.one_rule import apply, becomes
from tewb.base import INT32, DType
from tewb.ir import Expr, Max, Min, Var, ops

x, y = Var("x", INT32), Var("y", INT32)


@pytest.mark.parametrize(
    ("e", "after"),
    [
        (Min(x, x + 1, INT32), "x"),
        (Max(x, x + 1, INT32), "x + 1"),
        (Min(x + 3, x, INT32), "x"),
        (Max(x, x - 0, INT32), "x"),
        (Min(x, y + 9, INT32), "x"),  # 9 <= 9
        (Max(x, y + 9, INT32), "y + 9"),
        (Min(x, y + 8, INT32), None),  # 9 and 8
        (Max(y + 8, x, INT32), None),
        (Min(x, y, INT32), None),
    ],
    ids=str,
)
def test_the_one_that_is_certain_is_taken(e: Expr, after: str | None) -> None:
    assert becomes("order_of_min_and_max", e, {x: (0, 9), y: (0, 3)}) == after


def test_values_that_may_wrap_are_not_ordered() -> None:
    assert becomes("order_of_min_and_max", Min(x, x + 1, INT32), values=True) is None
    assert becomes("order_of_min_and_max", Min(x, x + 1, INT32), {x: (0, 9)}, values=True) == "x"
    u, f = Var("u", DType("uint8")), Var("f", DType("float32"))
    assert becomes("order_of_min_and_max", Min(u, ops.add(u, 1), u.dtype)) is None
    assert becomes("order_of_min_and_max", Max(f, f, f.dtype)) is None


@pytest.mark.parametrize("dtype", ["int32", "uint8", "float32"])
def test_the_extreme_of_one_and_the_same_term_is_that(dtype: str) -> None:
    v, w = Var("v", DType(dtype)), Var("v", DType(dtype))
    for kind in (Min, Max):
        assert apply("extreme_of_one_term", kind(v, v, v.dtype)) is v
        assert apply("extreme_of_one_term", kind(v, w, v.dtype)) is None  # another of that name
