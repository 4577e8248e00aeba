"""What the operators ask of their arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tewb import te
from tewb.base import DTypeError, ShapeError, TewbError
from tewb.topi import checks

A = te.placeholder((2, 3), name="A")
n = te.var("n")


def test_axes_count_from_either_end() -> None:
    assert checks.axis_of("f", -1, 3) == 2 and checks.axis_of("f", np.int64(1), 3) == 1
    assert checks.axes_of("f", None, 3) == (0, 1, 2) and checks.axes_of("f", (2, -3), 3) == (0, 2)


def test_numbers_that_are_known() -> None:
    assert [checks.known(v) for v in (3, 3.0, True, te.const(4), te.const(2) * 3, A.shape[0])] == [
        3,
        3,
        1,
        4,
        6,
        2,
    ]
    assert checks.known(n) is None and checks.known(2.5) is None and checks.known(n - n + 4) == 4


def test_sizes_are_one_or_one_each() -> None:
    assert checks.sizes("f", 2, 3) == (2, 2, 2) == checks.sizes("f", [2], 3)
    assert checks.same_size(n + 1, 1 + n) and not checks.same_size(n, 1) and not checks.may_differ(n, 1)


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda: checks.tensor_of("f", 5), TewbError, "f takes a tensor, not 5"),
        (lambda: checks.tensor_of("f", A, 3), ShapeError, "A has 2 dimensions, not 3"),
        (lambda: checks.integers_of("f", A), DTypeError, "A has dtype float32"),
        (lambda: checks.axis_of("f", 0, 0), ShapeError, "axis 0 of a tensor of 0 dimensions"),
        (lambda: checks.axes_of("f", (0, 0), 2), ShapeError, "given twice"),
        (lambda: checks.whole("f", "k", n), ShapeError, "k must be a constant integer, not n"),
        (lambda: checks.sizes("f", (1, 2), 3), ShapeError, "f takes 3 numbers, not 2"),
        (lambda: checks.one_of("f", "mode", "x", ("a", "b")), TewbError, "mode cannot be 'x'"),
        (lambda: checks.check_same_size("f", 1, 2, "these"), ShapeError, "these are 1 and 2"),
    ],
)
def test_misuse_names_the_users_line(ask: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        ask()
    assert raised.value.hint and "test_checks" in str(raised.value)
