"""The short way of a call that gives arrays of constant shape just as its kernel takes them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tewb.base import memory_dtype
from tewb.runtime.abi import KernelSignature
from tewb.runtime.aligned_memory import address_of_first
from tewb.runtime.array_memory import byte_range, is_nested
from tewb.runtime.ndarray import ARRAYS

# For each parameter dtype, shape, whether it is an output, bytes, and strides: None when compact, else for
# each dimension the number of its symbol (-1: none) and what a constant one is in bytes.
Plan = tuple[tuple[Any, tuple[int, ...], bool, int, tuple[tuple[int, int], ...] | None], ...]


def simple_plan(signature: KernelSignature) -> Plan | None:
    """What the arguments of a call that takes the short way look like; None unless all are arrays of constant
    shape."""
    plan = []
    if any(p.kind != "buffer" for p in signature.params) or any(b < 32 for b in signature.symbol_bits):
        return None
    if signature.limits:
        return None
    for p in signature.params:
        shape = tuple(s.value for s in p.shape if s.value is not None)
        if p.alignment or len(shape) != len(p.shape):
            return None
        dtype = memory_dtype(p.dtype)
        strides = None
        if p.strides is not None:
            if min(shape, default=0) < 2 or any(s.value is None and s.symbol is None for s in p.strides):
                return None  # a dimension of one element has no stride to speak of
            strides = tuple(
                (-1, s.value * dtype.itemsize)
                if s.value is not None
                else (signature.symbols.index(s.text), 0)
                for s in p.strides
            )
        plan.append((dtype, shape, p.is_output, dtype.itemsize * math.prod(shape), strides))
    return tuple(plan)


def simple_slots(plan: Plan, args: Sequence[Any]) -> list[int] | None:
    """The slots of a call whose arrays match the plan and do not overlap; None for any other, which goes through
    `prepare`."""
    if len(args) != len(plan):
        return None
    slots = []
    ends = []
    symbols: dict[int, int] = {}
    for a, (dtype, shape, is_output, size, strides) in zip(args, plan, strict=True):
        if a.__class__ not in ARRAYS or a.dtype is not dtype or a.shape != shape:
            return None
        flags = a.flags
        p = address_of_first(a)
        slots.append(p)
        if strides is None:
            if not (flags.carray if is_output else flags.c_contiguous and flags.aligned):
                return None
            ends.append((p, p + size))
        else:
            dense = flags.forc  # side by side in some order, and so apart
            if not flags.aligned or (is_output and not (flags.writeable and (dense or is_nested(a)))):
                return None
            if not _simple_strides(strides, a.strides, dtype.itemsize, symbols):
                return None
            ends.append((p, p + size) if dense else byte_range(a, p))
    for i, (_, _, is_output, _, _) in enumerate(plan):
        if is_output:
            low, high = ends[i]
            for j, (other_low, other_high) in enumerate(ends):
                if i != j and low < other_high and other_low < high:
                    return None
    return slots + [symbols[k] for k in range(len(symbols))] if symbols else slots


def _simple_strides(
    expected: tuple[tuple[int, int], ...], strides: tuple[int, ...], size: int, symbols: dict[int, int]
) -> bool:
    """Whether strides in bytes are those of a plan, with elements of `size` bytes; binds the symbols."""
    for (symbol, constant), step in zip(expected, strides, strict=True):
        if symbol < 0:
            if step != constant:
                return False
        elif step % size or symbols.setdefault(symbol, step // size) != step // size or abs(step) >> 31:
            return False
    return True
