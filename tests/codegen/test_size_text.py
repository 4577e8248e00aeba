"""Sizes as Python text have the value of the expression, whatever its parentheses."""

from __future__ import annotations

import random

import pytest

from tewb.base import DType
from tewb.codegen.size_text import size_text
from tewb.ir import Call, Expr, Var, const, const_int, ops

n, m = Var("n", DType("int32")), Var("m", DType("int32"))
NAMES = {n: "n", m: "size"}


@pytest.mark.parametrize(
    ("e", "text"),
    [
        (n, "n"),
        (const(7), "7"),
        (const(-7), "(-7)"),
        (n - (m - n), "n - (size - n)"),
        (n - m - n, "n - size - n"),
        ((n + m) * 3, "(n + size) * 3"),
        (ops.floordiv(n + 15, 16), "(n + 15) // 16"),
        (n * ops.floordiv(m, 4), "n * (size // 4)"),
        (ops.floormod(n, m), "n % size"),
        (ops.minimum(n + 1, m), "min(n + 1, size)"),
        (ops.maximum(n, m) * 2, "max(n, size) * 2"),
        (ops.cast(n, "int64") * 4, "n * 4"),
        (Call("likely", (n,), DType("int32")), "n"),
    ],
)
def test_texts(e: Expr, text: str) -> None:
    assert size_text(e, NAMES) == text


@pytest.mark.parametrize(
    "e",
    [
        Var("k", DType("int32")) + n,
        ops.cast(ops.cast(n, "float32"), "int32"),
        ops.less(n, m),
        ops.truncdiv(n, m),
        n + ops.select(n < m, n, m),
    ],
)
def test_what_is_no_size(e: Expr) -> None:
    assert size_text(e, NAMES) is None


def random_size(rng: random.Random, depth: int, *leaves: Expr) -> Expr:
    if depth == 0:
        return rng.choice([*leaves, const(rng.randint(-3, 9))])
    a, b = (random_size(rng, depth - 1, *leaves) for _ in "ab")
    op = rng.choice([ops.add, ops.sub, ops.mul, ops.minimum, ops.maximum])
    return rng.choice([op(a, b), ops.floordiv(a, rng.randint(1, 5)), ops.floormod(a, 7)])


@pytest.mark.parametrize("seed", range(60))
def test_random_sizes_have_their_value(seed: int) -> None:
    a, b = 3 * seed, 60 - seed
    text = size_text(random_size(random.Random(seed), 3, n, m), NAMES)
    value = random_size(random.Random(seed), 3, const(a), const(b))  # folded
    assert text is not None and eval(text, {"n": a, "size": b}) == const_int(value)
