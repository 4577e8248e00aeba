"""Expressions on numpy integers, and numbers converted as kernels convert them."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from tewb.arith import converted, evaluate_integers, evaluate_number, truncated_quotient
from tewb.base import DType
from tewb.ir import Buffer, Var, const, load, ops

x, y = (Var(name, DType("int32")) for name in "xy")


def test_a_truncated_quotient_rounds_toward_zero_and_by_0_it_is_0() -> None:
    for a, b in itertools.product(range(-9, 10), range(-4, 5)):
        with np.errstate(divide="ignore"):
            assert truncated_quotient(np.int64(a), np.int64(b)) == (0 if b == 0 else math.trunc(a / b)), (
                a,
                b,
            )
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(
            truncated_quotient(np.array([7, -7, 7]), np.array([2, 2, 0])), [3, -3, 0]
        )


@pytest.mark.parametrize(
    ("value", "dtype", "wanted"),
    [
        (300, "uint8", 44),
        (-1, "uint16", 65535),
        (2**31, "int32", -(2**31)),
        (2.9, "int32", 2),
        (-2.9, "int32", -2),
        (1e30, "int32", 2**31 - 1),
        (-1e30, "int32", -(2**31)),
        (math.inf, "int64", 2**63 - 1),
        (-math.inf, "int8", -128),
        (math.nan, "int32", 0),
        (255.5, "uint8", 255),
        (256.0, "uint8", 255),
        (-0.5, "uint8", 0),
        (2.0**63, "uint64", 2**63),
        (2.0**64, "uint64", 2**64 - 1),
        (1.5, "float32", 1.5),
    ],
)
def test_numbers_are_converted_as_kernels_do(value: float, dtype: str, wanted: float) -> None:
    result = converted(np.asarray(value), dtype)
    assert result.dtype == dtype and result == np.array(wanted, dtype)


@pytest.mark.parametrize(
    ("e", "wanted"),
    [
        (x * 2 - y, [-10, 3, 7]),
        (x // 3 + x % 3, [0, 0, 3]),
        (ops.maximum(ops.minimum(x, y), 0), [0, 0, 3]),
        (ops.select(ops.less(x, y), x, y), [-4, -3, 3]),
        (ops.if_then_else(ops.logical_not(ops.less(x, y)), const(1), const(0)), [0, 1, 1]),
        (ops.cast(ops.likely(ops.less(x, y)), "int32"), [1, 0, 0]),
        (x // (y - y), [0, 0, 0]),
    ],
    ids=["sum", "division", "clamp", "select", "choice", "likely", "by 0"],
)  # fmt: skip
def test_expressions_on_arrays(e: object, wanted: list[int]) -> None:
    values = {x: np.array([-4, 0, 5]), y: np.array([2, -3, 3])}
    np.testing.assert_array_equal(evaluate_integers(e, values), wanted)  # type: ignore[arg-type]
    for n, number in enumerate(wanted):
        found = evaluate_number(e, lambda v, n=n: int(values[v][n]))  # type: ignore[arg-type, misc]
        assert found == number and isinstance(found, int)


def test_numbers_are_64_bits_wide() -> None:
    assert evaluate_integers(const(2**31 - 1) * x, {x: np.int64(4)}) == (2**31 - 1) * 4


def test_what_is_no_arithmetic_on_known_integers_has_no_value() -> None:
    data = Buffer("data", DType("int32"), (const(9),))
    for e in (
        x + y,
        ops.less(x, y),
        ops.select(ops.less(y, 1), x, x),
        load(data, (x,)) + x,
        ops.cast(x, "float32") * 0.5,
    ):
        assert evaluate_integers(e, {x: np.int64(1)}) is None, e
        assert evaluate_number(e, {x: 1}.get) is None, e


def test_numbers_of_python_may_lie_between_two() -> None:
    halves = {x: 2.5, y: 0.5}.get
    assert evaluate_number(x * 2 + y, halves) == 5.5
    assert evaluate_number(x // 2, halves) == 1.0 and evaluate_number(x % (y - y), halves) == 0
    assert evaluate_number(ops.logical_and(ops.less(y, x), ops.less(0, y)), halves) is True


def test_shared_parts_are_evaluated_once() -> None:
    e = x
    for _ in range(64):
        e = e + e - e  # type: ignore[assignment]
    assert evaluate_integers(e, {x: np.int64(3)}) == 3
    assert evaluate_number(e, {x: 3}.get) == 3
