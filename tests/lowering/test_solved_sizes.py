"""Sizes that tell a variable, at lowering and at calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import ArgumentError, LowerError
from tewb.lowering import solved_size, told_by
from tewb.runtime import Kernel


@pytest.mark.parametrize(
    ("size", "told"),
    [
        (lambda d: d, (1, 0)),
        (lambda d: 32 * d, (32, 0)),
        (lambda d: d * 2 + 3, (2, 3)),
        (lambda d: (d + 1) * 4 - d, (3, 4)),
        (lambda d: d * d, None),
        (lambda d: d // 2, None),
        (lambda d: 8 - d, None),
        (lambda d: d * te.var("e"), None),
        (lambda d: te.max(d, 4), None),
        (lambda d: te.const(3), None),
    ],
)
def test_a_size_tells_the_variable_that_it_is_a_multiple_of(size: Callable[[Any], Any], told: Any) -> None:
    d = te.var("d")
    solved = solved_size(size(d))
    assert (None if solved is None else (solved.factor, solved.offset)) == told
    assert solved is None or solved.variable is d


def kernel_of(*sizes: Callable[[Any], Any]) -> Kernel:
    """B[i] = A[i] + d, where the sizes of arguments are expressions of d."""
    d = te.var("d")
    inputs = [te.placeholder((size(d),), name=f"A{n}") for n, size in enumerate(sizes)]
    B = te.compute(inputs[0].shape, lambda i: inputs[0][i] + d, name="B")
    more = [te.compute(t.shape, lambda i, t=t: t[i] * 2, name="C") for t in inputs[1:]]  # type: ignore[misc]
    return tewb.build(te.create_schedule([t.op for t in (B, *more)]), [*inputs, B, *more])


@pytest.mark.parametrize("n", [0, 32, 96])
def test_calls_solve_sizes_for_what_the_body_uses(n: int) -> None:
    kernel = kernel_of(lambda d: 32 * d)
    x, y = np.arange(n, dtype="float32"), np.zeros(n, "float32")
    kernel(x, y)
    np.testing.assert_array_equal(y, x + n // 32)
    np.testing.assert_array_equal(kernel(x), x + n // 32)


@pytest.mark.parametrize(
    ("size", "n", "said"),
    [
        (lambda d: 32 * d, 33, r"A0's dimension 0 is 33, and is to be 32 \* d: no d makes that"),
        (lambda d: d * 2 + 3, 1, "A0's dimension 0 is 1"),
        (lambda d: d * 2 + 3, 4, "A0's dimension 0 is 4"),
    ],
)
def test_calls_with_a_size_that_no_value_makes_are_refused(size: Any, n: int, said: str) -> None:
    x = np.zeros(n, "float32")
    for args in ([x, x.copy()], [x]):
        with pytest.raises(ArgumentError, match=said):
            kernel_of(size)(*args)


def test_what_one_size_tells_the_others_must_agree_with() -> None:
    kernel = kernel_of(lambda d: 32 * d, lambda d: 16 * d + 1)
    x, y = np.ones(64, "float32"), np.ones(33, "float32")
    kernel(x, y, b := np.zeros(64, "float32"), np.zeros(33, "float32"))
    assert (b == 3).all()
    with pytest.raises(ArgumentError, match=r"A1's dimension 0 is 32, and 16 \* d \+ 1 is 33"):
        kernel(x, y[:32], b, np.zeros(32, "float32"))


def test_a_size_by_itself_is_believed_first() -> None:
    kernel = kernel_of(lambda d: 32 * d, lambda d: d)
    b = np.zeros(64, "float32")
    kernel(np.ones(64, "float32"), np.ones(2, "float32"), b, np.zeros(2, "float32"))
    assert (b == 3).all()
    with pytest.raises(ArgumentError, match=r"A0's dimension 0 is 64, and 32 \* d is 96"):
        kernel(np.ones(64, "float32"), np.ones(3, "float32"), b, np.zeros(3, "float32"))


def test_what_no_size_tells_is_asked_for() -> None:
    with pytest.raises(LowerError, match="the value of d is not known"):
        kernel_of(lambda d: d * d)


def test_a_size_tells_its_variable() -> None:
    n = te.var("n")
    assert told_by(n, 7) == {n: 7} and told_by(2 * n + 3, 13) == {n: 5} and told_by(2 * n + 3, 14) == {n: 5}
    assert told_by(n * n, 9) == {} and told_by(te.const(3), 3) == {}
