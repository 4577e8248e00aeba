"""Where the axes of a program are cut, from the chunks of what it reads.

An axis that an index follows is cut where the tensor is cut in that dimension:

    B[i] = A[i - 1] + A[i] + A[i + 1]          i is cut where A is
    B[i] = A[2*i] + A[2*i + 1]                 i is cut at half of it
    C[i, j] = sum(A[i, k] * B[k, j], k)        i and j are, and so is k, the axis of the sum

Of an index in which several axes run, as in A[i + r], the longest is cut. Where tensors are cut differently, the
finest cut is taken, and parts of the others are put together.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from tewb.arith import detect_linear
from tewb.ir import Expr, FloorDiv, IterVar, ProducerLoad, const_int, walk
from tewb.tensor import ComputeOp, Tensor

# The places where an axis is cut, without its ends: (4, 8) makes parts of 0..4, 4..8 and from 8 on.
Cuts = tuple[int, ...]


def cuts_of_chunks(chunks: Sequence[int]) -> Cuts:
    """The places between chunks."""
    places, at = [], 0
    for n in chunks[:-1]:
        at += n
        places.append(at)
    return tuple(sorted({p for p in places if 0 < p < sum(chunks)}))


def parts_of(cuts: Cuts, first: int, extent: int) -> list[tuple[int, int]]:
    """The start and the extent of each part of an axis that runs from `first` on."""
    ends = [first, *(c for c in cuts if first < c < first + extent), first + extent]
    return [(a, b - a) for a, b in itertools.pairwise(ends)]


def alike(parts: Sequence[tuple[int, int]]) -> list[list[int]]:
    """The numbers of the parts of an axis in groups: the first, the last, and those between of one extent each."""
    inside: dict[int, list[int]] = {}
    for n in range(1, len(parts) - 1):
        inside.setdefault(parts[n][1], []).append(n)
    return [[0], *inside.values(), *([[len(parts) - 1]] if len(parts) > 1 else [])]


def cuts_of_axes(op: ComputeOp, cuts: Mapping[Tensor, Sequence[Cuts]]) -> dict[IterVar, Cuts]:
    """Where each axis of a compute is cut, reduce axes among them. Axes of ranges that depend on others are not."""
    axes = [iv for iv in (*op.axis, *op.reduce_axis) if iv not in op.domains]
    ranges = {
        iv: (const_int(iv.dom.min) or 0, const_int(iv.dom.extent) or 0) for iv in axes if iv.dom is not None
    }
    # For each axis and dimension of a tensor, the read that is nearest: that of the middle of a stencil.
    nearest: dict[tuple[IterVar, Tensor, int], tuple[int, int, int]] = {}
    for load in (n for e in op.exprs() for n in walk(e) if isinstance(n, ProducerLoad)):
        for dimension, index in enumerate(load.indices):
            if not cuts[load.producer][dimension]:
                continue
            found = _follows(index, ranges)
            if found is not None:
                iv, *how = found
                key = (iv, load.producer, dimension)
                shift, times, over = how
                if key not in nearest or abs(shift) < abs(nearest[key][0]):
                    nearest[key] = shift, times, over
    chosen: dict[IterVar, Cuts] = {iv: () for iv in (*op.axis, *op.reduce_axis)}
    for (iv, tensor, dimension), (shift, times, over) in nearest.items():
        first, extent = ranges[iv]
        places = {-((shift - place * over) // times) for place in cuts[tensor][dimension]}
        own = tuple(sorted(p for p in places if first < p < first + extent))
        if len(own) > len(chosen[iv]):
            chosen[iv] = own
    return chosen


def _follows(index: Expr, ranges: Mapping[IterVar, tuple[int, int]]) -> tuple[IterVar, int, int, int] | None:
    """The axis that an index follows: (iv, shift, times, over), where the index is (iv * times + shift) // over with the
    other axes at their beginning. None where it follows none."""
    over = 1
    if isinstance(index, FloorDiv) and (const_int(index.b) or 0) > 0:
        over, index = const_int(index.b) or 1, index.a
    linear = detect_linear(index, [iv.var for iv in ranges])
    if linear is None:
        return None
    coefficients, rest = linear
    shift = const_int(rest)
    times = {iv: const_int(coefficients[iv.var]) for iv in ranges if iv.var in coefficients}
    if shift is None or not times or any(c is None or c <= 0 for c in times.values()):
        return None
    reach = {iv: (c or 0) * (ranges[iv][1] - 1) for iv, c in times.items()}
    longest = max(reach, key=lambda iv: reach[iv])
    shift += sum((times[iv] or 0) * ranges[iv][0] for iv in times if iv is not longest)
    return longest, shift, times[longest] or 1, over
