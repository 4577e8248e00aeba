"""Convolutions of three spatial dimensions."""

from __future__ import annotations

from tests.topi.compare import Case, check, floats
from tewb import topi
from tewb.topi.testing.convolutions import conv3d_ncdhw_python, conv3d_ndhwc_python

a, w, grouped = floats(1, 4, 3, 5, 4), floats(2, 4, 2, 3, 3), floats(2, 2, 2, 3, 3)


def test_layouts_and_groups() -> None:
    ndhwc, dhwio = a.transpose(0, 2, 3, 4, 1).copy(), w.transpose(2, 3, 4, 1, 0).copy()
    check(
        [
            Case(
                lambda t, k: topi.nn.conv3d_ncdhw(t, k, (1, 2, 1), 1, 1, 1),
                lambda t, k: conv3d_ncdhw_python(t, k, (1, 2, 1), 1),
                (a, w),
            ),
            Case(
                lambda t, k: topi.nn.conv3d_ncdhw(t, k, 1, 0, 1, "float32"),
                lambda t, k: conv3d_ncdhw_python(t, k, 1, 0),
                (a, w),
            ),
            Case(
                lambda t, k: topi.nn.conv3d_ncdhw(t, k, 1, "SAME", 1, 2),
                lambda t, k: conv3d_ncdhw_python(t, k, 1, "SAME", 2),
                (a, grouped),
            ),
            Case(
                lambda t, k: topi.nn.conv3d_ndhwc(t, k, 1, 1, 1, 1),
                lambda t, k: conv3d_ndhwc_python(t, k, 1, 1),
                (ndhwc, dhwio),
            ),
        ],
        rtol=1e-4,
        atol=1e-5,
    )
