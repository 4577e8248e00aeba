"""What numpy lacks of the dtypes: the nearest number that a float holds, and a memory for bfloat16 and for integers of
1, 2 and 4 bits.

Arrays of bfloat16 are arrays of uint16 with its bits; arrays of int4 are arrays of int8, and those of uint4 of uint8,
with a number in each element, of which the lowest 4 bits count. Arrays of the package ml_dtypes have the same memory.
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


_IN_MEMORY = {
    "bfloat16": "uint16", "int1": "int8", "int2": "int8", "int4": "int8", "uint2": "uint8", "uint4": "uint8",
}  # fmt: skip


def is_in_numpy(dtype: str) -> bool:
    """Whether numpy has this dtype, and so computes with it as a kernel does."""
    return dtype not in _IN_MEMORY


def memory_dtype(dtype: str) -> np.dtype[Any]:
    """numpy's dtype for elements of `dtype` in memory: uint16 for the bits of bfloat16, int8 for numbers of int4."""
    return np.dtype(_IN_MEMORY.get(dtype, str(dtype)))


def new_dtype(dtype: str) -> np.dtype[Any]:
    """numpy's dtype for a new array: what numpy lacks is that of ml_dtypes, where a program has imported it."""
    own = getattr(sys.modules.get("ml_dtypes"), str(dtype), None) if dtype in _IN_MEMORY else None
    return memory_dtype(dtype) if own is None else np.dtype(own)


def other_memory(dtype: str, first: str) -> str:
    """What can hold the elements of a dtype that numpy lacks, in words. `first` is the way by ml_dtypes."""
    ours = f"{memory_dtype(dtype)} with {'its bits' if 'float' in dtype else 'a number in each element'}"
    return f"numpy has no {dtype}: {first}, or {ours}"


def in_kernels_memory(array: Any, dtype: str) -> Any:
    """`array`, which for a dtype of ml_dtypes that kernels know is seen as the numbers that kernels read."""
    return array.view(memory_dtype(dtype)) if dtype in _IN_MEMORY and array.dtype.name == dtype else array


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


def wrapped(values: Any, dtype: DType) -> Any:
    """Integers modulo 2**bits of an integer dtype of less than 8 bits, in its range, as int8 or uint8."""
    memory, unused = memory_dtype(dtype.element), 8 - dtype.bits
    return (np.asarray(values).astype(memory) << memory.type(unused)) >> memory.type(unused)


def rounded(values: Any, dtype: DType) -> Any:
    """Numbers as the nearest ones of a dtype; those of bfloat16 are held in float32, and integers wrap."""
    if dtype.kind == "bfloat":
        return bfloat16_values(bfloat16_bits(values))
    if dtype.is_sub_byte and dtype.is_int:
        return wrapped(values, dtype)
    return np.asarray(values).astype(str(dtype.element))


def from_memory(elements: Any, dtype: DType) -> Any:
    """The numbers that an array in memory stands for (see `memory_dtype`)."""
    if is_in_numpy(dtype.element):
        return elements
    numbers = elements.view(memory_dtype(dtype.element))
    return bfloat16_values(numbers) if dtype.kind == "bfloat" else wrapped(numbers, dtype)


def to_memory(values: Any, dtype: DType) -> Any:
    """Numbers as they are kept in an array (see `memory_dtype`)."""
    return bfloat16_bits(values) if dtype.kind == "bfloat" else rounded(values, dtype)
