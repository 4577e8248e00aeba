"""Operators as functions."""

from __future__ import annotations

import numpy as np
import pytest

import tewb
from tewb import te, tir
from tewb.base import DTypeError
from tewb.compat import arithmetic

n = te.var("n")


def test_they_are_the_operators() -> None:
    assert str(arithmetic.add(n, 2)) == "n + 2" and str(arithmetic.subtract(2, n)) == "2 - n"
    A = te.placeholder((4,), name="A")
    assert str(arithmetic.multiply(A[0], 2.0)) == "A[0] * T.float32(2.0)"
    assert isinstance(arithmetic.add(1, A), te.Tensor) and tewb.te.add is tewb.tir.add is arithmetic.add  # type: ignore[attr-defined]


@pytest.mark.parametrize(("a", "b"), [(7, 2), (8, 2), (-7, 2), (7, -2), (0, 3)])
def test_division_that_rounds_up(a: int, b: int) -> None:
    up = arithmetic.ceildiv(tir.const(a), b)
    assert isinstance(up, tir.IntImm) and up.value == -(-a // b)


def test_the_logarithm_of_a_sum_of_exponentials() -> None:
    A, B = te.placeholder((4,), name="A"), te.placeholder((4,), name="B")
    C = te.compute((4,), lambda i: arithmetic.logaddexp(A[i], B[i]), name="C")
    a, b = np.array([0, 1000, -1000, 3], "float32"), np.array([0, 999, 1000, -2], "float32")
    c = np.zeros(4, "float32")
    tewb.build(C.op, [A, B, C])(a, b, c)
    np.testing.assert_allclose(c, np.logaddexp(a, b), rtol=1e-6)
    with pytest.raises(DTypeError):
        arithmetic.logaddexp(n, n)
