"""Grey-scale dilation, beside sums of windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.topi.compare import Case, check, floats
from tewb import topi


def largest(x: Any, w: Any, stride: int, pad: int, apart: int) -> Any:
    wide = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), constant_values=-np.inf)
    kh, kw = w.shape[1:]
    views = [
        wide[:, :, i * apart :, j * apart :] + w[None, :, i, j, None, None]
        for i in range(kh)
        for j in range(kw)
    ]
    rows, columns = (n - (k - 1) * apart for n, k in zip(wide.shape[2:], (kh, kw), strict=True))
    return np.max([v[:, :, :rows, :columns] for v in views], 0)[:, :, ::stride, ::stride]


def test_windows_in_both_layouts() -> None:
    x, w = floats(2, 3, 7, 8), floats(3, 3, 2)
    check(
        [
            Case(
                lambda t, k: topi.image.dilation2d_nchw(t, k, 2, 1, 1),
                lambda t, k: largest(t, k, 2, 1, 1),
                (x, w),
            ),
            Case(
                lambda t, k: topi.image.dilation2d_nhwc(t, k, 1, 2, 2),
                lambda t, k: largest(t.transpose(0, 3, 1, 2), k.transpose(2, 0, 1), 1, 2, 2).transpose(
                    0, 2, 3, 1
                ),
                (x.transpose(0, 2, 3, 1).copy(), w.transpose(1, 2, 0).copy()),
            ),
        ]
    )
