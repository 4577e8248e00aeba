"""What the schedules know of the processor: the width and the number of its vector registers, and its caches, roughly."""

from __future__ import annotations

from tewb.base import DType
from tewb.runtime import Target
from tewb.tensor import Tensor
from tewb.topi.generic.stages import elements

L2_BYTES = 1 << 18  # a part of the second-level cache that a tile may fill
STREAMED_BYTES = 4 << 20  # results as large as this go past the caches: nothing of them would be left there
WORTH_THREADS = 1 << 15  # elements: below that, waking threads takes longer than the work


def vector_lanes(dtype: str) -> int:
    """How many elements of a dtype a vector register holds."""
    return max(Target.host().vector_bytes // max(DType(dtype).nbytes, 1), 2)


def vector_registers() -> int:
    """How many vector registers there are."""
    host = Target.host()
    return 32 if host.vector_bytes == 64 or not host.arch.startswith("x86") else 16


def is_streamed(t: Tensor) -> bool:
    """Whether a result is too large for the caches."""
    return elements(t) * DType(t.dtype).nbytes >= STREAMED_BYTES


def is_worth_threads(t: Tensor, work: int = 1) -> bool:
    """Whether computing a tensor, of `work` operations for each element, is worth threads. Unknown sizes are."""
    count = elements(t)
    return count == 0 or count * work >= WORTH_THREADS
