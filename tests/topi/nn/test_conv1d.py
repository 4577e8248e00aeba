"""Convolutions of one spatial dimension."""

from __future__ import annotations

from typing import Any

from tests.topi.compare import Case, check, floats
from tewb import topi
from tewb.topi.testing.convolutions import conv1d_ncw_python, group_conv1d_ncw_python

a, w, grouped = floats(2, 6, 9), floats(4, 6, 3), floats(4, 3, 3)
SETTINGS: list[tuple[Any, Any, Any]] = [(1, 0, 1), (2, 1, 1), (1, "SAME", 1), (2, (1, 2), 2), (1, "VALID", 3)]


def turned(v: Any) -> Any:
    """NCW and NWC, the one to the other."""
    return v.transpose(0, 2, 1).copy()


def test_layouts_strides_and_groups() -> None:
    nwc, wio, wio_grouped = turned(a), w.transpose(2, 1, 0).copy(), grouped.transpose(2, 1, 0).copy()
    check(
        [
            Case(
                lambda t, k, s=s: topi.nn.conv1d_ncw(t, k, *s),
                lambda t, k, s=s: conv1d_ncw_python(t, k, *s),
                (a, w),
            )
            for s in SETTINGS
        ]
        + [
            Case(
                lambda t, k: topi.nn.conv1d_nwc(t, k, 2, 1, 1),
                lambda t, k: turned(conv1d_ncw_python(a, w, 2, 1, 1)),
                (nwc, wio),
            ),
            Case(
                lambda t, k: topi.nn.group_conv1d_ncw(t, k, 1, 1, 2, 2),
                lambda t, k: group_conv1d_ncw_python(t, k, 1, 1, 2, 2),
                (a, grouped),
            ),
            Case(
                lambda t, k: topi.nn.group_conv1d_nwc(t, k, groups=2),
                lambda t, k: turned(group_conv1d_ncw_python(a, grouped, 1, 0, 1, 2)),
                (nwc, wio_grouped),
            ),
            Case(topi.nn.conv1d, lambda t, k: conv1d_ncw_python(t, k, 1, 0, 1), (a, w)),
            Case(
                lambda t, k: topi.nn.conv1d(t, k, data_layout="NWC", out_dtype="float64"),
                lambda t, k: turned(conv1d_ncw_python(a, w, 1, 0, 1)),
                (nwc, wio),
            ),
        ],
        rtol=1e-4,
        atol=1e-5,
    )
