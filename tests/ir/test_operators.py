"""Python's own operators, functions and protocols on expressions, axes and tensors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import DTypeError, ExpressionError, TewbError
from tewb.ir import structural_equal

A = te.placeholder((8,), name="A")
M = te.placeholder((8, 8), name="M")
N = te.placeholder((8,), "int32", name="N")
x = te.var("x")
axis = te.compute((8,), lambda i: A[i]).op.axis[0]

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "divmod": lambda e: divmod(e, 3)[0] + divmod(e, 3)[1],
    "rdivmod": lambda e: divmod(7, e)[0] + divmod(7, e)[1],
    "round": round,
    "floor": math.floor,
    "ceil": math.ceil,
    "trunc": math.trunc,
    "abs": abs,
    "+": lambda e: +e,
    "** 3": lambda e: e**3,
    "np.floor": np.floor,
    "np.minimum": lambda e: np.minimum(e, 2),
    "np.multiply": lambda e: np.int32(3) * e,
    "np.remainder": lambda e: np.remainder(e, 3),
    "np.less": lambda e: np.float32(1) < e,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_functions_of_python_and_numpy_build_what_they_mean(name: str, dtype: str) -> None:
    f = FUNCTIONS[name]
    values = np.array([-2.5, -1.5, -1, 0.5, 1, 2.5, 3.5, 7], dtype)
    values[values == 0] = 1
    X = te.placeholder((8,), dtype, name="X")
    C = te.compute((8,), lambda i: f(X[i]), name="C")
    out = np.zeros(8, str(C.dtype))
    tewb.build(te.create_schedule(C.op), [X, C])(values, out)
    np.testing.assert_array_equal(out, np.array([f(v) for v in values.tolist()]).astype(out.dtype))


def test_numpy_scalars_count_the_same_on_both_sides() -> None:
    assert str((np.int64(2) * x).dtype) == str((x * np.int64(2)).dtype) == "int64"
    assert (np.float32(2) * A).shape == A.shape
    assert structural_equal(np.exp(A[0]), te.exp(A[0]))


def test_arrays_of_expressions_are_still_computed_element_by_element() -> None:
    both = np.array([A[0], A[1]]) * A[2]
    assert structural_equal(both[1], A[1] * A[2])
    assert structural_equal((np.array([2, 3]) * x)[1], 3 * x)


@pytest.mark.parametrize(
    "f", [lambda: A < 3, lambda: A**2, lambda: 3 // A, lambda: abs(A), lambda: math.floor(A), lambda: ~A]
)
def test_a_tensor_has_four_operators_and_says_how_the_others_are_written(f: Callable[[], Any]) -> None:
    with pytest.raises(ExpressionError, match="A is a tensor, and has") as e:
        f()
    assert "te.compute(A.shape" in (e.value.hint or "")
    with pytest.raises(ExpressionError, match="np.exp does not take the tensor A"):
        np.exp(A)


def test_an_element_has_no_elements() -> None:
    with pytest.raises(ExpressionError, match=r"A\[0\] is one number"):
        A[0][1]
    with pytest.raises(ExpressionError, match="rounded to whole numbers"):
        round(A[0], 2)
    with pytest.raises(DTypeError, match="np.cbrt does not take an expression"):
        np.cbrt(A[0])


def test_constants_are_numbers_in_python_too() -> None:
    (n,) = A.shape
    assert [*range(n)] == [*range(8)] and np.zeros(A.shape).shape == (8,) and int(n) == 8
    assert f"{n:3d}" == "  8" and "%d" % n == "8"  # noqa: UP031
    assert float(te.const(2.5)) == 2.5 and int(te.const(2.5)) == 2 and math.sqrt(te.const(4.0)) == 2
    assert te.const(1) and not te.const(0.0) and (n > 3 and "large") == "large"


def test_nothing_is_none() -> None:
    assert bool(x == None) is False and bool(A.shape[0] != None) is True  # noqa: E711  (as old programs ask)
    with pytest.raises(TewbError, match="cannot be part of an expression"):
        x + None


@pytest.mark.parametrize("other", ["text", [1], 1j, object(), slice(1, 3), np.ones(3), b"x"])
def test_what_cannot_be_part_of_an_expression_is_said_with_a_hint(other: object) -> None:
    for f in (lambda: A[0] + other, lambda: x == other, lambda: A[other] + 1.0):
        with pytest.raises(TewbError) as e:
            f()
        assert e.value.hint
