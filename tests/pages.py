"""Arrays that touch memory without access: reading or writing one element too many ends the process."""

from __future__ import annotations

import ctypes
import mmap
from typing import Any

import numpy as np

PAGE = mmap.PAGESIZE


def between_pages(a: Any, at_end: bool = True) -> Any:
    """A copy of `a` whose last element (or first, without `at_end`) lies right beside a page without access."""
    a = np.ascontiguousarray(a)
    size = -(-max(a.nbytes, 1) // PAGE) * PAGE
    memory = mmap.mmap(-1, size + 2 * PAGE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    libc = ctypes.CDLL(None, use_errno=True)
    for page in (address, address + PAGE + size):
        if libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(PAGE), 0) != 0:
            raise OSError(ctypes.get_errno(), "mprotect")
    start = PAGE + (size - a.nbytes if at_end else 0)
    made = np.frombuffer(memory, a.dtype, a.size, start).reshape(a.shape) if a.size else a.copy()
    made[...] = a
    return made
