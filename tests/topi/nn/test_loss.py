"""Losses."""

from __future__ import annotations

import pytest

from tests.topi.compare import Case, check, floats, integers
from tewb import te, topi
from tewb.base import ShapeError, TewbError
from tewb.topi.testing.norms import nll_loss


def test_negative_log_likelihood() -> None:
    p, w = floats(5, 4, 3), floats(4, low=0.1)
    t = integers(5, 3, low=0, high=4)
    flat, t64 = floats(6, 4), integers(6, low=-1, high=4, dtype="int64")
    check(
        [
            Case(
                lambda *a, r=r: topi.nn.nll_loss(*a, r, 2),
                lambda *a, r=r: nll_loss(*a, r, 2),
                (p, t, w),
            )
            for r in ("none", "sum", "mean")
        ]
        + [
            Case(
                lambda *a: topi.nn.nll_loss(*a, "mean", -1),
                lambda *a: nll_loss(*a, "mean", -1),
                (flat, t64, w),
            )
        ],
        rtol=1e-4,
    )


def test_misuse() -> None:
    P, T, W = te.placeholder((5, 4)), te.placeholder((5,), "int32"), te.placeholder((3,))
    with pytest.raises(ShapeError, match="the numbers of weights and of classes are 3 and 4"):
        topi.nn.nll_loss(P, T, W, "mean", -1)
    with pytest.raises(TewbError, match="reduction cannot be 'avg'"):
        topi.nn.nll_loss(P, T, W, "avg", -1)
    with pytest.raises(ShapeError, match="has 1 dimensions and"):
        topi.nn.nll_loss(T, T, W, "sum", -1)
