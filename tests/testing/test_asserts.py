"""Comparisons for tests."""

from __future__ import annotations

import numpy as np
import pytest

from tewb import nd, te
from tewb.testing import assert_allclose, assert_prim_expr_equal, echo


def test_equal_arrays_pass() -> None:
    a = np.arange(6.0).reshape(2, 3)
    assert_allclose(a, a)
    assert_allclose(nd.array(a), a.tolist())
    assert_allclose(a + 9e-8, a)
    assert_allclose(a, a * 1.01, rtol=0.1)
    assert_allclose(1.0, 1.0 + 1e-6, 1e-5)


@pytest.mark.parametrize("difference", [1e-5, np.nan])
def test_different_values_are_an_assertion_error(difference: float) -> None:
    with pytest.raises(AssertionError, match="Not equal to tolerance rtol=1e-07, atol=1e-07"):
        assert_allclose(np.ones(3) + difference, np.ones(3))


@pytest.mark.parametrize("shape", [(1,), (3, 1), ()])
def test_other_shapes_are_an_assertion_error_even_where_numpy_would_broadcast(shape: tuple[int, ...]) -> None:
    with pytest.raises(AssertionError, match="the shapes differ"):
        assert_allclose(np.ones(3), np.ones(shape))


def test_echo_gives_back() -> None:
    assert echo(3) == 3
    assert echo(np.int64((1 << 63) - 1)) == (1 << 63) - 1
    assert echo("x") == "x"


def test_expressions_of_one_value_are_equal() -> None:
    n = te.var("n")
    assert_prim_expr_equal(n + n, 2 * n)
    with pytest.raises(AssertionError, match="is not shown to be"):
        assert_prim_expr_equal(n + 1, n)
