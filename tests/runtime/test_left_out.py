"""Outputs that a call leaves out."""

from __future__ import annotations

import numpy as np
import pytest

from tewb.base import ArgumentError
from tewb.runtime.abi import KernelSignature, ParamSpec, SymbolicSize
from tewb.runtime.left_out import complete, last_outputs

n, more = SymbolicSize(None, "n", "n"), SymbolicSize(None, "n + 1")
A = ParamSpec("A", "buffer", "float32", (n,), position=1)
B = ParamSpec("B", "buffer", "int16", (more,), is_output=True, position=2)


def test_outputs_at_the_end_may_be_left_out() -> None:
    assert last_outputs(KernelSignature("f", (A, B))) == 1
    assert last_outputs(KernelSignature("f", (B, A))) == 0


def test_a_new_output_has_the_size_that_follows() -> None:
    a = np.zeros(7, "float32")
    values, made = complete(KernelSignature("f", (A, B)), 1, (a,), {})
    assert values[0] is a and values[1] is made[0] and (made[0].shape, made[0].dtype) == ((8,), np.int16)
    b = np.zeros(8, "int16")
    assert complete(KernelSignature("f", (A, B)), 1, (a, b), {}) == ([a, b], [])


def test_a_size_that_does_not_follow_is_named() -> None:
    free = ParamSpec("B", "buffer", "int16", (SymbolicSize(None, "k", "k"),), is_output=True, position=2)
    with pytest.raises(ArgumentError, match="its size k does not follow"):
        complete(KernelSignature("f", (A, free)), 1, (np.zeros(7, "float32"),), {})
