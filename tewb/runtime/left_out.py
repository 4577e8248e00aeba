"""Outputs that a call leaves out: new arrays whose sizes follow from the other arguments."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tewb.base import new_dtype
from tewb.runtime.abi import KernelSignature, ParamSpec, SymbolicSize
from tewb.runtime.aligned_memory import LINE, aligned_bytes, aligned_empty
from tewb.runtime.argument_order import in_order, position_of, refusal
from tewb.runtime.ndarray import ARRAYS
from tewb.runtime.one_argument import as_ndarray, whole_number
from tewb.runtime.symbolic_sizes import evaluated


def last_outputs(signature: KernelSignature) -> int:
    """How many parameters at the end may be left out: all outputs, when no other parameter follows one."""
    kinds = [p.is_output for p in signature.params]
    count = sum(kinds)
    return count if kinds == sorted(kinds) else 0


def complete(
    signature: KernelSignature, may_miss: int, args: Sequence[Any], keywords: Mapping[str, Any]
) -> tuple[list[Any], list[Any]]:
    """The arguments of a call in the order of the parameters, and those of them that were made: the last
    `may_miss`, when all of them are missing. Raises ArgumentError."""
    params = signature.params
    first = len(params) - may_miss
    outputs = params[first:]
    if len(args) + len(keywords) != first or any(
        position_of(signature.name, params, k) >= first for k in keywords
    ):
        return in_order(signature.name, params, args, keywords), []
    inputs = params[:first]
    values = as_ndarrays(inputs, in_order(signature.name, inputs, args, keywords) if keywords else args)
    symbolic = [s for p in outputs for s in p.shape if s.value is None]
    symbols = _symbols_of(inputs, values) if symbolic else {}
    new_outputs = [_output(p, symbols) for p in outputs]
    return values + new_outputs, new_outputs


def as_ndarrays(params: Sequence[ParamSpec], values: Sequence[Any]) -> list[Any]:
    """Arguments of which every array is an ndarray itself or an NDArray, on the same memory. Raises ArgumentError."""
    return [
        v if v.__class__ in ARRAYS or p.kind == "scalar" else np.asarray(as_ndarray(p, v))
        for p, v in zip(params, values, strict=True)
    ]


def _symbols_of(params: Sequence[ParamSpec], values: Sequence[Any]) -> dict[str, int]:
    """The symbols whose values sizes and numbers give, each where it is first seen."""
    symbols: dict[str, int] = {}
    for p, v in zip(params, values, strict=True):
        if p.kind == "scalar":
            symbols[p.symbol] = whole_number(p, v)
        else:
            for size, n in zip(p.shape, v.shape, strict=False):
                if size.symbol is not None:
                    symbols.setdefault(size.symbol, n)
    # What only sizes such as `32*d` tell; whether they do is asked when all arguments are there.
    for p, v in zip(params, values, strict=True):
        for size, n in zip(p.shape, getattr(v, "shape", ()), strict=False):
            if size.told is not None:
                symbols.setdefault(size.told, max(n - size.offset, 0) // size.factor)
    return symbols


# Bytes: smaller outputs are allocated by numpy, since aligning them takes longer than filling them.
SMALL = 4 << 10


def _output(p: ParamSpec, symbols: dict[str, int]) -> Any:
    """A new array for an output that was left out."""
    try:
        shape = [evaluated(s.text, symbols) if s.value is None else s.value for s in p.shape]
    except NameError as e:
        raise refusal(
            f"{p.name} is left out, and its size {e.name} does not follow from the other arguments",
            p,
            hint=f"pass an array for {p.name}",
        ) from None
    if min(shape, default=0) < 0:
        raise refusal(f"{p.name} is left out, and its shape would be {tuple(shape)}", p)
    dtype = new_dtype(p.dtype)
    if p.strides is not None and any(s.value is not None for s in p.strides):
        return _laid_out(shape, dtype, _own_strides(p.strides, shape, symbols), max(p.alignment, LINE))
    if not p.alignment and dtype.itemsize * math.prod(shape) < SMALL:
        return np.empty(shape, dtype)
    return aligned_empty(shape, dtype, max(p.alignment, LINE))


def _own_strides(strides: Sequence[SymbolicSize], shape: Sequence[int], symbols: dict[str, int]) -> list[int]:
    """Strides, in elements, for a new array: those that are given, and for the others strides beyond what these
    reach."""
    chosen = [symbols.get(s.text) if s.value is None else s.value for s in strides]
    reach = 1 + sum(abs(t) * max(n - 1, 0) for t, n in zip(chosen, shape, strict=True) if t is not None)
    for d in reversed(range(len(shape))):
        if chosen[d] is None:
            chosen[d] = reach
            reach *= max(shape[d], 1)
    return [t or 0 for t in chosen]


def _laid_out(shape: Sequence[int], dtype: Any, strides: Sequence[int], alignment: int) -> Any:
    """A new array of strides in elements."""
    if 0 in shape:
        return np.empty(shape, dtype)
    ends = [t * (n - 1) * dtype.itemsize for t, n in zip(strides, shape, strict=True)]
    first = -sum(min(e, 0) for e in ends)
    memory = aligned_bytes(sum(map(abs, ends)) + dtype.itemsize, alignment, first)
    return np.ndarray(shape, dtype, memory, first, [t * dtype.itemsize for t in strides])
