"""Regions of interest, beside one point at a time."""

from __future__ import annotations

import numpy as np
import pytest

from tests.topi.compare import Case, check, floats
from tewb import te
from tewb.base import TewbError
from tewb.topi.testing import roi_align_nchw_python, roi_align_nhwc_python, roi_pool_nchw_python
from tewb.topi.vision import rcnn

a = floats(2, 3, 9, 11)
rois = np.array([[0, 1, 2, 14, 9], [1, -3, -2, 5, 30], [1, 4, 4, 4, 4], [0, 18, 10, 29, 26]], "float32")


def test_regions_are_brought_to_one_size() -> None:
    check(
        [
            Case(
                lambda t, r, m=mode, n=ratio: rcnn.roi_align_nchw(t, r, (3, 2), 0.5, m, n),
                lambda v, r, m=mode, n=ratio: roi_align_nchw_python(v, r, (3, 2), 0.5, n, m),
                (a, rois),
            )
            for mode, ratio in ((0, -1), (b"max", 2), ("avg", 3))
        ]
        + [
            Case(
                lambda t, r: rcnn.roi_align_nhwc(t, r, 2, 0.5, "max"),
                lambda v, r: roi_align_nhwc_python(v, r, 2, 0.5, -1, "max"),
                (a.transpose(0, 2, 3, 1).copy(), rois),
            ),
            Case(
                lambda t, r: rcnn.roi_pool_nchw(t, r, (3, 2), 0.5),
                lambda v, r: roi_pool_nchw_python(v, r, (3, 2), 0.5),
                (a, rois),
            ),
        ],
        rtol=1e-4,
        atol=1e-5,
    )


def test_misuse() -> None:
    with pytest.raises(TewbError, match="mode cannot be 'sum'"):
        rcnn.roi_align_nchw(te.placeholder((1, 1, 4, 4)), te.placeholder((2, 5)), 2, 1.0, "sum")
