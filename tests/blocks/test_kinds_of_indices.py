"""Where an index runs along an axis in one of many ways, blocks are cut as what they read, and read little more than they need."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest

import tewb
from tests.blocks.programs import schedule
from tewb import te
from tewb.blocks.tasks import Block

N, CHUNK = 240, 20


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    with dask.config.set(scheduler="synchronous"):
        yield


def window(f: Callable[[Any], Any], extent: int = 3) -> Any:
    r = te.reduce_axis((0, extent), name="r")
    return te.sum(f(r), axis=r)


def mirrored(i: Any, pad: int) -> Any:
    return te.if_then_else(i < pad, pad - i, te.if_then_else(i < N + pad, i - pad, 2 * N - 2 - (i - pad)))


# The extent of the output, what it reads, and how much longer than a chunk what a block reads is at most.
KINDS: dict[str, tuple[int, Callable[[Any, Any], Any], int]] = {
    "flip": (N, lambda A, i: A[N - 1 - i], 0),
    "flip of every second": (N // 2, lambda A, i: A[N - 1 - 2 * i], 0),
    "true convolution": (N - 2, lambda A, i: window(lambda r: A[i + 2 - r]), 2),
    "true convolution in steps": (N // 2 - 1, lambda A, i: window(lambda r: A[2 * i + 2 - r]), 3),
    "clamped window": (N, lambda A, i: window(lambda r: A[te.min(te.max(i + r - 1, 0), N - 1)]), 2),
    "clamped differences": (N, lambda A, i: A[te.min(i + 1, N - 1)] - A[te.max(i - 1, 0)], 2),
    "clamped flip": (N, lambda A, i: A[te.max(N - 3 - i, 0)], 0),
    "shifted and periodic": (N, lambda A, i: A[(i + 7) % N], 0),
    "periodic differences": (N, lambda A, i: A[(i + 1) % N] - A[(i + N - 1) % N], 3),
    "periodic window": (N, lambda A, i: window(lambda r: A[(i + r + N - 2) % N] * (r + 1), 5), 4),
    "periodic flip": (N, lambda A, i: A[(2 * N - 3 - i) % N] + A[N - 1 - i], 3),
    "tile": (3 * N, lambda A, i: A[i % N], 0),
    "tile in parts": (2 * N + 7, lambda A, i: A[(i + 5) % N], 0),
    "repeat": (3 * N, lambda A, i: A[i // 3], 0),
    "both ends": (
        N,
        lambda A, i: te.if_then_else(te.any(i < CHUNK, i >= N - CHUNK), A[i] + A[N - 1 - i], A[i]),
        CHUNK,
    ),
    "reflected": (N + 8, lambda A, i: A[mirrored(i, 4)], 4),
    "cyclic in steps": (N // 3, lambda A, i: A[(3 * i + 2) % N], 0),
}


def largest_box(y: Any) -> int:
    """The elements of the largest part of an array that a block reads."""
    blocks = [t[0] for t in dict(y.dask).values() if isinstance(t, tuple) and isinstance(t[0], Block)]
    return max(math.prod(layout.shape) for block in blocks for layout in block.layouts)


def blocks_of(t: Any, inputs: list[Any], given: list[Any], chunks: list[Any], **options: Any) -> Any:
    """What a program gives on blocks, after it was compared with what it gives on whole arrays."""
    kernel = tewb.build(schedule(t), [*inputs, t])
    y = kernel.map_blocks(
        *(da.from_array(a, chunks=c) for a, c in zip(given, chunks, strict=True)), **options
    )
    np.testing.assert_array_equal(y.compute(), kernel(*given))
    return y


def numbers(*shape: int) -> Any:
    return np.random.default_rng(0).integers(-99, 100, shape)


@pytest.mark.parametrize("kind", KINDS)
def test_a_block_reads_about_a_chunk(kind: str) -> None:
    extent, read, more = KINDS[kind]
    A = te.placeholder((N,), "int64", name="A")
    B = te.compute((extent,), lambda i: read(A, i), name="B")
    y = blocks_of(B, [A], [numbers(N)], [CHUNK])
    assert N // CHUNK <= y.numblocks[0] <= 3 * (N // CHUNK + 1)
    assert largest_box(y) <= CHUNK + more


@pytest.mark.parametrize("kind", KINDS)
def test_a_sum_along_an_index_of_each_kind_is_cut(kind: str) -> None:
    extent, read, more = KINDS[kind]
    if "window" in kind or "convolution" in kind:
        return
    A, k = te.placeholder((N,), "int64", name="A"), te.reduce_axis((0, extent), name="k")
    B = te.compute((1,), lambda _: te.sum(read(A, k) * (k + 1), axis=k), name="B")
    y = blocks_of(B, [A], [numbers(N)], [CHUNK])
    assert largest_box(y) <= CHUNK + more


def test_sizes_may_be_variables() -> None:
    n = te.var("n")
    A = te.placeholder((n,), "int64", name="A")
    reads: list[Callable[[Any], Any]] = [
        lambda i: A[(i + n - 1) % n] - A[(i + 1) % n] + A[i],
        lambda i: A[n - 1 - i],
        lambda i: A[te.min((i + 3) % (2 * n), 2 * n - 1 - (i + 3) % (2 * n))],
        lambda i: window(lambda r: A[te.min(te.max(i + r - 1, 0), n - 1)]),
    ]
    for f in reads:
        B = te.compute((n,), f, name="B")
        y = blocks_of(B, [A], [numbers(N)], [CHUNK])
        assert y.numblocks[0] >= N // CHUNK
        assert largest_box(y) <= CHUNK + 2
        assert sum("-kernel-" in str(key) for key in y.dask) <= 4


def test_each_dimension_has_its_kind() -> None:
    A, K = te.placeholder((60, 60), "int64", name="A"), te.placeholder((3, 3), "int64", name="K")
    a, b = te.reduce_axis((0, 3), name="a"), te.reduce_axis((0, 3), name="b")
    B = te.compute(
        (58, 60),
        lambda i, j: te.sum(A[i + 2 - a, (j + 61 - b) % 60] * K[a, b], axis=[a, b]),
        name="B",
    )
    y = blocks_of(B, [A, K], [numbers(60, 60), numbers(3, 3)], [(20, 15), 3])
    assert largest_box(y) <= 22 * 17
    C = te.compute((60, 60), lambda i, j: A[59 - j, te.max(i - 1, 0)], name="C")
    assert largest_box(blocks_of(C, [A], [numbers(60, 60)], [(20, 15)])) <= 20 * 15


def test_arrays_side_by_side_are_read_chunk_by_chunk() -> None:
    n, m = 100, 60
    A, B = te.placeholder((n,), "int64", name="A"), te.placeholder((m,), "int64", name="B")
    C = te.compute((n + m,), lambda i: te.if_then_else(i < n, A[i], B[m - 1 - (i - n)]), name="C")
    y = blocks_of(C, [A, B], [numbers(n), numbers(m)], [20, 15])
    assert y.chunks == ((20,) * 5 + (15,) * 4,)
    assert largest_box(y) == 20


def test_stages_of_a_periodic_program_are_read_around_the_turn() -> None:
    A = te.placeholder((N,), "int64", name="A")
    B = te.compute((N,), lambda i: A[(i + N - 1) % N] * 3 + A[(i + 1) % N] * i, name="B")
    C = te.compute((N,), lambda i: B[(i + N - 1) % N] * 5 - B[i] + B[(i + 1) % N], name="C")
    y = blocks_of(C, [A], [numbers(N)], [CHUNK])
    assert largest_box(y) <= CHUNK + 4


def random_index(rng: random.Random, axes: list[Any], size: int) -> Any:
    """An index of a random kind, inside of a tensor of `size` elements."""
    e = rng.choice(axes) * rng.choice([1, 1, 1, 2, -1, -1, -2]) + rng.randint(-9, 9)
    if rng.random() < 0.3:
        e = e + rng.choice([axes[-1], axes[0] // 2, axes[0] % 3, -axes[-1]])
    if rng.random() < 0.2:
        e = e // rng.randint(2, 3)
    match rng.choice(["clamped", "periodic", "periodic", "mirrored", "part"]):
        case "clamped":
            return te.max(te.min(e, size - 1), 0)
        case "periodic":
            return (e + size * 20) % size
        case "mirrored":
            up = te.if_then_else(e < 0, -e, e)
            return te.max(te.min(up, 2 * size - 2 - up), 0)
    return te.min((e + 600) % max(size // 2, 1) + rng.randint(0, 3), size - 1)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.filterwarnings("ignore:.*on blocks:")
def test_random_indices_give_what_they_give_on_whole_arrays(seed: int) -> None:
    rng = random.Random(f"indices {seed}")
    shape = [rng.randint(1, 30) for _ in range(rng.randint(1, 2))]
    A = te.placeholder(shape, "int64", name="A")
    k = te.reduce_axis((0, rng.randint(1, 9)), name="k")
    T = te.compute(
        shape, lambda *axes: A[tuple(random_index(rng, list(axes), n) for n in shape)] * 3 + axes[0], name="T"
    )

    def body(*axes: Any) -> Any:
        own = [*axes, k.var]
        first, second = (t[tuple(random_index(rng, own, n) for n in shape)] for t in (T, rng.choice([A, T])))
        return te.sum(first * (k + 1) - second, axis=k)

    B = te.compute([rng.randint(1, 30) for _ in range(rng.randint(1, 2))], body, name="B")
    chunks = tuple(rng.randint(max(n // 4, 1), n) for n in shape)
    blocks_of(B, [A], [numbers(*shape)], [chunks], split_every=rng.randint(2, 4))
