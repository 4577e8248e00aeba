"""The references themselves, against sums written out."""

from __future__ import annotations

import numpy as np

from tewb.topi.testing import convolutions as r

line, weights = np.arange(1.0, 6.0).reshape(1, 1, 5), np.array([1.0, 10, 100]).reshape(1, 1, 3)


def test_a_line_by_hand() -> None:
    assert r.conv1d_ncw_python(line, weights, 1, "VALID", 1).ravel().tolist() == [321, 432, 543]
    assert r.conv1d_ncw_python(line, weights, 2, 1, 1).ravel().tolist() == [210, 432, 54]
    assert r.conv1d_ncw_python(line, weights, 1, 0, 2).ravel().tolist() == [531]
    assert r.dilate_python(np.array([1, 2, 3]), (2,), 9).tolist() == [1, 9, 2, 9, 3]


def test_a_transposed_line_by_hand() -> None:
    short = line[..., :2]
    assert r.conv1d_transpose_ncw_python(short, weights, 2, 0, 0).ravel().tolist() == [1, 10, 102, 20, 200]
    assert r.conv1d_transpose_ncw_python(short, weights, 2, 1, 1).ravel().tolist() == [10, 102, 20, 200]


def test_layouts_agree() -> None:
    rng = np.random.default_rng(0)
    a, w = rng.random((2, 4, 5, 6)), rng.random((3, 4, 3, 2))
    want = r.conv2d_nchw_python(a, w, (2, 1), "SAME")
    nhwc = r.conv2d_nhwc_python(a.transpose(0, 2, 3, 1), w.transpose(2, 3, 1, 0), (2, 1), "SAME")
    hwcn = r.conv2d_hwcn_python(a.transpose(2, 3, 1, 0), w.transpose(2, 3, 1, 0), (2, 1), "SAME")
    np.testing.assert_allclose(nhwc.transpose(0, 3, 1, 2), want)
    np.testing.assert_allclose(hwcn.transpose(3, 2, 0, 1), want)
    back, kernel = rng.random((1, 2, 3, 4)), rng.random((4, 5, 3, 3))
    made = r.conv2d_transpose_nhwc_python(back, kernel.transpose(2, 3, 1, 0), "HWOI", 2, 1)
    want = r.conv2d_transpose_nchw_python(back.transpose(0, 3, 1, 2), kernel, 2, 1, 0)
    np.testing.assert_allclose(made.transpose(0, 3, 1, 2), want)
