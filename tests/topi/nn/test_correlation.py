"""Correlation of patches, beside one patch at a time."""

from __future__ import annotations

import pytest

from tests.topi.compare import Case, check, floats
from tewb import te, topi
from tewb.base import ShapeError
from tewb.topi.testing import correlation_nchw_python

a, b = floats(2, 3, 9, 10), floats(2, 3, 9, 10, seed=1)
OPTIONS = [(1, 2, 1, 1, 2, True), (3, 2, 2, 2, (3, 2, 1, 2), False), (1, 4, 1, 2, 4, True)]


def test_moved_patches() -> None:
    check(
        [
            Case(
                lambda x, y, o=o: topi.nn.correlation_nchw(x, y, *o),
                lambda x, y, o=o: correlation_nchw_python(x, y, *o),
                (a, b),
            )
            for o in OPTIONS
        ],
        rtol=1e-4,
    )


def test_misuse() -> None:
    t = te.placeholder((1, 1, 4, 4))
    with pytest.raises(ShapeError, match="leave no pixel"):
        topi.nn.correlation_nchw(t, t, 1, 4, 1, 1, 0, True)
