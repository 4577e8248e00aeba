"""Networks of shuffles, run on numbers."""

from __future__ import annotations

import numpy as np
import pytest

from tewb.lowering.shuffle_network import ShuffleStage, transposition

SIZES = [2, 4, 8, 16, 32, 64]


def run(stages: list[ShuffleStage], vectors: np.ndarray) -> np.ndarray:
    """The vectors after the stages, each of which must meet every vector once."""
    now = vectors.copy()
    for stage in stages:
        first = [v for v in range(len(now)) if v // stage.distance % 2 == 0]
        assert len(first) == len(now) // 2
        for v in first:
            both = np.concatenate([now[v], now[v + stage.distance]])
            now[v], now[v + stage.distance] = both[list(stage.low)], both[list(stage.high)]
    return now


@pytest.mark.parametrize("chunk", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("times", [1, 2, 8])
def test_every_block_is_transposed_in_log2_stages(n: int, times: int, chunk: int) -> None:
    stages = transposition(n, n * times, chunk)
    assert len(stages) == n.bit_length() - 1
    vectors = np.arange(n * n * times).reshape(n, n * times)
    want = np.concatenate([block.T for block in np.split(vectors, times, axis=1)], axis=1)
    np.testing.assert_array_equal(run(stages, vectors), want)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("chunk", [2, 4, 8, 16])
def test_lanes_move_within_chunks_or_chunks_move_as_a_whole(n: int, chunk: int) -> None:
    """What makes each of them one instruction of the machine."""
    for stage in transposition(n, n, chunk):
        for lanes in (stage.low, stage.high):
            parts = np.array(lanes).reshape(-1, min(chunk, n))
            within = all(set(p % n // chunk) == {k} for k, p in enumerate(parts))
            whole = all(list(p) == list(range(p[0], p[0] + len(p))) and p[0] % len(p) == 0 for p in parts)
            assert within or whole


def test_two_by_two_is_one_zip() -> None:
    assert transposition(2, 2, 4) == [ShuffleStage(1, (0, 2), (1, 3))]
