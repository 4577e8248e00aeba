"""Loads of every second element, or third, or fourth, and of neighbours in reverse: vectors of neighbours, whose lanes are picked.

    A[i:i+32:2]    ->    a = A[i : i+16];  b = A[i+15 : i+31];  a[0], a[2], ..., a[14], b[1], b[3], ..., b[15]

Lanes that are loaded one by one take two instructions each. More lanes than a register has are picked a register at a time. The
last vector ends with the last element that is wanted, so that
nothing behind it is touched.
"""

from __future__ import annotations

from collections.abc import Callable

from tewb.base import DType
from tewb.codegen.function import Function
from tewb.codegen.shuffles import picked
from tewb.codegen.vector_slices import join_slices
from tewb.ir import Ramp, const_int

STRIDES = (-1, 2, 3, 4)
MOST_BYTES = 64  # of a vector: shuffles of two registers of the largest kind


def is_picked(index: Ramp, d: DType) -> bool:
    """Whether the elements of a ramp are picked from vectors of neighbours."""
    return picked_lanes(index.lanes, d) > 0 and const_int(index.stride) in STRIDES and not d.is_bool


def picked_lanes(lanes: int, d: DType) -> int:
    """How many of `lanes` elements are picked at a time: all, or as many as the largest register has; 0 for a number that
    is no whole register."""
    most = max(MOST_BYTES // d.nbytes, 1)
    if lanes > most:
        return most if lanes % most == 0 else 0
    return lanes if lanes >= 4 and lanes & (lanes - 1) == 0 else 0


def picked_elements(f: Function, index: Ramp, d: DType, neighbours: Callable[[int, int], str]) -> str:
    """The elements of a ramp; `neighbours(k, n)` loads `n` neighbours, from k elements behind its first one on."""
    stride, count = const_int(index.stride), picked_lanes(index.lanes, d)
    assert stride is not None
    parts = [
        _picked_part(f, count, stride, d, lambda at, start=start: neighbours(start * stride + at, count))  # type: ignore[misc]
        for start in range(0, index.lanes, count)
    ]
    return join_slices(f, parts, count, d.with_lanes(index.lanes))


def _picked_part(f: Function, lanes: int, stride: int, d: DType, neighbours: Callable[[int], str]) -> str:
    if stride < 0:
        return picked(f, [(neighbours(1 - lanes), lanes)], range(lanes - 1, -1, -1), d)
    last = (lanes - 1) * stride
    starts = [min(k * lanes, last + 1 - lanes) for k in range(stride)]
    vectors = [(neighbours(at), lanes) for at in starts]
    # Where the elements stand in the vectors so far; in two vectors, those of the second follow on the first.
    places = [n * stride for n in range(lanes)]
    result, have = vectors[0], -(-lanes // stride)
    for vector, start in zip(vectors[1:], starts[1:], strict=True):
        count = sum(n * stride < start + lanes for n in range(lanes))
        new = [lanes + n * stride - start for n in range(have, count)]
        mask = [*places[:have], *new, *[0] * (lanes - count)]
        result, places, have = (picked(f, [result, vector], mask, d), lanes), list(range(lanes)), count
    return result[0]
