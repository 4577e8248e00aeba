"""Derivatives of random programs: indices, guards, reducers and several ways, against differences."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.gradients import assert_gradient, placeholder
from tewb import te

product = te.comm_reducer(lambda x, y: x * y, lambda t: te.const(1, t), name="product")
both = te.comm_reducer(lambda x, y: x + y + x * y, lambda t: te.const(0, t), name="both")


def number(x: float) -> Any:
    return te.const(x, "float64")


def index(r: random.Random, axes: list[Any], n: int) -> Any:
    """An index from 0 to n - 1, of axes that are not negative."""
    i, j = r.choice(axes), r.choice(axes)
    return r.choice([
        lambda: te.min(i, n - 1),
        lambda: te.max(te.min(i * r.choice([1, 2, 3]) - r.randrange(3), n - 1), 0),
        lambda: i % n,
        lambda: (i * r.randrange(1, 5) + r.randrange(4)) % n,
        lambda: i // r.randrange(1, 4) % n,
        lambda: (i * r.randrange(1, 4) + j * r.randrange(1, 4) + r.randrange(3)) % n,
        lambda: te.min(i * r.randrange(1, 4) + j, n - 1),
        lambda: r.randrange(n),
        lambda: te.select(i < r.randrange(1, 4), te.min(i, n - 1), te.max(n - 1 - i, 0)),
    ])()  # fmt: skip


def read(r: random.Random, tensors: list[Any], axes: list[Any]) -> Any:
    """An element of a tensor, or a number outside of it."""
    t, indices, inside = r.choice(tensors), [], []
    for size in map(int, t.shape):
        if r.random() < 0.5:
            e = r.choice(axes) * r.choice([1, 1, 2, -1]) + r.randrange(-2, 4)
            inside += [e >= 0, e < size]
        else:
            e = index(r, axes, size)
        indices.append(e)
    return te.if_then_else(te.all(*inside), t(*indices), number(0.5)) if inside else t(*indices)


def expression(r: random.Random, leaf: Any, depth: int) -> Any:
    if depth == 0 or r.random() < 0.15:
        return leaf() if r.random() < 0.85 else number(round(r.uniform(-1, 1), 2))

    def e() -> Any:
        return expression(r, leaf, depth - 1)

    return r.choice([
        lambda: e() + e(), lambda: e() - e(), lambda: e() * e(), lambda: e() * e(), lambda: te.tanh(e()),
        lambda: te.sin(e()), lambda: te.max(e(), e()), lambda: te.select(e() > e(), e(), e()),
        lambda: e() / (te.exp(e()) + number(1.0)),
    ])()  # fmt: skip


def reduced(r: random.Random, e: Any, axes: list[Any]) -> Any:
    where = r.choice([None, None, axes[0] % 2 == 0])
    how = r.choice([te.sum, te.sum, te.max, te.min, product, both])
    return how(e, axis=axes) if how in (te.max, te.min) else how(e, axis=axes, where=where)


def program(seed: int) -> tuple[Any, list[Any]]:
    r = random.Random(seed)
    inputs = [placeholder(*[r.randrange(1, 5) for _ in range(r.randrange(1, 3))], name=n) for n in "AB"]
    tensors = list(inputs)
    for n in range(r.randrange(1, 4)):
        shape = [r.randrange(1, 5) for _ in range(r.randrange(1, 3))]
        low = r.randrange(2)
        over = [
            te.reduce_axis((low, low + r.randrange(1, 4)), name=f"k{k}")
            for k in range(r.choice([0, 0, 1, 2]))
        ]

        def element(*i: Any, over: Any = tuple(over)) -> Any:
            axes = [*i, *(k.var for k in over)]
            e = expression(r, lambda: read(r, tensors, axes), r.randrange(1, 4))
            return reduced(r, e, list(over)) if over else e

        tensors.append(te.compute(shape, element, name=f"T{n}"))
    return tensors[-1], inputs


@pytest.mark.one_in(10)
@pytest.mark.parametrize("seed", range(60))
def test_random_programs(seed: int) -> None:
    output, inputs = program(seed)
    assert_gradient(output, inputs, low=-1, high=1)
