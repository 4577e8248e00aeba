"""Padding around a tensor, and zeros between its elements."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.topi.compare import Case, check, floats, integers
from tewb import te, topi
from tewb.base import ShapeError, TewbError
from tewb.topi.testing.convolutions import dilate_python

x = floats(3, 5)


def padded(operator: Any, mode: str) -> Case:
    return Case(lambda t: operator(t, [2, 0], [1, 3]), lambda v: np.pad(v, [(2, 1), (0, 3)], mode), (x,))


def test_padding() -> None:
    check(
        [
            Case(
                lambda t: topi.nn.pad(t, [1, 0], [2, 1], 7), lambda v: np.pad(v, [(1, 2), (0, 1)], constant_values=7), (x,)
            ),
            Case(lambda t: topi.nn.pad(t, (0, 2)), lambda v: np.pad(v, [(0, 0), (2, 2)]), (integers(3, 5),)),
            Case(lambda t: topi.nn.pad(t, (0, 0)), lambda v: v, (x,)),
            padded(topi.nn.mirror_pad, "symmetric"),
            Case(lambda t: topi.nn.mirror_pad(t, [2, 4], mode="REFLECT"), lambda v: np.pad(v, [(2, 2), (4, 4)], "reflect"), (x,)),
            padded(topi.nn.reflect_pad, "reflect"),
            padded(topi.nn.replicate_pad, "edge"),
            padded(topi.nn.circular_pad, "wrap"),
            Case(lambda t: topi.nn.dilate(t, (2, 3)), lambda v: dilate_python(v, (2, 3)), (x,)),
            Case(lambda t: topi.nn.dilate(t, (1, 2), 9), lambda v: dilate_python(v, (1, 2), 9), (integers(3, 5),)),
        ]
    )  # fmt: skip


A = te.placeholder((3, 5), name="A")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: topi.nn.pad(A, [1]), ShapeError, "1 amounts for the 2 dimensions of A"),
        (lambda: topi.nn.mirror_pad(A, [0, 1], mode="MIRROR"), TewbError, "mode cannot be 'MIRROR'"),
        (
            lambda: topi.nn.reflect_pad(A, [3, 0]),
            ShapeError,
            "dimension 0 of A has 3 elements, and its mirror image no 3",
        ),
        (lambda: topi.nn.dilate(A, [1, 2, 3]), ShapeError, "3 strides for the 2 dimensions"),
    ],
)
def test_misuse(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        make()
    assert raised.value.hint
