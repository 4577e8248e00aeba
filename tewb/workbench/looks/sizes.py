"""How much memory a tensor or buffer takes, for people."""

from __future__ import annotations

import math

from tewb.ir import Buffer, const_int
from tewb.tensor import Tensor
from tewb.workbench.session import bytes_shown


def memory_shown(b: Tensor | Buffer) -> str:
    """Bytes in a readable unit, or "symbolic size"."""
    sizes = [n for n in map(const_int, b.shape) if n is not None]
    if len(sizes) < len(b.shape):
        return "symbolic size"
    return bytes_shown(math.prod(sizes) * b.dtype.nbytes)
