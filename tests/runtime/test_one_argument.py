"""One argument: numbers that fit, and arrays as a kernel takes them."""

from __future__ import annotations

import numpy as np
import pytest

from tewb.base import ArgumentError
from tewb.runtime.abi import ParamSpec
from tewb.runtime.one_argument import as_ndarray, number_bits, whole_number


@pytest.mark.parametrize(
    ("dtype", "least", "most"), [("int4", -8, 7), ("uint8", 0, 255), ("int64", -(2**63), 2**63 - 1)]
)
def test_numbers_fit_their_dtype(dtype: str, least: int, most: int) -> None:
    p = ParamSpec("n", "scalar", dtype)
    assert (whole_number(p, least), whole_number(p, float(least) if dtype != "int64" else least)) == (
        least,
        least,
    )
    assert whole_number(p, most) == number_bits(p, most) == most
    for wrong in (least - 1, most + 1, 0.5, "3"):
        with pytest.raises(ArgumentError, match="n"):
            whole_number(p, wrong)


def test_floats_are_bits_rounded_to_their_dtype() -> None:
    assert number_bits(ParamSpec("x", "scalar", "float32"), 1.0) == 0x3FF0000000000000
    assert number_bits(ParamSpec("x", "scalar", "float16"), 1 + 2.0**-12) == 0x3FF0000000000000


def test_arrays_share_their_memory() -> None:
    p, a = ParamSpec("A", "buffer", "float32"), np.zeros(3, "float32")
    assert as_ndarray(p, a) is a and np.shares_memory(as_ndarray(p, memoryview(a)), a)
    with pytest.raises(ArgumentError, match="A is an array of float32, not a list"):
        as_ndarray(p, [1.0])
