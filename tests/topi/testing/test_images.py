"""The references themselves, on a line."""

from __future__ import annotations

import numpy as np

from tewb.topi.testing import images as r

line = np.array([0.0, 2, 4, 6]).reshape(1, 1, 4)


def test_a_line_by_hand() -> None:
    def sized(factor: float, method: str, mode: str) -> list[float]:
        return list(r.resize1d_python(line, (factor,), "NCW", method, mode).ravel())

    assert sized(1.5, "nearest_neighbor", "asymmetric") == [0, 0, 2, 4, 4, 6]
    assert sized(1.75, "linear", "align_corners") == [0, 1, 2, 3, 4, 5, 6]
    assert sized(0.5, "linear", "half_pixel") == [1, 5] and sized(0.25, "linear", "align_corners") == [0]
    np.testing.assert_allclose(sized(0.5, "cubic", "half_pixel"), [1, 5], atol=0.2)


def test_a_plane_by_hand() -> None:
    plane = np.arange(4.0).reshape(1, 1, 2, 2)
    assert r.upsampling_python(plane, 2)[0, 0, 0].tolist() == [0, 0, 1, 1]
    assert r.bilinear_resize_python(plane, (3, 3), "NCHW")[0, 0, 1].tolist() == [1, 1.5, 2]
    boxes = r.crop_and_resize_python(plane, [[0, 0, 2, 1]], [0], (3, 1), "NCHW", "bilinear", -1)
    assert boxes[0, 0].ravel().tolist() == [0.5, 2.5, -1]


def test_places_by_hand() -> None:
    plane = np.arange(4.0).reshape(1, 1, 2, 2)
    grid = r.affine_grid_python(np.array([[[1.0, 0, 0], [0, 1.0, 0]]]), (2, 2))
    assert grid[0, 0].tolist() == [[-1, 1], [-1, 1]] and grid[0, 1].tolist() == [[-1, -1], [1, 1]]
    assert r.grid_sample_python(plane, grid)[0, 0].tolist() == [[0, 1], [2, 3]]
    assert r.grid_sample_python(plane, grid * 3)[0, 0].tolist() == [[0, 0], [0, 0]]
    assert r.grid_sample_python(plane, grid * 3, padding_mode="border")[0, 0].tolist() == [[0, 1], [2, 3]]
    assert r.grid_sample_python(plane, grid * 3, padding_mode="reflection")[0, 0].tolist() == [[3, 2], [1, 0]]
