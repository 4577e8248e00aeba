"""What the schedules know of the processor: the width and the number of its vector registers, and its caches, roughly."""

from __future__ import annotations

from tewb.base import DType
from tewb.runtime import Target
from tewb.tensor import Tensor
from tewb.topi.checks import known
from tewb.topi.generic.stages import elements

L2_BYTES = 1 << 18  # a part of the second-level cache that a tile may fill
STREAMED_BYTES = 4 << 20  # results as large as this go past the caches: nothing of them would be left there
LINE, LONG_ROW = 64, 4096  # bytes: a line of the caches, and a row whose ends do not count
WORTH_THREADS = 1 << 15  # elements: below that, waking threads takes longer than the work


def vector_lanes(dtype: str) -> int:
    """How many elements of a dtype a vector register holds."""
    return max(Target.host().vector_bytes // max(DType(dtype).nbytes, 1), 2)


def vector_registers() -> int:
    """How many vector registers there are."""
    host = Target.host()
    return 32 if host.vector_bytes == 64 or not host.arch.startswith("x86") else 16


def is_streamed(t: Tensor) -> bool:
    """Whether a result is too large for the caches, and has rows of whole lines, or long ones: what shares a line with another row
    is read back."""
    nbytes = DType(t.dtype).nbytes
    row = (known(t.shape[-1]) or 0) * nbytes if t.ndim else 0
    return elements(t) * nbytes >= STREAMED_BYTES and (row % LINE == 0 or row >= LONG_ROW)


def is_worth_threads(t: Tensor, work: int = 1) -> bool:
    """Whether computing a tensor, of `work` operations for each element, is worth threads. Unknown sizes are."""
    count = elements(t)
    return count == 0 or count * work >= WORTH_THREADS
