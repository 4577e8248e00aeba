"""Limits of sizes: which sums and products of symbols are checked at a call, and which cannot overflow."""

from __future__ import annotations

from typing import Any

import pytest

from tewb.base import DType
from tewb.codegen.size_limits import size_limits
from tewb.ir import (
    Allocate,
    Buffer,
    BufferStore,
    Expr,
    For,
    ForKind,
    IfThenElse,
    PrimFunc,
    Stmt,
    Var,
    const,
    ops,
)
from tewb.runtime.abi import Limit

n, m, i, j = (Var(name, DType("int32")) for name in ("n", "m", "i", "j"))
wide = Var("w", DType("int64"))
byte = Var("b", DType("uint8"))
A = Buffer("A", DType("float32"), (n, m, wide, byte))
NAMES = {n: "n", m: "m", wide: "w", byte: "b"}


def store(value: Expr | None = None) -> Stmt:
    return BufferStore(A, const(0.0) if value is None else value, (const(0),))


def loop(extent: Any, body: Stmt | None = None, var: Var = i) -> For:
    return For(var, const(0), ops.convert(extent), ForKind.SERIAL, store() if body is None else body)


def limits(body: Stmt, *params: Any) -> list[tuple[str, int, str]]:
    """The limits of a function of A and `params`."""
    found = size_limits(PrimFunc("main", (A, *params), body), NAMES)
    assert all(isinstance(limit, Limit) for limit in found)
    return [(limit.text, limit.bits, limit.what) for limit in found]


@pytest.mark.parametrize(
    ("extent", "texts"),
    [
        (n, []),
        (const(8), []),
        (ops.floordiv(n + 15, 16), ["n + 15"]),
        (n * m, ["n * m"]),
        (n * m + 1, ["n * m + 1", "n * m"]),
        (n - 1, []),
        (n - m, []),
        (ops.floordiv(n, 16) * 16, []),
        (ops.floordiv(n, 16) * 32, ["n // 16 * 32"]),
        (ops.cast(n, "int64") * ops.cast(m, "int64"), []),
        (ops.cast(n, "int64") * ops.cast(m, "int64") * 4, ["n * m * 4"]),
        (wide * 2, ["w * 2"]),
        (byte + byte, []),
    ],
)
def test_sums_and_products_of_sizes_that_may_overflow(extent: Expr, texts: list[str]) -> None:
    bits = extent.dtype.bits
    assert limits(loop(extent)) == [(text, bits, "loop i") for text in texts]


def test_numbers_that_are_arguments_may_be_negative() -> None:
    k = Var("k", DType("int32"))
    NAMES[k] = "k"
    assert limits(loop(k - 1), k) == [("k - 1", 32, "loop i")]
    assert limits(loop(n - 1), n) == []  # the size of an array as well


def test_sizes_with_a_number_and_a_loop_are_looked_at_in_its_first_and_last_iterations() -> None:
    k = Var("k", DType("int32"))
    NAMES[k] = "k"
    nest = loop(10, loop(k - i, var=j))
    assert [text for text, _, _ in limits(nest, k)] == ["k - 0", "k - 9"]
    assert limits(loop(10, loop(n - i, var=j))) == []


def test_bytes_are_counted_in_63_bits() -> None:
    T = Buffer("T", DType("float64"), (n,))
    assert limits(Allocate(T, store())) == [("n * 8", 63, "T (bytes)")]
    assert limits(Allocate(Buffer("T", DType("float64"), (const(4),)), store())) == []


def test_shapes_are_sizes_and_each_text_comes_once() -> None:
    B = Buffer("B", DType("int8"), (n + m, n + m))
    assert limits(loop(n + m), B) == [("n + m", 32, "B")]


def test_guards_are_sizes_and_choices_are_not() -> None:
    cond = ops.less(i, n * m)
    guarded = IfThenElse(ops.likely(cond), store(), None)
    assert limits(guarded) == [("n * m", 32, "a guard")]
    assert limits(store(ops.if_then_else(ops.likely(cond), const(1.0), const(2.0)))) == []
    assert limits(IfThenElse(cond, store(), None)) == []
