"""Regions and moved windows on arrays, where the answer is plain."""

from __future__ import annotations

import numpy as np

from tests.topi.compare import floats
from tewb.topi import testing

x = floats(1, 2, 6, 6)


def test_a_region_of_whole_pixels_is_their_maximum() -> None:
    whole = np.array([[0, 0, 0, 5, 5]], "float32")
    parts = x.reshape(1, 2, 2, 3, 2, 3).max((3, 5))
    np.testing.assert_array_equal(testing.roi_pool_nchw_python(x, whole, 2, 1.0), parts)
    flat = np.full((1, 1, 4, 4), 3, "float32")
    assert (testing.roi_align_nchw_python(flat, whole[:, :] * 0.5, 2, 1.0, 2) == 3).all()


def test_windows_that_are_not_moved_are_a_convolution() -> None:
    w = floats(2, 2, 3, 3)
    got = testing.deformable_conv2d_nchw_python(x, np.zeros((1, 18, 4, 4)), w, 1, 0, 1, 1, 1)
    np.testing.assert_allclose(got, testing.conv2d_nchw_python(x, w, 1, 0), 1e-4, 1e-5)


def test_an_image_fits_itself() -> None:
    got = testing.correlation_nchw_python(x, x, 1, 1, 1, 1, 0, False)
    assert got.shape == (1, 9, 4, 4) and (got[:, 4] == 0).all()


def test_pools_as_old_programs_call_them() -> None:
    got = testing.pool1d_ncw_python(x[0], 2, 2, (0, 0), None, "max")
    np.testing.assert_array_equal(got, x[0].reshape(2, 6, 3, 2).max(3))
    volume = floats(1, 1, 2, 4, 4)
    got = testing.pool3d_ncdhw_python(volume, 2, 2, 0, None, "avg")
    np.testing.assert_allclose(got, volume.reshape(1, 1, 1, 2, 2, 2, 2, 2).mean((3, 5, 7)), 1e-6)
