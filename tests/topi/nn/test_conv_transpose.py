"""Transposed convolutions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.topi.compare import Case, check, floats
from tewb import te, topi
from tewb.base import ShapeError
from tewb.topi.testing import convolutions as reference

a1, w1 = floats(2, 4, 5), floats(4, 3, 3)
a2, w2 = floats(1, 4, 3, 4), floats(4, 3, 3, 2)
a3, w3 = floats(1, 2, 2, 3, 2), floats(2, 3, 2, 3, 2)
SETTINGS: list[tuple[Any, Any, Any]] = [(1, 0, 0), (2, 1, 1), (3, 2, 0), (1, (3, 0), 0)]


def test_any_number_of_dimensions() -> None:
    check(
        [
            Case(
                lambda t, k, s=s: topi.nn.conv1d_transpose_ncw(t, k, s[0], s[1], None, s[2]),
                lambda t, k, s=s: reference.conv1d_transpose_ncw_python(t, k, *s),
                (a1, w1),
            )
            for s in SETTINGS
        ]
        + [
            Case(
                lambda t, k: topi.nn.group_conv1d_transpose_ncw(t, k, 2, 1, None, 0, 2),
                lambda t, k: reference.group_conv1d_transpose_ncw_python(t, k, 2, 1, 0, 2),
                (a1, w1),
            ),
            Case(
                lambda t, k: topi.nn.conv2d_transpose_nchw(t, k, (2, 1), (1, 0, 0, 1), "float32", (1, 0)),
                lambda t, k: reference.conv2d_transpose_nchw_python(t, k, (2, 1), (1, 0, 0, 1), (1, 0)),
                (a2, w2),
            ),
            Case(
                lambda t, k: topi.nn.group_conv2d_transpose_nchw(t, k, 2, 0, None, 0, 2),
                lambda t, k: reference.conv2d_transpose_nchw_python(t, k, 2, 0, 0, 2),
                (a2, w2),
            ),
            Case(
                lambda t, k: topi.nn.conv3d_transpose_ncdhw(t, k, 2, 1, None, 0),
                lambda t, k: reference.conv3d_transpose_ncdhw_python(t, k, 2, 1, 0),
                (a3, w3),
            ),
        ],
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda A, W: topi.nn.conv1d_transpose_ncw(A, W, 2, 0, None, 2),
            "output_padding 2 for a stride of 2",
        ),
        (
            lambda A, W: topi.nn.conv1d_transpose_ncw(W, W, 2, 0, None, 0),
            "input channels of kernel and data are 5 and 4",
        ),
        (
            lambda A, W: topi.nn.group_conv1d_transpose_ncw(A, W, 2, 0, None, 0, 3),
            "5 input channels do not make 3",
        ),
    ],
)
def test_misuse(make: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message) as raised:
        make(te.placeholder((2, 5, 7), name="A"), te.placeholder((5, 4, 3), name="W"))
    assert raised.value.hint
