"""Random graphs of computes, externs and hybrid functions under random schedules, against numpy.

The callbacks know where their tiles stand, so a wrong tile, region, edge or copy changes the result.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import assert_same_result, kept_around_loops, random_schedule
from tewb import te
from tewb.runtime import remove_global_func
from tewb.tensor import Tensor

SEEDS = range(160)


def scale(a: Any, b: Any) -> None:
    assert a.shape == b.shape
    b[...] = a * 2 + 1


def window(a: Any, b: Any, ai: int, aj: int, bi: int, bj: int) -> None:
    for i in range(b.shape[0]):
        for j in range(b.shape[1]):
            y, x = bi + i - ai, bj + j - aj
            b[i, j] = a[max(y - 1, 0) : y + 2, max(x - 2, 0) : x + 2].sum()


def rows(a: Any, low: Any, total: Any) -> None:
    low[...] = a - a.min(axis=1, keepdims=True, initial=0)
    total[...] = a.sum(axis=1)


def whole(a: Any, b: Any) -> None:
    b[...] = np.cumsum(a, axis=0) - a[:1]


def placed(b: Any, i: int, j: int) -> None:
    b[...] = np.arange(i, i + b.shape[0])[:, None] * 3 + np.arange(j, j + b.shape[1])


FUNCTIONS = {
    "fuzz.scale": scale,
    "fuzz.window": window,
    "fuzz.rows": rows,
    "fuzz.whole": whole,
    "fuzz.placed": placed,
}


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    for name, f in FUNCTIONS.items():
        tewb.register_func(name, f, override=True)
    yield
    for name in FUNCTIONS:
        remove_global_func(name)


@te.hybrid.script
def lifted(a, n, m):  # type: ignore[no-untyped-def]
    b = output_tensor((n, m), "int32")  # type: ignore[name-defined]  # noqa: F821
    for i in range(n):
        for j in range(m):
            b[i, j] = a[i, j] * 3
            if j > 0:
                b[i, j] = b[i, j] - a[i, j - 1]
    return b


def tiled(name: str, T: Tensor, rng: random.Random, **options: Any) -> dict[str, Any]:
    return {
        "name": name,
        "tail": rng.choice(["clip", "clip", "shift", "pad"]),
        "compact": rng.random() < 0.3,
        "effect": rng.choice(["pure", "idempotent"]),
        **options,
    }


def elementwise_extern(T: Tensor, name: str, rng: random.Random) -> Tensor:
    made: Tensor = te.extern(T.shape, [T], lambda i, o: te.call_packed("fuzz.scale", i[0], o[0]),
                             access=te.access.elementwise, **tiled(name, T, rng))  # fmt: skip
    return made


def stencil_extern(T: Tensor, name: str, rng: random.Random) -> Tensor:
    def body(i: Any, o: Any, tile: Any) -> Any:
        return te.call_packed("fuzz.window", i[0], o[0], *tile.inputs[0].origin, *tile.origin)

    made: Tensor = te.extern(T.shape, [T], body, access=te.access.stencil((1, (2, 1))), **tiled(name, T, rng))
    return made


def row_extern(T: Tensor, name: str, rng: random.Random) -> Tensor:
    n, m = T.shape
    low, total = te.extern([(n, m), (n,)], [T], lambda i, o: te.call_packed("fuzz.rows", i[0], o[0], o[1]),
                           access=te.access.rows, **tiled(name, T, rng))  # fmt: skip
    return te.compute((n, m), lambda i, j: low[i, j] + total[i], name=f"{name}s")


def whole_extern(T: Tensor, name: str, rng: random.Random) -> Tensor:
    made: Tensor = te.extern(T.shape, [T], lambda i, o: te.call_packed("fuzz.whole", i[0], o[0]), name=name)
    return made


def where_extern(T: Tensor, name: str, rng: random.Random) -> Tensor:
    E = te.extern(T.shape, [], lambda i, o, tile: te.call_packed("fuzz.placed", o[0], *tile.origin), dtype="int32",
                  access=te.access.elementwise, **tiled(name, T, rng))  # fmt: skip
    return te.compute(T.shape, lambda i, j: E[i, j] - T[i, j], name=f"{name}d")


def shifted(T: Tensor, name: str, rng: random.Random) -> Tensor:
    n, m = T.shape
    di, dj = rng.randint(-2, 2), rng.randint(-2, 2)

    def near(x: Any, size: Any) -> Any:
        return te.max(te.min(x, size - 1), 0)

    return te.compute((n, m), lambda i, j: T[near(i + di, n), near(j + dj, m)] + T[i, j], name=name)


def hybrid(T: Tensor, name: str, rng: random.Random) -> Tensor:
    made: Tensor = lifted(T, *[n.value for n in T.shape])
    return made


PARTS: list[Callable[[Tensor, str, random.Random], Tensor]] = [
    elementwise_extern, stencil_extern, row_extern, whole_extern, where_extern, shifted, shifted, hybrid,
]  # fmt: skip


def graph(rng: random.Random) -> tuple[list[Tensor], list[Tensor]]:
    shape = (rng.randint(1, 13), rng.randint(1, 11))
    A = te.placeholder(shape, name="A", dtype="int32")
    made = [A]
    for k in range(rng.randint(1, 4)):
        made.append(rng.choice(PARTS)(rng.choice(made[-2:]), f"S{k}", rng))
    if rng.random() < 0.5:
        last, other = made[-1], rng.choice(made)
        made.append(te.compute(shape, lambda i, j: last[i, j] * 2 - other[i, j], name="Z"))
    return [A], [made[-1]]


@pytest.mark.one_in(4)
@pytest.mark.parametrize("seed", SEEDS)
def test_random_graph_with_externs_computes_the_same(seed: int) -> None:
    rng = random.Random(f"externs{seed}")
    inputs, outputs = graph(rng)
    s = random_schedule(outputs, rng, steps=rng.randint(1, 8))
    assert_same_result(s, inputs, outputs, seed, debug=seed % 3 == 0)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("seed", range(60))
def test_a_random_graph_that_is_kept_around_its_loops_computes_the_same(seed: int) -> None:
    rng = random.Random(f"kept{seed}")
    inputs, outputs = graph(rng)
    s = kept_around_loops(outputs, rng)
    assert_same_result(s, inputs, outputs, seed, debug=seed % 2 == 0)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("seed", range(20))
def test_honest_graphs_stand_the_checked_mode(seed: int) -> None:
    rng = random.Random(f"checked{seed}")
    inputs, outputs = graph(rng)
    s = random_schedule(outputs, rng, steps=rng.randint(1, 6))
    assert_same_result(s, inputs, outputs, seed, checked=True)
