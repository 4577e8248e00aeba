"""Blocks of an image that become channels or images of the batch, and back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.topi.compare import Case, check, floats
from tewb import te, topi
from tewb.base import ShapeError, TewbError
from tewb.topi import testing as reference

image, deep = floats(2, 3, 4, 6), floats(2, 8, 3, 5)


def nhwc(v: Any) -> Any:
    return v.transpose(0, 2, 3, 1).copy()


def test_channels() -> None:
    check(
        [
            Case(
                lambda t: topi.nn.space_to_depth(t, 2),
                lambda v: reference.space_to_depth_python(v, 2),
                (image,),
            ),
            Case(
                lambda t: topi.nn.space_to_depth(t, 2, "NHWC"),
                lambda v: nhwc(reference.space_to_depth_python(image, 2)),
                (nhwc(image),),
            ),
        ]
        + [
            Case(
                lambda t, m=m: topi.nn.depth_to_space(t, 2, mode=m),
                lambda v, m=m: reference.depth_to_space_python(v, 2, m),
                (deep,),
            )
            for m in ("DCR", "CRD")
        ]
        + [
            Case(
                lambda t: topi.nn.depth_to_space(t, 2, "NHWC"),
                lambda v: nhwc(reference.depth_to_space_python(deep, 2)),
                (nhwc(deep),),
            ),
            Case(
                lambda t: topi.nn.pixel_shuffle(t, 2),
                lambda v: reference.depth_to_space_python(v, 2, "CRD"),
                (deep,),
            ),
        ]
    )


def test_batches() -> None:
    check(
        [
            Case(
                lambda t: topi.nn.space_to_batch_nd(t, [3, 2], [1, 1], [2, 0], 7),
                lambda v: reference.space_to_batch_nd_python(v, [3, 2], [1, 1], [2, 0], 7),
                (floats(2, 3, 5, 3),),
            ),
            Case(
                lambda t: topi.nn.space_to_batch_nd(t, [2], [0], [0]),
                lambda v: reference.space_to_batch_nd_python(v, [2], [0], [0]),
                (floats(3, 4, 2),),
            ),
            Case(
                lambda t: topi.nn.batch_to_space_nd(t, [3, 2], [1, 0], [1, 2]),
                lambda v: reference.batch_to_space_nd_python(v, [3, 2], [1, 0], [1, 2]),
                (floats(12, 2, 3, 5),),
            ),
        ]
    )


A = te.placeholder((2, 3, 4, 5), name="A")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: topi.nn.space_to_depth(A, 2), ShapeError, "the size along W, 5, is no multiple of 2"),
        (lambda: topi.nn.depth_to_space(A, 2), ShapeError, "the number of channels, 3, is no multiple of 4"),
        (lambda: topi.nn.depth_to_space(A, 1, mode="RCD"), TewbError, "mode cannot be 'RCD'"),
        (lambda: topi.nn.space_to_depth(A, 0), ShapeError, "a block of 0"),
        (lambda: topi.nn.pixel_shuffle(te.placeholder((4, 4)), 2), ShapeError, "has 2 dimensions"),
        (lambda: topi.nn.space_to_batch_nd(A, [2], [0], [0]), ShapeError, "padded size of dimension 1, 3"),
        (lambda: topi.nn.space_to_batch_nd(A, [2, 2], [0], [0, 0]), TewbError, "2 blocks, 1 and 2 edges"),
        (
            lambda: topi.nn.batch_to_space_nd(A, [3], [0], [0]),
            ShapeError,
            "the size of the batch, 2, is no multiple",
        ),
        (lambda: topi.nn.batch_to_space_nd(A, [2], [4], [4]), ShapeError, "more is cut off dimension 1"),
    ],
)
def test_misuse(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        make()
    assert raised.value.hint
