"""Numbers that numpy lacks: the nearest ones of 16 bits, against numpy's float16 and exact arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from tewb.base import (
    BFLOAT16,
    FLOAT16,
    FLOAT32,
    DType,
    bfloat16_bits,
    bfloat16_values,
    from_memory,
    in_kernels_memory,
    is_in_numpy,
    memory_dtype,
    nearest,
    new_dtype,
    rounded,
    to_memory,
)

ALL = bfloat16_values(np.arange(65536, dtype=np.uint16))
FINITE = np.unique(ALL[np.isfinite(ALL)])


def test_every_bfloat16_is_its_own_nearest() -> None:
    numbers = ALL[~np.isnan(ALL)]
    np.testing.assert_array_equal(bfloat16_values(bfloat16_bits(numbers)), numbers)
    assert all(nearest(float(x), BFLOAT16) == x for x in FINITE[::97])


@pytest.mark.parametrize("nudge", [Fraction(-1, 2**60), Fraction(0), Fraction(1, 2**60)])
def test_between_two_numbers_the_nearer_and_halfway_the_even_one(nudge: Fraction) -> None:
    for i in range(0, len(FINITE) - 1, 61):
        below, above = Fraction(float(FINITE[i])), Fraction(float(FINITE[i + 1]))
        middle = (below + above) / 2
        exact = middle + nudge * (above - below)
        if Fraction(float(exact)) != exact:  # float64 does not hold it
            continue
        bits = bfloat16_bits(float(exact))
        expected = above if nudge > 0 else below if nudge < 0 else None
        if expected is None:
            assert bits & 1 == 0
        else:
            assert Fraction(float(bfloat16_values(bits))) == expected
        assert nearest(float(exact), BFLOAT16) == bfloat16_values(bits)


@pytest.mark.parametrize(
    "value", [math.inf, -math.inf, 0.0, -0.0, 1e-45, 1e39, -1e39, 3.4e38, 2.0**-134, 2.0**-133]
)
def test_ends_of_the_range(value: float) -> None:
    near = nearest(value, BFLOAT16)
    assert (near, math.copysign(1, near)) == (bfloat16_values(bfloat16_bits(value)), math.copysign(1, value))


def test_nan_stays() -> None:
    assert math.isnan(nearest(math.nan, BFLOAT16))
    assert np.isnan(bfloat16_values(bfloat16_bits([math.nan, np.float32(math.nan)]))).all()


@pytest.mark.parametrize(
    "value", [0.1, 65519.0, 65520.0, 2.0**-25, 2.0**-24, 1 + 2.0**-11, -(1 + 3 * 2.0**-11)]
)
def test_float16_is_numpys(value: float) -> None:
    with np.errstate(over="ignore"):
        assert nearest(value, FLOAT16) == float(np.float16(value))


def test_integers_are_rounded_once() -> None:
    n = (1 << 62) + (1 << 38) + 1  # through float64 it would be halfway between two float32s
    assert nearest(n, FLOAT32) == float(np.float32(np.int64(n)))


@pytest.mark.parametrize("name", ["int1", "int2", "int4", "uint2", "uint4"])
def test_integers_of_less_than_a_byte_are_numbers_of_it(name: str) -> None:
    d, numbers = DType(name), np.arange(-300, 300)
    least, most = d.ends
    want = (numbers - least) % (most - least + 1) + least
    kept = to_memory(numbers, d)
    assert kept.dtype == memory_dtype(name) == ("uint8" if name.startswith("u") else "int8")
    assert not is_in_numpy(name)
    np.testing.assert_array_equal(kept, want)
    np.testing.assert_array_equal(rounded(numbers, d), want)
    every = np.arange(256, dtype="uint8").view(kept.dtype)  # the other bits of the byte do not count
    np.testing.assert_array_equal(from_memory(every, d), rounded(every, d))
    ml_dtypes = pytest.importorskip("ml_dtypes")
    if not hasattr(ml_dtypes, name):
        pytest.skip(f"this ml_dtypes has no {name}")
    theirs = want.astype(new_dtype(name))
    assert theirs.dtype == getattr(ml_dtypes, name)
    np.testing.assert_array_equal(from_memory(theirs, d), want)
    np.testing.assert_array_equal(in_kernels_memory(theirs, name).view(new_dtype(name)), theirs)


def test_memory_holds_the_bits() -> None:
    values = np.array([1.0, -2.5, 1e-3], np.float32)
    kept = to_memory(values, BFLOAT16)
    assert (kept.dtype, memory_dtype("bfloat16"), memory_dtype("float16")) == ("uint16", "uint16", "float16")
    np.testing.assert_array_equal(from_memory(kept, BFLOAT16), rounded(values, BFLOAT16))
    np.testing.assert_array_equal(from_memory(values, FLOAT32), values)
    assert to_memory(values, FLOAT16).dtype == "float16"
