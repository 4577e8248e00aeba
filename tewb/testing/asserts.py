"""Comparisons for tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from tewb.arith import Analyzer
from tewb.runtime import PackedFunc


def assert_allclose(actual: Any, desired: Any, rtol: float = 1e-7, atol: float = 1e-7) -> None:
    """Raise AssertionError unless both have one shape, and their elements differ by `atol + rtol * |desired|` at most."""
    a, b = np.asarray(actual), np.asarray(desired)
    if a.shape != b.shape:
        raise AssertionError(f"the shapes differ: {a.shape}, and {b.shape} is wanted")
    np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, verbose=True)


def assert_prim_expr_equal(lhs: Any, rhs: Any) -> None:
    """Raise AssertionError unless two expressions are shown to have one value."""
    if not Analyzer().can_prove_equal(lhs, rhs):
        raise AssertionError(f"{lhs} is not shown to be {rhs}")


def echo(value: Any) -> Any:
    """`value` after its way through a packed function."""
    return PackedFunc(lambda x: x)(value)
