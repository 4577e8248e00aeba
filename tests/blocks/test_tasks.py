"""Boxes are put together from the pieces of chunks."""

from __future__ import annotations

import operator
from typing import Any

import dask.array as da
import numpy as np
import pytest

from tewb.blocks.tasks import Cut, Layout, Tasks, combine_blocks, cut_piece, pieces, run_block


@pytest.mark.parametrize("box", [(0, 10, 0, 6), (2, 3, 1, 2), (3, 9, 0, 4), (4, 4, 0, 6)])
def test_pieces_fill_a_box(box: tuple[int, int, int, int]) -> None:
    a = np.arange(60).reshape(10, 6)
    chunks: Any = ((3, 0, 4, 3), (2, 4))
    slices = slice(box[0], box[1]), slice(box[2], box[3])
    made = np.full(a[slices].shape, -1)
    x = da.from_array(a, chunks=chunks)
    for chunk, inside, place in pieces(x.chunks, slices):
        made[place] = np.asarray(x.blocks[chunk])[inside]
    np.testing.assert_array_equal(made, a[slices])


def test_a_piece_does_not_keep_its_chunk_alive() -> None:
    chunk = np.zeros((100, 100))
    assert cut_piece(chunk, Cut((slice(0, 2), slice(0, 100)))).base is None


def test_a_block_runs_on_boxes_and_numbers() -> None:
    layout = Layout((4,), "float32", ((slice(0, 1),), (slice(1, 4),)))
    kernel: Any = operator.mul
    got = run_block(kernel, [layout], [[np.ones(1, "float32"), np.full(3, 2, "float32")]], [3])
    assert got.tolist() == [3, 6, 6, 6]


def test_partial_results_are_combined_in_their_order() -> None:
    words, both = "({} {})".format, "{}{}, {}{}".format
    assert combine_blocks(words, ["a", "b", "c"]) == "((a b) c)"  # type: ignore[arg-type]
    assert combine_blocks(both, [("a", 1), ("b", 2)]) == "a1, b2"  # type: ignore[arg-type]


def test_a_kernel_and_a_piece_are_tasks_of_their_own_once() -> None:
    tasks, kernel = Tasks("t"), "kernel"
    x = da.zeros((10,), chunks=5)
    for key in ("a", "b"):
        tasks.add_block((key, 0), kernel, [x], [(slice(0, 7),)], [])  # type: ignore[arg-type]
    assert sorted(map(str, tasks.graph)) == ["('a', 0)", "('b', 0)", "('t-piece', 0)", "t-kernel-0"]
    assert tasks.arrays == [x]
