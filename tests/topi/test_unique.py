"""Which elements there are, and where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.topi.compare import Case, check, integers
from tewb import te, topi
from tewb.base import ShapeError

x = np.array([4, 5, 1, 2, 3, 3, 4, 5], "int32")


def test_elements_in_order_and_as_they_come() -> None:
    check(
        [
            Case(
                lambda t: topi.unique(t, True, True),
                lambda _: [
                    np.array([1, 2, 3, 4, 5, 0, 0, 0]),
                    np.array([2, 3, 4, 0, 1, 8, 8, 8]),
                    np.array([3, 4, 0, 1, 2, 2, 3, 4]),
                    np.array([5]),
                    np.array([1, 1, 2, 2, 2, 0, 0, 0]),
                ],
                (x,),
            ),
            Case(
                lambda t: topi.unique(t, False),
                lambda _: [
                    np.array([4, 5, 1, 2, 3, 0, 0, 0]),
                    np.array([0, 1, 2, 3, 4, 8, 8, 8]),
                    np.array([0, 1, 2, 3, 4, 4, 0, 1]),
                    np.array([5]),
                ],
                (x,),
            ),
        ]
    )


def test_places_that_are_not_zero() -> None:
    some = integers(3, 4, low=0, high=2)
    count = int((some != 0).sum())

    def reference(v: Any) -> Any:
        return np.vstack([np.argwhere(v), np.zeros((2, 2))]).astype("int32")

    check([Case(lambda t: topi.argwhere((count + 2, 2), t), reference, (some,))])
    rows = te.placeholder((count, 2), name="rows")
    assert [n.value for n in topi.argwhere(rows, te.placeholder((3, 4), "int32")).shape] == [count, 2]


def test_misuse() -> None:
    with pytest.raises(ShapeError, match="A has 2 dimensions, not 1"):
        topi.unique(te.placeholder((2, 3), name="A"))
    with pytest.raises(ShapeError, match="columns of the output and the dimensions are 3 and 2"):
        topi.argwhere((5, 3), te.placeholder((2, 3)))
