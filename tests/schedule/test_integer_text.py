"""Integer expressions go to text and back."""

from __future__ import annotations

import ast
import random

import pytest

from tewb.arith import evaluate_integers
from tewb.base import DType
from tewb.ir import Expr, IntImm, Var, ops
from tewb.schedule.integer_text import operation_text, read_integer

N, M = Var("n", DType("int32")), Var("m", DType("int32"))


def read(text: str) -> Expr:
    tree = ast.parse(text, mode="eval").body
    return read_integer(tree, {"n": N, "m": M}, "there is no {}", "sizes")


def text_of(e: Expr) -> str:
    found = operation_text(e, text_of)
    if found is not None:
        return found
    return e.name if isinstance(e, Var) else str(e.value)  # type: ignore[attr-defined]


@pytest.mark.parametrize("seed", range(20))
def test_what_is_written_is_read_as_the_same_numbers(seed: int) -> None:
    rng = random.Random(seed)

    def some(depth: int) -> Expr:
        if depth == 0:
            return rng.choice([N, M, ops.const(rng.randint(1, 9))])
        make = rng.choice([ops.add, ops.sub, ops.mul])
        if rng.random() < 0.4:
            return rng.choice([ops.floordiv, ops.floormod])(some(depth - 1), ops.const(rng.randint(1, 9)))
        return make(some(depth - 1), some(depth - 1))

    e = some(3)
    values = {N: rng.randint(0, 9), M: rng.randint(0, 9)}
    assert evaluate_integers(read(text_of(e)), values) == evaluate_integers(e, values)


def test_sides_stand_in_parentheses_where_they_are_operations() -> None:
    assert text_of((N + 1) * M) == "(n + 1) * m" and text_of(N - (M - 3)) == "n - (m - 3)"
    assert operation_text(N, text_of) is None and operation_text(ops.maximum(N, M), text_of) is None


def test_a_large_number_is_wide() -> None:
    wide = read("5000000000")
    assert isinstance(wide, IntImm) and wide.dtype == DType("int64")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("k + 1", "there is no k"),
        ("n // 0", "it divides by zero"),
        ("n % (1 - 1)", "it divides by zero"),
        ("n / 2", "sizes are made with"),
        ("n ** 2", "sizes are made with"),
        ("True", "sizes are made with"),
        ("f(n)", "sizes are made with"),
        ("1" * 30, "sizes are made with"),
    ],
)
def test_what_cannot_be_read_says_why(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(text)
