"""Loops that LLVM's own vectors computed wrongly: A[i * 4 + i % 4] was A[i * 5], and quotients were those of another lane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.pages import between_pages
from tewb import te
from tewb.base import PassContext
from tewb.testing import evaluate

INDICES: dict[str, Callable[[Any], Any]] = {
    "i*4 + i%4": lambda i: i * 4 + i % 4,
    "i*4 + (i & 3)": lambda i: i * 4 + (i & 3),
    "i%8": lambda i: i % 8,
    "i*2 + (i+1)%2": lambda i: i * 2 + (i + 1) % 2,
    "i + i%16*3": lambda i: i + i % 16 * 3,
    "uint8(i)": lambda i: i.astype("uint8"),
    "i*4 + i%3": lambda i: i * 4 + i % 3,
    "i%2 * 64 + i//2": lambda i: i % 2 * 64 + i // 2,
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("index", INDICES)
@pytest.mark.parametrize("size", [17, 100, te.var("n")], ids=["17", "100", "n"])
@pytest.mark.parametrize("debug", [False, True])
def test_a_loop_reads_where_its_index_says(index: str, size: Any, debug: bool) -> None:
    f, n = INDICES[index], size if isinstance(size, int) else 300
    A = te.placeholder((1300,), "int32", name="A")
    S = te.placeholder((size,), "int32", name="S")
    k = te.reduce_axis((0, 4), name="k")
    C = te.compute((size,), lambda i: te.sum(A[f(i)] * S[i], axis=k), name="C")
    s = te.create_schedule(C.op)
    a, ones = np.random.default_rng(3).integers(-99, 99, 1300, "int32"), np.ones(n, "int32")
    i = np.arange(n)
    wanted = 4 * a[i.astype("uint8") if index == "uint8(i)" else f(i)]
    for level in range(4):
        with PassContext(opt_level=level):
            np.testing.assert_array_equal(tewb.build(s, [A, S, C], debug=debug)(a, ones), wanted)


@pytest.mark.one_in(2)
@pytest.mark.parametrize("index", INDICES)
def test_a_sum_reads_where_its_index_says(index: str) -> None:
    f = INDICES[index]
    A = te.placeholder((1300,), "int32", name="A")
    k = te.reduce_axis((0, 300), name="k")
    C = te.compute((1,), lambda i: te.sum(A[f(k)], axis=k), name="C")
    a, j = np.random.default_rng(4).integers(-99, 99, 1300, "int32"), np.arange(300)
    wanted = a[j.astype("uint8") if index == "uint8(i)" else f(j)].sum()
    for level in range(4):
        with PassContext(opt_level=level):
            for debug in (False, True):
                kernel = tewb.build(te.create_schedule(C.op), [A, C], debug=debug)
                assert kernel(a)[0] == wanted


CHOICES: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "or": lambda A, i, j, n: te.select(te.any(j == i, A[(j + j) % n, j] > 0.5), te.trunc(A[i, j] * 9), A[i, 7 - j]),
    "and": lambda A, i, j, n: te.select(te.all(j != i, A[(j + 9) // n % n, j] > 0.5), te.trunc(A[i, j] * 9), A[i, 7 - j]),
    "if": lambda A, i, j, n: te.if_then_else(j != i, A[(j * 3) % n, j], te.trunc(A[i, 7 - j] * 9)),
    "data": lambda A, i, j, n: te.if_then_else(A[i, 0] > 0.5, A[(j * 3) % n, j], te.trunc(A[i, 7 - j] * 9)),
    "int64": lambda A, i, j, n: te.select(
        te.any(j == i, A[(j + j) % n.astype("int64"), j] > 0.5), te.trunc(A[i.astype("int64"), j] * 9), A[i, 7 - j]
    ),
    "clamped": lambda A, i, j, n: te.select(
        te.any(j == i, A[(j + j) % n, j].astype("bool")),
        te.trunc(A[i.astype("int64"), te.max(te.min(i - j, 7), 0)]), A[i, j],
    ),
}  # fmt: skip


def chosen(choice: str, n: Any) -> tuple[Any, Any]:
    A = te.placeholder((n, 8), "float64", name="A")
    return A, te.compute((n, 8), lambda i, j: CHOICES[choice](A, i, j, n), name="C")


@pytest.mark.one_in(3)
@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("level", range(4))
def test_a_quotient_that_only_some_iterations_need_is_theirs(choice: str, level: int) -> None:
    A, C = chosen(choice, te.var("n"))
    with PassContext(opt_level=level):
        kernel = tewb.build(te.create_schedule(C.op), [A, C])
    for n in (1, 2, 5, 8, 13, 32):
        a = between_pages(np.random.default_rng(n).random((n, 8)).round(1))
        (wanted,) = evaluate([C], {A: a})
        np.testing.assert_array_equal(kernel(a), wanted)
