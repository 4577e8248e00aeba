"""The reference itself, on one cell."""

from __future__ import annotations

import numpy as np

from tewb.topi.testing import lstm_python


def test_one_cell_by_hand() -> None:
    """Open gates (a large bias) add up what comes in."""
    x = np.array([1.0, 2, 3]).reshape(3, 1, 1)
    weights = np.array([0.0, 0, 1, 0]).reshape(4, 1)  # in the order I, F, G, O
    bias = np.array([99.0, 99, 0, 99])
    states, cells = lstm_python(x, weights, np.zeros((4, 1)), bias, g_act="relu", h_act="relu")
    assert cells.ravel().tolist() == [1, 3, 6] and states.ravel().tolist() == [1, 3, 6]
    _, back = lstm_python(x, weights, np.zeros((4, 1)), bias, g_act="relu", h_act="relu", reverse=True)
    assert back.ravel().tolist() == [3, 5, 6]
    shut = lstm_python(x, weights, np.zeros((4, 1)), -bias, weight_layout="IFGO")[1]
    np.testing.assert_allclose(shut, 0, atol=1e-30)
