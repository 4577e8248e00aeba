"""Derivatives against differences, as test suites of classic TE check them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.testing import check_numerical_grads

x, y = np.array([[1.0, 2.0], [0.5, 3.0]]), np.array([1.0, -1.0])


def f(x: Any, y: Any) -> Any:
    return (x * x * y).sum()


def test_right_derivatives() -> None:
    right = [2 * x * y, (x * x).sum(0)]
    check_numerical_grads(f, [x, y], right)
    check_numerical_grads(f, {"y": y, "x": x}, {"x": right[0]}, function_value=f(x, y))
    check_numerical_grads(lambda a: np.float32(3), [np.float32(2)], [np.float32(0)])


def test_wrong_derivatives() -> None:
    wrong = 2 * x * y
    wrong[1, 0] += 3
    with pytest.raises(AssertionError, match=r"by 0 differs .* by 3, .*; most at \(1, 0\): 4, and 1 by"):
        check_numerical_grads(f, [x, y], [wrong])
    with pytest.raises(AssertionError, match=r"has shape \(2,\), and the input \(2, 2\)"):
        check_numerical_grads(f, [x, y], [y])
    with pytest.raises(ValueError, match="infinity or NaN in the derivative by 'x'"):
        check_numerical_grads(f, {"x": x, "y": y}, {"x": x * np.nan})
    with pytest.raises(ValueError, match=r"one number, and not an array of \(2, 2\)"):
        check_numerical_grads(lambda x: x, [x], [x])


def test_kernels() -> None:
    A = te.placeholder((3, 4), name="A")
    B = te.compute((3, 4), lambda i, j: te.tanh(A[i, j]) * A[i, 3 - j], name="B")
    (dA,) = te.gradient(B, [A], te.compute((3, 4), lambda i, j: te.const(1.0), name="ones"))
    forward = tewb.build(te.create_schedule(B.op), [A, B])
    backward = tewb.build(te.create_schedule(dA.op), [A, dA])
    a = np.random.default_rng(0).random((3, 4), "float32")
    check_numerical_grads(lambda a: forward(a).sum(), [a], [backward(a)])
