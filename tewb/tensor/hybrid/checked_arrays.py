"""Arrays that know which of their elements have been written, for hybrid functions that run checked."""

from __future__ import annotations

from typing import Any

import numpy as np


class CheckedArray:
    """An array, and which of its elements have been written."""

    def __init__(self, name: str, data: Any, written: Any, writable: bool) -> None:
        self.name, self.data, self.written, self.writable = name, data, written, writable


def as_checked(name: str, value: Any) -> Any:
    """Arrays of the caller as inputs: all elements are written, and none may be written again."""
    if isinstance(value, np.ndarray):
        return CheckedArray(name, value, np.ones(value.shape, bool), False)
    if isinstance(value, tuple | list):
        return tuple(as_checked(f"{name}[{i}]", v) for i, v in enumerate(value))
    return value


def read_only(value: Any) -> Any:
    """Arrays of a hybrid function as another one that it calls sees them."""
    if isinstance(value, CheckedArray):
        return CheckedArray(value.name, value.data, value.written, False)
    return tuple(read_only(v) for v in value) if isinstance(value, tuple | list) else value
