"""Indices whose arithmetic passes int32 on the way, of sizes that are known and of symbolic ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.pages import between_pages
from tewb import te

N = 70000
Index = Callable[[Any], Any]
VALUES = np.arange(64, dtype="int32") * 3 + 1
PLACES = np.arange(N, dtype="int64")

# Each as an index of te, and of numpy in int64.
INDICES: dict[str, tuple[Index, Index]] = {
    "remainder": (lambda i: i * 65536 % 61, lambda i: i * 65536 % 61),
    "quotient": (lambda i: i * 65536 // 100000000, lambda i: i * 65536 // 100000000),
    "square": (lambda i: i * i % 61, lambda i: i * i % 61),
    "below 0": (lambda i: (-i * 65536) % 61, lambda i: (-i * 65536) % 61),
    "smaller": (lambda i: te.min(i * 65536, 63), lambda i: np.minimum(i * 65536, 63)),
    "larger": (lambda i: te.max(63 - i * 65536, 0), lambda i: np.maximum(63 - i * 65536, 0)),
    "truncated": (lambda i: te.truncmod(i * 65537, 61), lambda i: i * 65537 % 61),
    "by an index": (
        lambda i: i * 65536 // (i * 2000 + 1),
        lambda i: i * 65536 // (i * 2000 + 1),
    ),
    "choice": (
        lambda i: te.if_then_else(i > 5, i * 65536 // 100000000, 0),
        lambda i: np.where(i > 5, i * 65536 // 100000000, 0),
    ),
    "cast": (lambda i: (i * 65536).astype("int64") % 61, lambda i: i * 65536 % 61),
    "shift": (lambda i: (i << 16) % 61, lambda i: (i << 16) % 61),
    "shift down": (lambda i: i * 65536 >> 27, lambda i: i * 65536 >> 27),
    "bits": (lambda i: i * 65536 // 3 & 63, lambda i: i * 65536 // 3 & 63),
}


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", INDICES)
@pytest.mark.parametrize("primitive", ["", "compute_inline", "compute_at", "vectorize"])
def test_indices_of_known_and_of_symbolic_sizes_are_those_of_int64(name: str, primitive: str) -> None:
    index, wanted = INDICES[name]
    n = te.var("n")
    for size in (N, n):
        A = te.placeholder((64,), "int32", name="A")
        T = te.compute((size,), lambda i, A=A: A[index(i)], name="T")
        D = te.compute((size,), lambda i, T=T: T[i] + 1, name="D")
        s = te.create_schedule(D.op)
        outer, inner = s[D].split("i", factor=8)
        if primitive == "compute_at":
            s[T].compute_at(s[D], outer)
        elif primitive:
            s[T].compute_inline()
        if primitive == "vectorize":
            s[D].vectorize(inner)
        sizes = {"args": [n, A, D], "values": [N]} if size is n else {"args": [A, D], "values": []}
        made = tewb.build(s, sizes["args"])(*sizes["values"], between_pages(VALUES))
        np.testing.assert_array_equal(made, VALUES[wanted(PLACES)] + 1)


def test_products_of_sizes_in_indices_are_those_of_int64() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((64,), "int32", name="A")
    D = te.compute((n,), lambda i: A[i * m // 7 % 64], name="D")
    kernel = tewb.build(te.create_schedule(D.op), [n, m, A, D])
    for size, number in [(5, 5), (N, 65536), (N, 2**31 - 1), (30, -(2**31))]:
        made = kernel(size, number, between_pages(VALUES))
        np.testing.assert_array_equal(made, VALUES[PLACES[:size] * number // 7 % 64])


def test_symbolic_index_of_a_hybrid_function_is_that_of_int64() -> None:
    @te.hybrid.script
    def gathered(a, n):
        o = output_tensor((n,), "int32")  # noqa: F821
        for i in range(n):
            o[i] = a[i * 65536 // 7 % 64]
        return o

    n = te.var("n")
    A = te.placeholder((64,), "int32", name="A")
    D = gathered(A, n)
    kernel = tewb.build(te.create_schedule(D.op), [n, A, D])
    np.testing.assert_array_equal(kernel(N, between_pages(VALUES)), VALUES[PLACES * 65536 // 7 % 64])


def test_ordinary_indices_stay_in_32_bits() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, m), "int32", name="A")
    indices: list[Callable[[Any], Any]] = [
        lambda i: A[i // m, i % m],
        lambda i: A[te.max(te.min(i + 1, n - 1), 0), te.max(i % m - 1, 0)],
        lambda i: A[(n - 1 - i) % n, (i + 3) % m],
    ]
    for f in indices:
        assert "int64" not in str(te.compute((n * m,), f, name="B").op.body)
