"""Darknet's reorganisation."""

from __future__ import annotations

import pytest

from tests.topi.compare import Case, check, floats
from tewb import te, topi
from tewb.base import ShapeError
from tewb.topi.testing import reorg_python


def test_blocks() -> None:
    check(
        [
            Case(lambda t: topi.vision.reorg(t, 2), lambda v: reorg_python(v, 2), (floats(2, 8, 4, 6),)),
            Case(lambda t: topi.vision.reorg(t, 3), lambda v: reorg_python(v, 3), (floats(1, 9, 3, 6),)),
        ]
    )


def test_misuse() -> None:
    with pytest.raises(ShapeError, match="6 channels are no multiple of 2 \\* 2"):
        topi.vision.reorg(te.placeholder((1, 6, 4, 4)), 2)
    with pytest.raises(ShapeError, match="the width 5 is no multiple of 2"):
        topi.vision.reorg(te.placeholder((1, 4, 4, 5)), 2)
