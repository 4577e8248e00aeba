"""Conditions that a program is written for."""

from __future__ import annotations

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import DTypeError


def test_the_innermost_condition_is_the_current_one() -> None:
    n = te.var("n")
    assert te.SpecializedCondition.current() is None
    with te.SpecializedCondition(n == 4) as outer:
        with te.SpecializedCondition([n % 8 == 0, True]) as inner:
            assert te.SpecializedCondition.current() is inner and [str(c) for c in inner.clauses] == [
                "n % 8 == 0",
                "T.bool(True)",
            ]
        assert te.SpecializedCondition.current() is outer and str(outer) == "SpecializedCondition(n == 4)"
    with pytest.raises(ZeroDivisionError), te.SpecializedCondition(n == 4):
        raise ZeroDivisionError
    assert te.SpecializedCondition.current() is None


def test_kernels_are_right_in_all_cases() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] * 2.0, name="B")
    with te.SpecializedCondition(n == 4):
        kernel = tewb.build(te.create_schedule(B.op), [A, B])
    for size in (4, 5):
        assert kernel(np.ones(size, "float32")).tolist() == [2] * size


def test_what_is_no_condition() -> None:
    for wrong in (3, "n == 4", [te.var("n")]):
        with pytest.raises(DTypeError):
            te.SpecializedCondition(wrong)
