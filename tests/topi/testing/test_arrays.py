"""The references themselves, on a few numbers."""

from __future__ import annotations

import numpy as np

from tewb.topi.testing import arrays as r

a = np.arange(12).reshape(3, 4)


def test_slices_and_places() -> None:
    assert r.strided_slice_python(a, [0, 1], [3, 4], [2, 2]).tolist() == [[1, 3], [9, 11]]
    assert r.strided_slice_python(a, [1], [2], None, "size", [1]).tolist() == [[1, 2], [5, 6], [9, 10]]
    assert r.strided_set_python(a, 0, [1], [3], [1]).tolist() == [[0, 1, 2, 3], [0] * 4, [0] * 4]
    assert r.slice_axis_python(a, -1, 3).ravel().tolist() == [3, 7, 11]
    assert r.gather_python(a, 1, np.array([[3], [0], [1]])).ravel().tolist() == [3, 4, 9]
    assert r.gather_nd_python(a, np.array([[0, 2], [1, 3]])).tolist() == [1, 11]
    assert r.gather_nd_python(a, np.array([[2, 0, 1]]), 1).tolist() == [2, 4, 9]
    assert r.sequence_mask(a, [1, 2, 3, 0], -1, 0)[2].tolist() == [-1, -1, 10, -1]
    assert r.one_hot(np.array([1, 0]), 5, 0, 3, 0, "int8").tolist() == [[0, 5], [5, 0], [0, 0]]
    assert r.matrix_set_diag(np.zeros((2, 3)), np.array([7, 8]), 1).tolist() == [[0, 7, 0], [0, 0, 8]]
    assert r.searchsorted_ref(np.array([1, 3]), np.array([3]), True, "int32").tolist() == [2]


def test_blocks_go_there_and_back() -> None:
    x = np.random.default_rng(0).random((2, 4, 4, 6))
    assert (r.depth_to_space_python(r.space_to_depth_python(x, 2), 2) == x).all()
    assert (
        r.batch_to_space_nd_python(
            r.space_to_batch_nd_python(x, [2, 2], [1, 0], [1, 2]), [2, 2], [1, 0], [1, 2]
        )
        == x
    ).all()
    assert r.reorg_python(x, 2).shape == (2, 16, 2, 3)


def test_products() -> None:
    x, y = np.ones((2, 3, 4)), np.ones((1, 5, 4))
    assert r.batch_matmul(x, y).shape == (2, 3, 5) and r.batch_matmul(x, y)[0, 0, 0] == 4
    assert r.dense(x[0], -y[0], 1, True, True).max() == 0
