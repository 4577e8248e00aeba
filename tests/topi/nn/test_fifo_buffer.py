"""A window over data that comes piece by piece."""

from __future__ import annotations

import numpy as np
import pytest

from tests.topi.compare import Case, check, floats
from tewb import te, topi
from tewb.base import ShapeError

old, new = floats(3, 5), floats(3, 2)


def test_what_is_new_stands_behind() -> None:
    check(
        [
            Case(
                lambda x, b: topi.nn.fifo_buffer(x, b, -1), lambda x, b: np.hstack([b[:, 2:], x]), (new, old)
            ),
            Case(lambda x, b: topi.nn.fifo_buffer(x, b, 0), lambda x, b: x, (floats(3, 5, seed=1), old)),
        ]
    )


def test_misuse() -> None:
    with pytest.raises(ShapeError, match="6 new elements along axis 0, and the buffer holds 5"):
        topi.nn.fifo_buffer(te.placeholder((6,)), te.placeholder((5,)), 0)
