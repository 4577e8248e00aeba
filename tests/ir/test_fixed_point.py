"""Products of fixed-point numbers, compared with Python's integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.codegen.elementwise import same
from tewb import te, tir
from tewb.base import DTypeError


def product(x: int, y: int, q: int, left: int, right: int) -> int:
    """What a fixed-point product is, in Python's integers."""
    value = ((x << left) * y + (1 << (q + right - 1))) >> (q + right)
    return (value + 2**31) % 2**32 - 2**31


@pytest.mark.parametrize("s", [0, 1, 3, -1, -5])
def test_q_multiply_shift_rounds_a_half_up(s: int) -> None:
    rng = np.random.default_rng(4)
    x = np.array([3, -3, 1, -1, 5, -5, 0, 7, *rng.integers(-(2**25), 2**25, 8)], "int32")
    y = np.array([1 << 30] * 8 + list(rng.integers(-(2**31), 2**31, 8)), "int32")
    want = np.array(
        [product(int(a), int(b), 31, max(s, 0), max(-s, 0)) for a, b in zip(x, y, strict=True)], "int32"
    )
    same(lambda a, b: tir.q_multiply_shift(a, b, 31, te.const(s)), want, x, y)
    shifts = np.full(16, s, "int32")
    same(lambda a, b, c: tir.q_multiply_shift(a, b, 31, c), want, x, y, shifts)
    left, right = np.maximum(shifts, 0), np.maximum(-shifts, 0)
    same(lambda a, b, c, d: tir.q_multiply_shift_per_axis(a, b, c, d, 31, 1, 1), want, x, y, left, right)
    same(lambda a, b: tir.call_intrin("int32", "tir.q_multiply_shift", a, b, 31, s), want, x, y)


def test_q_multiply_shift_per_axis_without_a_left_shift() -> None:
    x, y, ls = (np.full(8, v, "int32") for v in (5, 1 << 30, 4))
    same(
        lambda a, b, c: tir.q_multiply_shift_per_axis(a, b, c, 0, 31, 0, 0), np.full(8, 3, "int32"), x, y, ls
    )


x32, f32 = te.var("x"), te.var("f", "float32")


@pytest.mark.parametrize(
    "wrong, words",
    [
        (
            lambda: tir.q_multiply_shift(f32, x32, 31, 0),
            "x of a fixed-point product is an integer, not float32",
        ),
        (
            lambda: tir.q_multiply_shift(x32, te.var("y", "int8"), 31, 0),
            "products are of int32, and y is int8",
        ),
        (lambda: tir.q_multiply_shift(x32, x32, 0, 0), "q=0 fractional bits"),
    ],
)
def test_wrong_operands(wrong: Any, words: str) -> None:
    with pytest.raises(DTypeError, match=words):
        wrong()
