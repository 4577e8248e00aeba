"""The memory of arrays: where it ends, whether elements or arrays meet in it, and copies that keep a layout."""

from __future__ import annotations

from typing import Any

import numpy as np

from tewb.runtime.aligned_memory import address_of_first, aligned_bytes, aligned_empty


def byte_range(a: Any, first: int) -> tuple[int, int]:
    """The addresses from the lowest byte of an array to one past its highest, whose first element is given."""
    low, high = first, first + a.itemsize
    for s, n in zip(a.strides, a.shape, strict=True):
        if s < 0:
            low += s * (n - 1)
        else:
            high += s * (n - 1)
    return low, high


def is_nested(a: Any) -> bool:
    """Whether every stride goes beyond all that smaller ones reach, so that no two elements meet."""
    reach = a.itemsize
    for s, n in sorted([(abs(s), n) for s, n in zip(a.strides, a.shape, strict=True) if n > 1]):
        if s < reach:
            return False
        reach += s * (n - 1)
    return True


def elements_meet(a: Any) -> bool:
    """Whether any two elements of an array share a byte, by looking at the offsets of all."""
    offsets = np.zeros((), np.int64)
    for s, n in zip(a.strides, a.shape, strict=True):
        offsets = np.add.outer(offsets, np.arange(n, dtype=np.int64) * s)
    return bool((np.diff(np.sort(offsets, axis=None)) < a.itemsize).any())


def share_memory(a: Any, b: Any) -> bool:
    """Whether two arrays have a byte in common; where that takes long to find out, whether they might."""
    if _apart(a, b):
        return False
    try:
        return bool(np.shares_memory(a, b, max_work=100_000))  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def _apart(a: Any, b: Any) -> bool:
    """Whether two arrays certainly have no byte in common."""
    if a.flags.c_contiguous and b.flags.c_contiguous:
        p, q = address_of_first(a), address_of_first(b)
        return bool(p + a.nbytes <= q or q + b.nbytes <= p)
    return not np.may_share_memory(a, b)


def compact_copy(a: Any, alignment: int) -> Any:
    copy = aligned_empty(a.shape, a.dtype, alignment)
    np.copyto(copy, a)
    return copy


def same_layout_copy(a: Any, alignment: int) -> Any:
    """A copy whose strides are those of `a`, which the kernel expects."""
    if a.flags.c_contiguous or not a.size:
        return compact_copy(a, alignment)
    low, high = np.lib.array_utils.byte_bounds(a)
    first = address_of_first(a) - int(low)
    copy = np.ndarray(a.shape, a.dtype, aligned_bytes(int(high - low), alignment, first), first, a.strides)
    # Where the stride is 0 all elements are one: it is copied once, however often the view repeats it.
    once = tuple(slice(0, 1) if s == 0 else slice(None) for s in a.strides)
    np.copyto(copy[once], a[once])
    return copy
