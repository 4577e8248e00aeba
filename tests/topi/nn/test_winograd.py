"""Convolutions by Winograd's name have the numbers of direct ones."""

from __future__ import annotations

import pytest

from tests.topi.compare import Case, check, floats
from tewb import te, topi
from tewb.base import TewbError
from tewb.topi.testing import conv2d_nchw_python, conv2d_nhwc_python


def test_the_numbers_are_those_of_conv2d() -> None:
    check(
        [
            Case(
                lambda x, w: topi.nn.conv2d_winograd_nchw(x, w, 1, 1, 1, "float32"),
                lambda x, w: conv2d_nchw_python(x, w, 1, 1),
                (floats(1, 3, 6, 5), floats(2, 3, 3, 3)),
            ),
            Case(
                lambda x, w: topi.nn.conv2d_winograd_nhwc(x, w, 1, 1, 1),
                lambda x, w: conv2d_nhwc_python(x, w, 1, 1),
                (floats(1, 6, 5, 3), floats(3, 3, 3, 2)),
            ),
        ],
        rtol=1e-4,
    )


def test_transformed_weights_are_refused() -> None:
    with pytest.raises(TewbError, match="transformed beforehand"):
        topi.nn.conv2d_winograd_nhwc(
            te.placeholder((1, 6, 5, 3)), te.placeholder((6, 6, 3, 2)), 1, 1, 1, pre_computed=True
        )
