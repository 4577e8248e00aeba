"""Aligned memory: arrays that begin at the start of a cache line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

LINE = 64  # bytes of a cache line, and of the longest vectors


def address_of_first(a: Any) -> int:
    """The address of the first element of an array."""
    address: int = a.__array_interface__["data"][0]
    return address


def aligned_bytes(size: int, alignment: int, first: int = 0) -> Any:
    """`size` fresh bytes; the address of byte `first` is a multiple of `alignment`."""
    raw = np.empty(size + alignment, np.uint8)
    skip = -(address_of_first(raw) + first) % alignment if alignment else 0
    return raw[skip : skip + size]


def aligned_empty(shape: Sequence[int], dtype: Any, alignment: int = LINE) -> Any:
    """A compact array whose values are not set, at a multiple of `alignment` bytes.

    numpy's own begin 16 bytes into a line: every vector of 64 bytes lies in two of them.
    """
    dtype = np.dtype(dtype)
    return np.ndarray(shape, dtype, aligned_bytes(dtype.itemsize * math.prod(shape), alignment))
