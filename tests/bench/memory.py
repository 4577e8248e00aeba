"""Where the arrays of the contest lie: all begin at multiples of 64 bytes, as `tewb.nd.array` and the arrays of other
makers do. numpy's own begin 16 bytes into a line of the caches, and every long vector of theirs lies in two.

Peers import this in environments where tewb is not installed: it stands on numpy alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

LINE = 64


def empty(shape: tuple[int, ...] | int, dtype: Any = np.float32) -> Any:
    dtype = np.dtype(dtype)
    shape = (shape,) if isinstance(shape, int) else shape
    size = dtype.itemsize * math.prod(shape)
    raw = np.empty(size + LINE, np.uint8)
    skip = -raw.ctypes.data % LINE
    return raw[skip : skip + size].view(dtype).reshape(shape)


def copy(a: Any) -> Any:
    made = empty(a.shape, a.dtype)
    made[...] = a
    return made
