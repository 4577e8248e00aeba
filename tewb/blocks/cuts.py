"""Where the axes of a program are cut, from the chunks of what it reads.

An axis that an index follows is cut where the tensor is cut in that dimension:

    B[i] = A[i - 1] + A[i] + A[i + 1]          i is cut where A is
    B[i] = A[2*i] + A[2*i + 1]                 i is cut at half of it
    C[i, j] = sum(A[i, k] * B[k, j], k)        i and j are, and so is k, the axis of the sum

    D[i] = A[n - 1 - i]                        i is cut at n - 1 - p for each p where A is
    D[i] = A[i] if i < n else B[i - n]         i is cut where A is, at n, and where B is

Of an index in which several axes run, as in A[i + r], the axis that moves it farthest is cut. Where tensors that are read on the
same part of an axis are cut differently, the finest cut is taken, and parts of the others are put together.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tewb.blocks.follow import Ranges, follower
from tewb.ir import IterVar, ProducerLoad, const_int, walk
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
    found: dict[IterVar, dict[tuple[Tensor, int], list[_Choice]]] = {}
    for load in (n for e in op.exprs() for n in walk(e) if isinstance(n, ProducerLoad)):
        for dimension, choice in _choices(load, ranges, cuts[load.producer]):
            dimensions = found.setdefault(choice.axis, {})
            dimensions.setdefault((load.producer, dimension), []).append(choice)
    chosen: dict[IterVar, Cuts] = {iv: () for iv in (*op.axis, *op.reduce_axis)}
    for iv, dimensions in found.items():
        # Of a tensor the read that is nearest, as that of the middle of a stencil; of tensors the finest.
        of_each = [_together(sorted(some, key=lambda c: c.distance)) for some in dimensions.values()]
        chosen[iv] = _together(sorted(of_each, key=lambda c: (c.is_rough, -len(c.places)))).places
    return chosen


@dataclass(frozen=True)
class _Choice:
    """Places where `axis` may be cut, and the parts of it on which something is read. `distance` says how far a read is from
    the element of the same number; where it `is_rough`, chunks end at other places as well."""

    axis: IterVar
    places: Cuts
    covered: tuple[tuple[int, int], ...]
    distance: tuple[bool, float] = (False, 0)
    is_rough: bool = False


def _choices(load: ProducerLoad, ranges: Ranges, cuts: Sequence[Cuts]) -> Iterator[tuple[int, _Choice]]:
    """How the axes that the indices of a read follow may be cut, with the dimension of the tensor."""
    if not any(cuts):
        return
    followers = [follower(index, ranges) for index in load.indices]
    for dimension, f in enumerate(followers):
        if f is None or not cuts[dimension]:
            continue
        # In A[i // m, i % m] the first index is followed: chunks of the second are passed in each row.
        times = min(other.times for other in followers if other is not None and other.axis is f.axis)
        is_rough = f.times > times or f.begins_again_often
        places = f.some_turns(len(cuts[dimension])) if is_rough else f.places(cuts[dimension])
        size = const_int(load.producer.shape[dimension]) or 0
        distance = (len(f.turns) > 2, f.shift(size))
        yield dimension, _Choice(f.axis, places, (f.covered(size),), distance, is_rough)


def _together(choices: Sequence[_Choice]) -> _Choice:
    """The first of some choices, with the places of each other one on what those before it leave to it.

    C[i] = A[i] if i < n else B[i - n]      is cut where A is, at n, and where B is
    """
    best, *others = [c for c in choices if c.places] or choices[:1]
    places, covered = set(best.places), list(best.covered)
    for other in others:
        for begin, end in _left(other.covered, covered):
            own = [p for p in other.places if begin < p < end]
            if own:
                places.update(own)
                places.update(_inside(begin, end, (*covered, *other.covered)))
        covered += other.covered
    return replace(best, places=tuple(sorted(places)), covered=tuple(covered))


def _inside(begin: int, end: int, covered: Sequence[tuple[int, int]]) -> list[int]:
    """The ends of a part that are not ends of all that is covered."""
    first, last = min(a for a, _ in covered), max(b for _, b in covered)
    return [p for p in (begin, end) if first < p < last]


def _left(parts: Sequence[tuple[int, int]], covered: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """What is left of some parts of an axis without those that are covered."""
    left = list(parts)
    for low, high in covered:
        left = [
            (a, b)
            for first, end in left
            for a, b in ((first, min(end, low)), (max(first, high), end))
            if a < b
        ]
    return left
