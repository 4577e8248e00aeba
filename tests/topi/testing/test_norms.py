"""The references themselves, on a few numbers."""

from __future__ import annotations

import numpy as np

from tewb.topi.testing import norms as r

row = np.array([[1.0, 2, 3, 6]])


def test_a_row_by_hand() -> None:
    made = r.softmax_python(np.log(row), -1)
    np.testing.assert_allclose(made, row / 12)
    np.testing.assert_allclose(r.log_softmax_python(np.log(row), -1), np.log(row / 12))
    np.testing.assert_allclose(r.layer_norm_python(row, 2.0, 1.0, -1, 0.5), (row - 3) / 2 * 2 + 1)
    np.testing.assert_allclose(r.rms_norm_python(row, 3.0, -1, 3.75), row / 4 * 3, rtol=0.02)
    np.testing.assert_allclose(r.l2_normalize_python(row, 0), row / np.sqrt(50))
    np.testing.assert_allclose(r.lrn_python(row, 3, 1, 1, 3, 1), row / (1 + np.array([5, 14, 49, 45])))


def test_losses_by_hand() -> None:
    t, w = np.array([3]), np.array([1.0, 1, 1, 0.5])
    assert r.nll_loss(row, t, w, "none").tolist() == [-3] and r.nll_loss(row, t, w) == -6
    assert r.nll_loss(row, t, w, "sum", 3) == 0
