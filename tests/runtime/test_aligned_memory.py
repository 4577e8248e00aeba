"""Arrays that begin at the start of a cache line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tewb.runtime.aligned_memory import LINE, address_of_first, aligned_bytes, aligned_empty


def test_the_address_is_that_of_the_first_element() -> None:
    a = np.arange(8, dtype="int16")
    assert address_of_first(a) == a.ctypes.data
    assert address_of_first(a[3:]) == a.ctypes.data + 6
    assert address_of_first(a[::-1]) == a.ctypes.data + 14


@pytest.mark.parametrize("alignment", [1, 2, 16, 64, 4096])
@pytest.mark.parametrize("first", [0, 1, 24, 64])
def test_byte_first_is_aligned(alignment: int, first: int) -> None:
    memory = aligned_bytes(100, alignment, first)
    assert (memory.size, memory.dtype) == (100, np.uint8)
    assert (address_of_first(memory) + first) % alignment == 0


def test_no_alignment_and_no_bytes() -> None:
    assert aligned_bytes(7, 0).size == 7 and aligned_bytes(0, 64).size == 0


@pytest.mark.parametrize("shape", [(), (1,), (5, 7)])
@pytest.mark.parametrize("dtype", ["bool", "float64", np.int16])
def test_arrays_are_compact_writeable_and_aligned(shape: Any, dtype: Any) -> None:
    a = aligned_empty(shape, dtype)
    assert (a.shape, a.dtype) == (shape, np.dtype(dtype)) and a.flags.c_contiguous and a.flags.writeable
    assert address_of_first(a) % LINE == 0 and address_of_first(aligned_empty(shape, dtype, 256)) % 256 == 0
    a[...] = 1
    assert (a == 1).all()


def test_arrays_without_elements() -> None:
    assert aligned_empty((3, 0, 2), "int8").shape == (3, 0, 2)
