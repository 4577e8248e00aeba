"""Sizes in bytes, and how much memory a tensor or buffer takes, for people."""

from __future__ import annotations

import math

from tewb.ir import Buffer, const_int
from tewb.tensor import Tensor


def bytes_shown(n: int) -> str:
    """A size in bytes, in a readable unit."""
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if n >= size:
            return f"{n / size:.4g} {unit}"
    return f"{n} B"


def memory_shown(b: Tensor | Buffer) -> str:
    """Bytes in a readable unit, or "symbolic size"."""
    sizes = [n for n in map(const_int, b.shape) if n is not None]
    if len(sizes) < len(b.shape):
        return "symbolic size"
    return bytes_shown(math.prod(sizes) * b.dtype.nbytes)
