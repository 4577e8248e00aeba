"""Matrix products in tiles of registers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.topi.compare import Case, check_schedule, floats, words
from tewb import te, topi
from tewb.topi import x86

SIZES = [(7, 53, 19), (3, 5, 4), (1, 100, 33)]


def product(a: Any, b: Any) -> Any:
    return a @ b


@pytest.mark.one_in(2)
@pytest.mark.parametrize("size", SIZES)
def test_products(size: tuple[int, int, int]) -> None:
    n, m, k = size
    a, b, bias = floats(n, k), floats(k, m), floats(m)
    check_schedule(x86.schedule_matmul, Case(topi.matmul, product, (a, b)))
    check_schedule(
        x86.schedule_dense,
        Case(
            lambda *t: topi.nn.relu(topi.nn.dense(*t)),
            lambda a, b, c: (a @ b.T + c).clip(0),
            (a, b.T.copy(), bias),
        ),
    )


a, b, three, four = floats(7, 19), floats(19, 53), floats(3, 5, 6), floats(3, 7, 6)
FORMS: dict[str, tuple[Any, Case]] = {
    "packed": (x86.schedule_dense_pack, Case(x86.dense_pack, lambda x, y: x @ y.T, (a, b.T.copy()))),
    "transposed": (
        x86.schedule_dense,
        Case(lambda x, y: topi.transpose(topi.matmul(x, y)), lambda x, y: (x @ y).T, (a, b)),
    ),
    "of a function": (
        x86.schedule_dense,
        Case(lambda x, y: topi.nn.dense(topi.exp(x), y), lambda x, y: np.exp(x) @ y.T, (a, b.T.copy())),
    ),
    "batch": (
        x86.schedule_batch_matmul,
        Case(topi.nn.batch_matmul, lambda x, y: x @ y.swapaxes(1, 2), (three, four)),
    ),
    "small batch": (
        x86.schedule_batch_matmul,
        Case(
            lambda x, y: topi.nn.batch_matmul(x, y, transpose_b=False),
            product,
            (floats(5, 8, 8), floats(5, 8, 8, seed=1)),
        ),
    ),
    "two sums": (
        x86.schedule_dense,
        Case(
            lambda x, y: topi.tensordot(x, y, 2), lambda x, y: np.tensordot(x, y, 2), (three, floats(5, 6, 4))
        ),
    ),
}


@pytest.mark.one_in(2)
@pytest.mark.parametrize("form", FORMS)
def test_other_forms(form: str) -> None:
    check_schedule(*FORMS[form])


def test_large_second_factors_are_packed() -> None:
    def made(n: int) -> set[str]:
        A, B = te.placeholder((n, n), name="A"), te.placeholder((n, n), name="B")
        return words(x86.schedule_matmul(topi.matmul(A, B)))

    assert "cache_read" in made(512) and "cache_read" not in made(128)


@pytest.mark.slow
def test_symbolic_sizes() -> None:
    n, m, k = te.var("n"), te.var("m"), te.var("k")
    A, B = te.placeholder((n, k), name="A"), te.placeholder((m, k), name="B")
    C = topi.nn.dense(A, B)
    with tewb.PassContext(opt_level=0):
        kernel = tewb.build(x86.schedule_dense(C), [A, B, C])
    a, b = floats(7, 19), floats(5, 19)
    np.testing.assert_allclose(kernel(a, b), a @ b.T, rtol=1e-4, atol=1e-5)
