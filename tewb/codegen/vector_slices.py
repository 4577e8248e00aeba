"""Slices of vectors: instructions of a single width, applied to vectors of any number of lanes."""

from __future__ import annotations

from collections.abc import Sequence

from tewb.base import DType
from tewb.codegen.function import Function
from tewb.codegen.types import value_type


def lane_slice(f: Function, x: str, d: DType, start: int, count: int) -> str:
    """`count` lanes of the vector `x` from `start` on, undefined past its end."""
    if (start, count) == (0, d.lanes):
        return x
    at = [str(i) if i < d.lanes else "poison" for i in range(start, start + count)]
    t = value_type(d)
    return f.ins(f"shufflevector {t} {x}, {t} poison, {_slice_mask(at)}")


def join_slices(f: Function, slices: Sequence[str], width: int, d: DType) -> str:
    """Vectors of `width` lanes one after the other, as one of dtype `d`: surplus lanes are dropped."""
    slices = list(slices)
    while len(slices) > 1:
        if len(slices) % 2:
            slices.append("poison")
        both = _slice_mask([str(i) for i in range(2 * width)])
        t = value_type(d.with_lanes(width))
        slices = [
            f.ins(f"shufflevector {t} {a}, {t} {b}, {both}")
            for a, b in zip(slices[::2], slices[1::2], strict=True)
        ]
        width *= 2
    if d.lanes == 1:
        return f.ins(f"extractelement {value_type(d.with_lanes(width))} {slices[0]}, i64 0")
    return lane_slice(f, slices[0], d.with_lanes(width), 0, d.lanes)


def _slice_mask(at: Sequence[str]) -> str:
    return f"<{len(at)} x i32> <" + ", ".join(f"i32 {i}" for i in at) + ">"
