"""Convolutions whose windows are moved, beside one element at a time."""

from __future__ import annotations

import pytest

from tests.topi.compare import Case, check, floats
from tewb import te, topi
from tewb.base import ShapeError
from tewb.topi.testing import deformable_conv2d_nchw_python, deformable_conv2d_nhwc_python

x, w, off = floats(1, 4, 6, 7), floats(4, 2, 3, 3), floats(1, 36, 6, 7, low=-2.5, high=2.5)


def test_windows_are_moved() -> None:
    check(
        [
            Case(
                lambda t, o, k: topi.nn.deformable_conv2d_nchw(t, o, k, 1, 1, 1, 2, 2),
                lambda t, o, k: deformable_conv2d_nchw_python(t, o, k, 1, 1, 1, 2, 2),
                (x, off, w),
            ),
            Case(
                lambda t, o, k: topi.nn.deformable_conv2d_nhwc(t, o, k, 2, (1, 2), 1, 1, 1),
                lambda t, o, k: deformable_conv2d_nhwc_python(t, o, k, 2, (1, 2), 1, 1, 1),
                (
                    x.transpose(0, 2, 3, 1).copy(),
                    floats(1, 3, 5, 18, low=-2.5, high=2.5),
                    floats(3, 3, 4, 3),
                ),
            ),
        ],
        rtol=1e-4,
        atol=1e-4,
    )


def test_misuse() -> None:
    t, o, k = te.placeholder((1, 4, 6, 7)), te.placeholder((1, 18, 5, 7)), te.placeholder((4, 4, 3, 3))
    with pytest.raises(ShapeError, match="a size of the offsets and what it has to be are 5 and 6"):
        topi.nn.deformable_conv2d_nchw(t, o, k, 1, 1, 1, 1, 1)
    with pytest.raises(ShapeError, match="do not make 3 deformable groups"):
        topi.nn.deformable_conv2d_nchw(t, o, k, 1, 1, 1, 3, 1)
