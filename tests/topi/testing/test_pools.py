"""The references themselves, on a line and a plane."""

from __future__ import annotations

import numpy as np

from tewb.topi.testing import pools as r

line = np.array([1.0, 3, 2, 6]).reshape(1, 1, 4)


def test_a_line_by_hand() -> None:
    def pooled(kind: str, **options: object) -> list[float]:
        made = r.poolnd_python(line, (2,), (2,), (1,), (1,), (0,), kind, **options)  # type: ignore[arg-type]
        return made.ravel().tolist()  # type: ignore[no-any-return]

    assert pooled("max") == [1, 3]
    assert pooled("avg") == [0.5, 2.5] and pooled("avg", count_include_pad=False) == [1, 2.5]
    assert pooled("avg", ceil_mode=True) == [0.5, 2.5, 6]
    wide = r.poolnd_python(line, (2,), (2,), (1,), (3,), (0,), "max")
    assert wide.ravel().tolist() == [-np.inf, 1, 3]
    assert r.adaptive_pool(line, 3, "avg", "NCW").ravel().tolist() == [2, 2.5, 4]


def test_gradients_by_hand() -> None:
    plane, given = line.reshape(1, 1, 2, 2), np.array([[[[8.0]]]])
    largest = r.pool_grad_nchw(plane, given, (2, 2), (1, 1), (0, 0, 0, 0), "max", False)
    mean = r.pool_grad_nchw(plane, given, (2, 2), (1, 1), (0, 0, 0, 0), "avg", False)
    assert largest.ravel().tolist() == [0, 0, 0, 8] and mean.ravel().tolist() == [2, 2, 2, 2]
