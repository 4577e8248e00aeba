"""Vectors cut into slices of one width, and joined again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.codegen.llvm_functions import computed, function
from tewb.base import DType
from tewb.codegen.function import Function
from tewb.codegen.vector_slices import join_slices, lane_slice


@pytest.mark.parametrize("width", [2, 4, 16])
@pytest.mark.parametrize("lanes", [2, 3, 5, 8, 13])
def test_slices_join_to_the_same_vector(lanes: int, width: int) -> None:
    d = DType("int16").with_lanes(lanes)

    def write(f: Function, x: Sequence[str]) -> str:
        slices = [lane_slice(f, x[0], d, at, width) for at in range(0, lanes, width)]
        return join_slices(f, slices, width, d)

    a = np.arange(100, 100 + lanes, dtype="int16")
    np.testing.assert_array_equal(computed(write, a, lanes=lanes), a)


def test_the_whole_vector_is_itself() -> None:
    f = function()
    assert lane_slice(f, "%x", DType("float32x8"), 0, 8) == "%x"
    assert join_slices(f, ["%x"], 8, DType("float32x8")) == "%x" and f.lines == []


def test_lanes_past_the_end_are_undefined() -> None:
    f = function()
    lane_slice(f, "%x", DType("int8x3"), 2, 2)
    assert f.lines[0].endswith("<2 x i32> <i32 2, i32 poison>")


def test_one_lane_is_a_scalar() -> None:
    f = function()
    join_slices(f, ["%x"], 4, DType("float64"))
    assert f.lines == ["  %v1 = extractelement <4 x double> %x, i64 0"]
