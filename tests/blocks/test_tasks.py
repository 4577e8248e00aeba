"""Boxes are put together from the pieces of chunks."""

from __future__ import annotations

import operator
from typing import Any

import dask.array as da
import numpy as np
import pytest

from tewb.blocks.tasks import Block, Cut, Layout, Tasks, combine_blocks, cut_pieces, pieces


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


@pytest.mark.parametrize("box", [(8, 12), (9, 19), (0, 10), (6, 13)])
def test_a_box_that_ends_beyond_an_array_goes_on_at_its_beginning(box: tuple[int, int]) -> None:
    a = np.arange(10)
    x = da.from_array(a, chunks=((3, 0, 4, 3),))
    made = np.full(box[1] - box[0], -1)
    for chunk, inside, place in pieces(x.chunks, (slice(*box),)):
        made[place] = np.asarray(x.blocks[chunk])[inside]
    np.testing.assert_array_equal(made, np.arange(*box) % 10)


def test_a_piece_does_not_keep_its_chunk_alive() -> None:
    chunk = np.zeros((100, 100))
    (piece,) = cut_pieces(chunk, Cut([(slice(0, 2), slice(0, 100))]))
    assert piece.base is None and piece.shape == (2, 100)


def test_a_block_runs_on_boxes_and_numbers() -> None:
    layout = Layout((4,), "float32", ((slice(0, 1),), (slice(1, 4),)), (1, None))
    kernel: Any = operator.mul
    found = [(None, np.ones(1, "float32")), np.full(3, 2, "float32")]
    got = Block((layout,), (3,))(kernel, found)
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


def test_small_pieces_of_a_chunk_are_cut_at_once_and_large_ones_are_not() -> None:
    tasks, x = Tasks("t"), da.zeros((200,), chunks=100)
    for n, (low, high) in enumerate([(0, 110), (0, 110), (0, 105), (95, 200), (0, 160), (0, 170)]):
        tasks.add_block(("a", n), "kernel", [x], [(slice(low, high),)], [])  # type: ignore[arg-type]
    cuts = {key: task for key, task in tasks.graph.items() if key[0] == "t-piece"}
    of_second = [task[2].parts for task in cuts.values() if task[1] == (x.name, 1)]
    assert of_second == [
        [(slice(0, 10),), (slice(0, 5),)],
        [(slice(0, 60),)],
        [(slice(0, 70),)],
    ]
