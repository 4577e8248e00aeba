"""The memory of arrays: its ends, elements that meet, and copies with the layout of what they copy."""

from __future__ import annotations

import numpy as np
import pytest

from tewb.runtime.array_memory import (
    byte_range,
    compact_copy,
    elements_meet,
    is_nested,
    same_layout_copy,
    share_memory,
)

A = np.arange(24, dtype="int32").reshape(4, 6)


def test_the_ends_of_an_array_are_those_of_its_bytes() -> None:
    assert byte_range(A, 1000) == (1000, 1096)
    assert byte_range(A[::-1, 1:3], 1000) == (1000 - 72, 1000 + 8)


@pytest.mark.parametrize(
    ("strides", "nested", "meet"),
    [((24, 4), True, False), ((4, 4), False, True), ((4, 16), True, False), ((4, 12), False, True), ((12, 28), False, False)],
)  # fmt: skip
def test_elements_are_apart_where_strides_nest_and_sometimes_where_not(
    strides: tuple[int, int], nested: bool, meet: bool
) -> None:
    a = np.lib.stride_tricks.as_strided(np.zeros(64, "int32"), (4, 3), strides)
    assert (is_nested(a), elements_meet(a)) == (nested, meet)


def test_views_share_memory_where_a_byte_is_in_both() -> None:
    assert share_memory(A[:, :3], A[:, 2:]) and not share_memory(A[:, ::2], A[:, 1::2])
    assert not share_memory(A, A.copy())


def test_copies_keep_values_and_one_keeps_strides() -> None:
    view = A[::-1, ::2]
    for copy, strides in ((compact_copy(view, 64), (12, 4)), (same_layout_copy(view, 64), view.strides)):
        np.testing.assert_array_equal(copy, view)
        assert copy.strides == strides and not share_memory(copy, A) and copy.ctypes.data % 64 == 0
