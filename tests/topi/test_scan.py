"""Running sums and products."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.topi.compare import Case, check, floats, integers
from tewb import te, topi
from tewb.base import ShapeError

x, i = floats(3, 5, 2), integers(3, 5)


def exclusive(v: Any) -> Any:
    made = np.zeros_like(v)
    made[:, 1:] = np.cumsum(v, 1)[:, :-1]
    return made


def test_sums_and_products() -> None:
    check(
        [
            Case(lambda t, d=d: topi.cumsum(t, d), lambda v, d=d: np.cumsum(v, d), (x,))
            for d in (None, 0, 1, -1)
        ]
        + [
            Case(lambda t: topi.cumprod(t, 1), lambda v: np.cumprod(v, 1), (x,)),
            Case(lambda t: topi.cumsum(t, 1, exclusive=True), exclusive, (x,)),
            Case(lambda t: topi.cumsum(t, 0, "int64"), lambda v: np.cumsum(v, 0), (i,)),
            Case(lambda t: topi.cumsum(t, 0), lambda v: np.cumsum(v, 0), (i > 0,)),
            Case(
                lambda t: topi.scanop(t, lambda a, b: te.max(a, b), 0, "cummax", 1),
                lambda v: np.maximum.accumulate(v, 1),
                (x,),
            ),
        ]
    )


def test_symbolic_sizes() -> None:
    n = te.var("n")
    A = te.placeholder((n, 3), name="A")
    B = topi.cumsum(A, 0)
    kernel = tewb.build(te.create_schedule(B.op), [A, B])
    for rows in (1, 6):
        v = floats(rows, 3)
        np.testing.assert_allclose(kernel(v), np.cumsum(v, 0), rtol=1e-5)


def test_an_axis_that_is_not_there() -> None:
    with pytest.raises(ShapeError, match="cumsum_generic: axis 2 of a tensor of 2 dimensions"):
        topi.cumsum(te.placeholder((3, 4)), 2)
