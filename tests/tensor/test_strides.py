"""Strides of arguments, to say in conditions."""

from __future__ import annotations

from typing import Any

import pytest

from tewb import te
from tewb.base import LowerError

A = te.placeholder((4, 5), name="A")


def test_a_stride_knows_its_tensor_and_dimension() -> None:
    own = te.stride(A, -1)
    assert own.tensor is A
    assert (own.dimension, own.name) == (1, "stride(A, 1)")


@pytest.mark.parametrize(
    ("tensor", "dimension", "message"),
    [
        (A, 2, "A has 2 dimensions, so there is no stride 2"),
        (A, -3, "A has 2 dimensions, so there is no stride -3"),
        (A, True, "there is no stride True"),
        (A, "i", "there is no stride 'i'"),
        (te.placeholder((), name="Z"), 0, "Z has 0 dimensions"),
        (3, 0, "stride is that of a tensor, not of 3"),
    ],
)
def test_what_is_no_stride(tensor: Any, dimension: Any, message: str) -> None:
    with pytest.raises(LowerError, match=message) as e:
        te.stride(tensor, dimension)
    assert e.value.hint
