"""How indices move with a variable, casts and all."""

from __future__ import annotations

import numpy as np
import pytest

from tewb.arith import evaluate_integers, slope, stride, strides_of
from tewb.base import DType
from tewb.ir import Add, Expr, Var, const, ops

x, y = Var("x", const(0).dtype), Var("y", const(0).dtype)
narrow = Var("narrow", DType("int8"))


@pytest.mark.parametrize(
    ("e", "want"),
    [
        (x * 64 + y * 3, 64),
        (y * 3 - x, -1),
        (ops.cast(x * 4 + 1, "int64") * 2, 8),
        (ops.cast(x, "int64") * 100 + ops.cast(y, "int64") - ops.cast(x, "int64"), 99),
        (ops.floordiv(x, 8) * 8 + ops.floormod(x, 8), 1),
        (x - x, 0),
        (y * y, 0),
        (x * y, None),
        (ops.cast(x, "int64") * ops.cast(y, "int64"), None),
        (x // 2, None),
        (ops.cast(x // 2, "int64"), None),
    ],
)
def test_the_slope_of_an_index(e: Expr, want: int | None) -> None:
    assert slope(e, x) == want
    if want is not None:
        rng = np.random.default_rng(0)
        xs, ys = rng.integers(-50, 50, (2, 200))
        here, there = (evaluate_integers(e, {x: at, y: ys}) for at in (xs, xs + 1))
        assert (np.subtract(there, here) == want).all()


@pytest.mark.parametrize(
    "e",
    [
        ops.cast(ops.cast(x, "int8"), "int32"),
        ops.cast(ops.cast(x, "int64"), "int32"),
        ops.cast(ops.cast(x, "uint32"), "int64"),
        ops.cast(ops.cast(x, "float32"), "int32"),
    ],
)
def test_what_may_wrap_or_round_has_no_slope(e: Expr) -> None:
    assert slope(e, x) is None
    assert slope(ops.cast(narrow * 3, "int32"), narrow) is None


def test_an_access_moves_by_the_slopes_of_its_indices() -> None:
    steps = (const(100), const(2))
    assert stride(steps, (ops.cast(x, "int64"), y + x * 3), x) == 106
    assert stride(steps, (y, y), x) == 0
    assert stride((y, const(1)), (y, x), x) == 1
    assert stride((y, const(1)), (x, x), x) is None


@pytest.mark.parametrize(
    ("indices", "want"),
    [
        ((x * 3 + 1, y - x), (299, 1)),
        ((x - x, x // 4 * 4 + x % 4), (1, 0)),
        ((x // 4, y), (None, 1)),
        ((x * y, const(5)), (None, None)),
        ((ops.cast(x, "int64") * 2, y // 2), (200, None)),
    ],
)
def test_all_variables_at_once_are_one_after_the_other(
    indices: tuple[Expr, ...], want: tuple[int | None, ...]
) -> None:
    steps = (const(100), const(1))
    assert (
        strides_of(steps, indices, [x, y]) == want == (stride(steps, indices, x), stride(steps, indices, y))
    )


def test_strides_of_an_index_that_nests_deep_and_shares_its_parts() -> None:
    e: Expr = x
    for _ in range(50):
        e = e + e if e is x else Add(e, e, e.dtype)
    assert strides_of((const(1),), (e,), [x]) == (2**50,)
    for _ in range(3000):
        e = Add(e, y, e.dtype)
    assert strides_of((const(1),), (e,), [y]) == (3000,)
