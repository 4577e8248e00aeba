"""Strides, dilations, and padding in its many spellings."""

from __future__ import annotations

from typing import Any

import pytest

from tewb import te
from tewb.base import ShapeError, TewbError
from tewb.topi.nn import windows


@pytest.mark.parametrize(
    ("padding", "front", "behind"),
    [
        (1, (1, 1), (1, 1)),
        ((1, 2), (1, 2), (1, 2)),
        ((1, 2, 3, 4), (1, 2), (3, 4)),
        ("VALID", (0, 0), (0, 0)),
        ("SAME", (1, 2), (1, 1)),
    ],
)
def test_padding(padding: Any, front: Any, behind: Any) -> None:
    assert windows.padding_of("f", padding, (3, 4), (1, 1)) == (front, behind)


def test_windows_that_fit() -> None:
    assert windows.window_count("f", 7, 3, 2, 1, 0) == 3
    assert windows.window_count("f", te.const(7), te.const(3), 1, 2, 2) == 5
    assert windows.window_count("f", te.var("n"), 3, 1, 1, 2).dtype == "int32"


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda: windows.padding_of("f", "same", (3, 3), (1, 1)), TewbError, "padding cannot be 'same'"),
        (lambda: windows.padding_of("f", (1, 2, 3), (3, 3), (1, 1)), ShapeError, "takes 2 numbers, not 3"),
        (lambda: windows.positive("f", "stride", 0, 2), ShapeError, "stride 0 is not above 0"),
        (
            lambda: windows.window_count("f", 3, 5, 1, 1, 1),
            ShapeError,
            "a window of 5 does not fit 3 elements",
        ),
    ],
)
def test_misuse(ask: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        ask()
    assert raised.value.hint
