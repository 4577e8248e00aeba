"""The graph of tasks: one for each block, on the pieces of chunks that it reads.

Pieces are cut out where their chunk lies, so that only what blocks need of their neighbours travels: those of a chunk in one
task, as long as they are small, for a task costs more than a few rows more.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from tewb.base import ArgumentError, masked_elements
from tewb.blocks.block_kernel import BlockKernel

Slices = tuple[slice, ...]


SMALL = 0.25  # of a chunk: pieces that are more than that together are cut by several tasks


@dataclass(frozen=True)
class Layout:
    """How pieces lie in a box. `picks` say for each which of the pieces it is that were cut out of its chunk at once; None is for
    a whole chunk."""

    shape: tuple[int, ...]
    dtype: Any
    places: tuple[Slices, ...]
    picks: tuple[int | None, ...]


@dataclass(eq=False)
class Cut:
    """Parts of a chunk, which are elements in all."""

    parts: list[Slices]
    elements: int = 0


@dataclass
class Tasks:
    """Tasks as they are added, under keys that begin with `name`, and the keys of the kernels and pieces among them."""

    name: str
    graph: dict[Any, Any] = field(default_factory=dict)
    _arrays: dict[str, Any] = field(default_factory=dict)
    _kernels: dict[BlockKernel, str] = field(default_factory=dict)
    _pieces: dict[Any, tuple[Any, int]] = field(default_factory=dict)
    _cuts: dict[Any, tuple[Any, Cut]] = field(default_factory=dict)

    @property
    def arrays(self) -> list[Any]:
        """The arrays that tasks read."""
        return list(self._arrays.values())

    def add_block(
        self,
        key: Any,
        kernel: BlockKernel,
        arrays: Sequence[Any],
        boxes: Sequence[Slices],
        numbers: Sequence[Any],
    ) -> None:
        """The task that runs `kernel` on boxes of dask arrays."""
        inputs = [self._box(array, box) for array, box in zip(arrays, boxes, strict=True)]
        block = Block(tuple([layout for layout, _ in inputs]), tuple(numbers))
        self.graph[key] = (block, self._kernel(kernel), [key for _, keys in inputs for key in keys])

    def add_combination(self, key: Any, kernel: BlockKernel, partial_results: Sequence[Any]) -> None:
        """The task that combines partial results in their order."""
        self.graph[key] = (combine_blocks, self._kernel(kernel), list(partial_results))

    def _kernel(self, kernel: BlockKernel) -> str:
        """The key of a kernel, which goes to each worker once."""
        if kernel not in self._kernels:
            self._kernels[kernel] = key = f"{self.name}-kernel-{len(self._kernels)}"
            self.graph[key] = kernel
        return self._kernels[kernel]

    def _box(self, array: Any, box: Slices) -> tuple[Layout, list[Any]]:
        """How the pieces of a box lie in it, and their keys."""
        self._arrays[array.name] = array
        shape = tuple(s.stop - s.start for s in box)
        places, keys, picks = [], [], []
        for chunk, inside, place in pieces(array.chunks, box):
            sizes = [n[c] for n, c in zip(array.chunks, chunk, strict=True)]
            whole = all(s == slice(0, n) for s, n in zip(inside, sizes, strict=True))
            source = (array.name, *chunk)
            key, pick = (source, None) if whole else self._piece(source, inside, math.prod(sizes))
            keys.append(key)
            places.append(place)
            picks.append(pick)
        return Layout(shape, array.dtype, tuple(places), tuple(picks)), keys

    def _piece(self, source: Any, inside: Slices, whole: int) -> tuple[Any, int]:
        """The task that cuts a piece out of a chunk of `whole` elements, and which of its pieces that is."""
        identity = (source, tuple((s.start, s.stop) for s in inside))
        if identity not in self._pieces:
            elements = math.prod(s.stop - s.start for s in inside)
            key, cut = self._cuts.get(source, (None, Cut([])))
            if key is None or cut.elements + elements > SMALL * whole:
                key, cut = (f"{self.name}-piece", len(self._pieces)), Cut([])
                self._cuts[source] = key, cut
                self.graph[key] = (cut_pieces, source, cut)
            cut.parts.append(inside)
            cut.elements += elements
            self._pieces[identity] = key, len(cut.parts) - 1
        return self._pieces[identity]


def pieces(
    chunks: Sequence[tuple[int, ...]], box: Slices
) -> Iterator[tuple[tuple[int, ...], Slices, Slices]]:
    """The chunks that a box touches: the number of each, the part of it, and the place of that part in the box. A box that ends
    beyond the array goes on at its beginning."""
    by_dimension = [list(_pieces_along(sizes, s)) for sizes, s in zip(chunks, box, strict=True)]
    for each in itertools.product(*by_dimension):
        yield (
            tuple(number for number, _, _ in each),
            tuple(inside for _, inside, _ in each),
            tuple(place for _, _, place in each),
        )


def _pieces_along(sizes: tuple[int, ...], wanted: slice) -> Iterator[tuple[int, slice, slice]]:
    ends = _ends(sizes)
    if ends and wanted.stop > ends[-1]:  # it goes on at the beginning
        yield from _pieces_along(sizes, slice(wanted.start, ends[-1]))
        done = ends[-1] - wanted.start
        for number, inside, place in _pieces_along(sizes, slice(0, wanted.stop - ends[-1])):
            yield number, inside, slice(place.start + done, place.stop + done)
        return
    number = bisect_right(ends, wanted.start)
    while number < len(sizes) and ends[number] - sizes[number] < wanted.stop:
        at = ends[number] - sizes[number]
        low, high = max(wanted.start, at), min(wanted.stop, ends[number])
        if low < high:
            yield number, slice(low - at, high - at), slice(low - wanted.start, high - wanted.start)
        number += 1


@lru_cache(maxsize=64)
def _ends(sizes: tuple[int, ...]) -> list[int]:
    return list(itertools.accumulate(sizes))


# ---------------------------------------------------------------- what workers do


def cut_pieces(chunk: Any, cut: Cut) -> tuple[Any, ...]:
    """Copies of parts of a chunk, which do not keep the rest of it alive."""
    chunk = _plain(chunk)
    return tuple([np.array(chunk[part]) for part in cut.parts])


@dataclass(frozen=True, eq=False)
class Block:
    """A block's task: a kernel on boxes that are put together from pieces, and on numbers. One object, since dask looks into
    lists."""

    layouts: tuple[Layout, ...]
    numbers: tuple[Any, ...]

    def __call__(self, kernel: BlockKernel, found: Sequence[Any]) -> Any:
        """The outputs of the kernel; `found` has the pieces of all boxes, one after the other."""
        coming = iter(found)
        boxes = [_put_together(how, list(itertools.islice(coming, len(how.places)))) for how in self.layouts]
        return kernel(*boxes, *self.numbers)


def _put_together(layout: Layout, found: Sequence[Any]) -> Any:
    picked = [_plain(x) if n is None else x[n] for n, x in zip(layout.picks, found, strict=True)]
    for place, piece in zip(layout.places, picked, strict=True):
        wanted = tuple(s.stop - s.start for s in place)
        if piece.shape != wanted:
            raise ArgumentError(
                f"a chunk is not as large as dask says: {piece.shape} of it is there, and {wanted} is needed",
                hint="x.map_blocks(f, chunks=...) says what sizes f gives; x.compute_chunk_sizes() finds them",
            )
        if piece.dtype != layout.dtype:
            raise ArgumentError(
                f"a chunk has dtype {piece.dtype}, and dask says {layout.dtype}",
                hint="x.map_blocks(f, dtype=...) says what f gives",
            )
    if len(picked) == 1:
        return np.asarray(picked[0], order="C")
    box = np.empty(layout.shape, layout.dtype)
    for place, piece in zip(layout.places, picked, strict=True):
        box[place] = piece
    return box


def _plain(chunk: Any) -> Any:
    """A chunk as an array of numpy. Raises ArgumentError where it hides elements, which the kernel would see."""
    hidden = masked_elements(chunk)
    if hidden:
        raise ArgumentError(
            f"a chunk is a masked array that hides {hidden} elements", hint="da.ma.filled(x, value) has none"
        )
    return np.asarray(chunk)


def combine_blocks(kernel: BlockKernel, partial_results: Sequence[Any]) -> Any:
    """The combination of partial results, from the first to the last."""
    total, *rest = partial_results
    for more in rest:
        first, second = (x if isinstance(x, tuple) else (x,) for x in (total, more))
        total = kernel(*first, *second)
    return total
