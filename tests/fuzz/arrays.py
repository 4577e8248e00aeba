"""Arrays of every layout between guard pages: a byte read or written outside ends the process.

What lies in the gaps of a view is random and must stay as it is.
"""

from __future__ import annotations

import ctypes
import mmap
from typing import Any

import numpy as np

from tests.fuzz.programs import Layout

PAGE = mmap.PAGESIZE
_libc = ctypes.CDLL(None, use_errno=True)


class Guarded:
    """`view` is an array of `shape`, laid out as `layout` says, right at a page that nobody may touch."""

    def __init__(self, shape: tuple[int, ...], dtype: str, layout: Layout, rng: np.random.Generator) -> None:
        item = np.dtype(dtype).itemsize
        strides = strides_of(shape, item, layout)
        low = sum(min(s * (n - 1), 0) for s, n in zip(strides, shape, strict=True)) if 0 not in shape else 0
        high = (
            sum(max(s * (n - 1), 0) for s, n in zip(strides, shape, strict=True)) + item
            if 0 not in shape
            else 0
        )
        used = high - low + (layout.shift if item > 1 else 0)
        pages = max(-(-used // PAGE), 1)
        self._memory = mmap.mmap(-1, (pages + 2) * PAGE)
        whole = np.frombuffer(self._memory, np.uint8)
        self.bytes = whole[PAGE : (pages + 1) * PAGE]
        self.bytes[:] = rng.integers(0, 256, self.bytes.size, np.uint8)
        start = (pages * PAGE - (high - low) - (layout.shift if item > 1 else 0)) if layout.at_end else 0
        start += 0 if layout.at_end else (layout.shift if item > 1 else 0)
        self._make = lambda memory, d: np.ndarray(shape, d, memory, start - low, strides)
        self.view = self._make(self.bytes, dtype)
        self._first = whole.ctypes.data
        self._pages = pages
        self._protect(0)

    def _protect(self, access: int) -> None:
        for at in (0, (self._pages + 1) * PAGE):
            _libc.mprotect(ctypes.c_void_p(self._first + at), ctypes.c_size_t(PAGE), access)

    def owned(self) -> Any:
        """For each byte, whether it belongs to an element."""
        mine = np.zeros_like(self.bytes)
        item = self.view.dtype.itemsize
        self._make(mine, f"V{item}")[...] = np.frombuffer(b"\xff" * item, f"V{item}")[0]
        return mine != 0

    def close(self) -> None:
        """Give the memory back (a kernel that keeps an address would find out)."""
        self._protect(mmap.PROT_READ | mmap.PROT_WRITE)


def strides_of(shape: tuple[int, ...], item: int, layout: Layout) -> tuple[int, ...]:
    """The strides of a layout, for elements of `item` bytes."""
    strides = [0] * len(shape)
    step = item
    for d in reversed(layout.order):
        strides[d] = step * layout.steps[d]
        if layout.steps[d]:
            step = strides[d] * max(shape[d], 1)
    return tuple(-s if back else s for s, back in zip(strides, layout.backwards, strict=True))
