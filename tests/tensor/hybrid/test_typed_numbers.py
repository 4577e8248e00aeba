"""Numbers on numpy have the dtypes of the compiled function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tewb.tensor.hybrid.typed_numbers import beside, matched, typed

u8, i8, u32, f64 = np.uint8(3), np.int8(-1), np.uint32(7), np.float64(0.5)


@pytest.mark.parametrize(
    ("values", "dtype", "wanted"),
    [
        ((u8, 5), "int32", (3, 5)),
        ((u8, i8), "uint8", (3, 255)),
        ((u32, 5), "uint32", (7, 5)),
        ((u8, True), "uint8", (3, 1)),
        ((u8, 0.5), "float32", (3.0, 0.5)),
        ((f64, 0.1), "float64", (0.5, 0.1)),
        ((u8, 1 << 40), "int64", (3, 1 << 40)),
        ((u8, i8, 5), "int32", (3, -1, 5)),
        ((np.array([1, 2], "uint8"), 5), "int32", None),
    ],
)
def test_values_get_their_common_dtype(values: Any, dtype: str, wanted: Any) -> None:
    got = matched(*values)
    assert {x.dtype.name for x in got} == {dtype}
    assert wanted is None or tuple(x.item() for x in got) == wanted


def test_known_numbers_stay_numbers_of_python() -> None:
    assert matched(1 << 100, 5) == (1 << 100, 5)


def test_booleans_are_counted_by_arithmetic_only() -> None:
    true = np.bool_(True)
    assert matched(true, true)[0].dtype == "bool"
    assert matched(true, true, count_booleans=True)[0].dtype == "int32"


def test_a_number_and_the_side_of_a_choice_are_typed() -> None:
    assert (typed(5).dtype, typed(0.5).dtype, typed(True).dtype, typed(u8).dtype) == (
        "int32",
        "float32",
        "bool",
        "uint8",
    )
    assert beside(u8, 1).dtype == "int32" and beside(7, 1) == 7
