"""What numpy lacks of the float dtypes: the nearest number that one holds, and a memory for bfloat16.

numpy has no bfloat16. Arrays of it are arrays of uint16 with its bits, or those of the package ml_dtypes, which have
the same bits.
"""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

from tewb.base.dtypes import DType

_SMALLEST = -133  # the exponent of the last digit of the smallest numbers of bfloat16
_DIGITS = 8
_LARGEST = float.fromhex("0x1.fep127")


def nearest(value: float, dtype: DType) -> float:
    """`value`, a Python number, as the nearest number of a float dtype, rounded once; halfway, the even one."""
    if dtype.bits == 64:
        return float(value)
    if dtype.kind == "bfloat":
        return _nearest_bfloat(value)
    with np.errstate(over="ignore"):
        # An integer of 64 bits would be rounded twice on its way through a Python float.
        exact = np.array(value, "uint64" if value > 1 << 62 else "int64") if isinstance(value, int) else value
        return float((np.float16 if dtype.bits == 16 else np.float32)(exact))


def _nearest_bfloat(value: float) -> float:
    if not math.isfinite(value) or value == 0:
        return float(value)
    exponent = max(math.frexp(value)[1] - _DIGITS, _SMALLEST)
    near = math.ldexp(round(math.ldexp(value, -exponent)), exponent)  # Python rounds halves to even
    return math.copysign(near if abs(near) <= _LARGEST else math.inf, value)


def memory_dtype(dtype: str) -> np.dtype[Any]:
    """numpy's dtype for elements of `dtype` in memory: uint16 for the bits of bfloat16."""
    return np.dtype("uint16" if dtype == "bfloat16" else str(dtype))


def new_dtype(dtype: str) -> np.dtype[Any]:
    """numpy's dtype for a new array: bfloat16 is that of ml_dtypes, where a program has imported it."""
    ml_dtypes = sys.modules.get("ml_dtypes")
    if dtype == "bfloat16" and ml_dtypes is not None:
        own: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return own
    return memory_dtype(dtype)


def bfloat16_bits(values: Any) -> Any:
    """Numbers as an array of uint16, the bits of the nearest bfloat16s. Values are taken as float64."""
    x = np.asarray(values, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        near = x.astype(np.float32)
        back = near.astype(np.float64)
    word = near.view(np.uint32)
    # As in generated code: round to odd on the way to float32, then to the nearest, halfway to the even one.
    word = np.where(np.abs(back) > np.abs(x), word - 1, word)
    word = np.where(back != x, word | 1, word)
    rounded = (word + 0x7FFF + ((word >> 16) & 1)) >> 16
    return np.where(np.isnan(x), (word >> 16) | 0x40, rounded).astype(np.uint16)


def bfloat16_values(bits: Any) -> Any:
    """The numbers of an array of uint16 that holds the bits of bfloat16s, as float32."""
    return (np.asarray(bits, np.uint16).astype(np.uint32) << 16).view(np.float32)


def rounded(values: Any, dtype: DType) -> Any:
    """Numbers as the nearest ones of a dtype; those of bfloat16 are held in float32."""
    if dtype.kind == "bfloat":
        return bfloat16_values(bfloat16_bits(values))
    return np.asarray(values).astype(str(dtype.element))


def from_memory(elements: Any, dtype: DType) -> Any:
    """The numbers that an array in memory stands for (see `memory_dtype`)."""
    if dtype.kind != "bfloat":
        return elements
    return bfloat16_values(elements.view(np.uint16))


def to_memory(values: Any, dtype: DType) -> Any:
    """Numbers as they are kept in an array (see `memory_dtype`)."""
    if dtype.kind == "bfloat":
        return bfloat16_bits(values)
    return np.asarray(values).astype(str(dtype.element))
