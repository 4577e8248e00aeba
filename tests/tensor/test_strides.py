"""Strides of arguments, to say in conditions."""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tewb import te
from tewb.base import LowerError, TewbError

A = te.placeholder((4, 5), name="A")
B = te.compute((4,), lambda i: A[i, 0] + 1.0, name="B")
D = te.compute((4,), lambda i: A[i, 0] * te.stride(A, 0), name="D")


def test_a_stride_knows_its_tensor_and_dimension() -> None:
    own = te.stride(A, -1)
    assert own.tensor is A
    assert (own.dimension, own.name) == (1, "stride(A, 1)")


def test_a_condition_is_shown_as_it_was_written() -> None:
    assert str(te.stride(A, 0)) == "stride(A, 0)"
    assert str(te.all(te.stride(A, 0) == 1, te.stride(A, 1) > 2)) == "stride(A, 0) == 1 and stride(A, 1) > 2"


@pytest.mark.parametrize(
    "use",
    [
        lambda: te.placeholder((te.stride(A, 0), 3)),
        lambda: te.compute((te.stride(A, 0) + 1,), lambda i: 1.0),
        lambda: tewb.lower(te.create_schedule(B.op), [A, te.stride(A, 0), B]),
        lambda: tewb.build(te.create_schedule(D.op), [A, D]),
        lambda: te.create_schedule(B.op)[B].split("i", te.stride(A, 0)),
    ],
    ids=["placeholder", "size", "argument", "value", "factor"],
)
def test_a_stride_is_known_in_conditions_only(use: Any) -> None:
    with pytest.raises(TewbError, match=r"stride\(A, 0\) is known in conditions of specialize only") as e:
        use()
    assert "specialize(te.stride(A, 0) == 1)" in (e.value.hint or "")


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
