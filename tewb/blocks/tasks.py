"""The graph of tasks: one for each block, on the pieces of chunks that it reads.

A piece is cut out where its chunk lies, so that only what a block needs of its neighbours travels.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from tewb.blocks.block_kernel import BlockKernel

Slices = tuple[slice, ...]


@dataclass(frozen=True)
class Layout:
    """How pieces lie in a box."""

    shape: tuple[int, ...]
    dtype: Any
    places: tuple[Slices, ...]


@dataclass(frozen=True)
class Cut:
    """A part of a chunk."""

    inside: Slices


@dataclass
class Tasks:
    """Tasks as they are added, under keys that begin with `name`, and the keys of the kernels and pieces among them."""

    name: str
    graph: dict[Any, Any] = field(default_factory=dict)
    _arrays: dict[str, Any] = field(default_factory=dict)
    _kernels: dict[BlockKernel, str] = field(default_factory=dict)
    _pieces: dict[Any, tuple[str, int]] = field(default_factory=dict)

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
        layouts = [layout for layout, _ in inputs]
        self.graph[key] = (
            run_block,
            self._kernel(kernel),
            layouts,
            [keys for _, keys in inputs],
            list(numbers),
        )

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
        places, keys = [], []
        for chunk, inside, place in pieces(array.chunks, box):
            whole = all(s == slice(0, n[c]) for s, n, c in zip(inside, array.chunks, chunk, strict=True))
            source = (array.name, *chunk)
            keys.append(source if whole else self._piece(source, inside))
            places.append(place)
        return Layout(shape, array.dtype, tuple(places)), keys

    def _piece(self, source: Any, inside: Slices) -> tuple[str, int]:
        identity = (source, tuple((s.start, s.stop) for s in inside))
        if identity not in self._pieces:
            self._pieces[identity] = key = (f"{self.name}-piece", len(self._pieces))
            self.graph[key] = (cut_piece, source, Cut(inside))
        return self._pieces[identity]


def pieces(
    chunks: Sequence[tuple[int, ...]], box: Slices
) -> Iterator[tuple[tuple[int, ...], Slices, Slices]]:
    """The chunks that a box touches: the number of each, the part of it, and the place of that part in the box."""
    by_dimension = [list(_pieces_along(sizes, s)) for sizes, s in zip(chunks, box, strict=True)]
    for each in itertools.product(*by_dimension):
        yield (
            tuple(number for number, _, _ in each),
            tuple(inside for _, inside, _ in each),
            tuple(place for _, _, place in each),
        )


def _pieces_along(sizes: tuple[int, ...], wanted: slice) -> Iterator[tuple[int, slice, slice]]:
    ends = _ends(sizes)
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


def cut_piece(chunk: Any, cut: Cut) -> Any:
    """A copy of a part of a chunk, which does not keep the rest of it alive."""
    return np.array(np.asarray(chunk)[cut.inside])


def run_block(
    kernel: BlockKernel, layouts: Sequence[Layout], inputs: Sequence[Sequence[Any]], numbers: Sequence[Any]
) -> Any:
    """The outputs of a kernel on boxes that are put together from pieces."""
    return kernel(*[_put_together(how, found) for how, found in zip(layouts, inputs, strict=True)], *numbers)


def _put_together(layout: Layout, found: Sequence[Any]) -> Any:
    if len(found) == 1:
        return np.asarray(found[0], order="C")
    box = np.empty(layout.shape, layout.dtype)
    for place, piece in zip(layout.places, found, strict=True):
        box[place] = piece
    return box


def combine_blocks(kernel: BlockKernel, partial_results: Sequence[Any]) -> Any:
    """The combination of partial results, from the first to the last."""
    total, *rest = partial_results
    for more in rest:
        first, second = (x if isinstance(x, tuple) else (x,) for x in (total, more))
        total = kernel(*first, *second)
    return total
