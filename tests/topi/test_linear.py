"""Products of matrices and of tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.topi.compare import Case, check, floats
from tewb import te, topi
from tewb.base import ShapeError, TewbError

a, b = floats(3, 5), floats(5, 7)
EINSUMS = [
    ("ij,jk->ik", (a, b)), ("ij,jk", (a, b)), ("ij->ji", (a,)), ("ij->", (a,)), ("ii->i", (floats(3, 3),)), ("ii", (floats(3, 3),)),
    ("i,j->ij", (floats(3), floats(5))), ("bij,bjk->bik", (floats(2, 3, 5), floats(2, 5, 4))),
    ("...ij,...jk->...ik", (floats(2, 1, 3, 5), floats(4, 5, 2))), ("...i->...", (a,)), ("ij,kj,k->i", (a, floats(2, 5), floats(2))),
]  # fmt: skip


def test_products() -> None:
    t3, t4 = floats(3, 5, 2), floats(5, 3, 4)
    check(
        [
            Case(topi.matmul, np.matmul, (a, b)),
            Case(lambda x, y: topi.matmul(x, y, True, False), lambda x, y: x.T @ y, (a.T.copy(), b)),
            Case(
                lambda x, y: topi.matmul(x, y, True, True), lambda x, y: x.T @ y.T, (a.T.copy(), b.T.copy())
            ),
            Case(lambda x, y: topi.tensordot(x, y, 1), lambda x, y: np.tensordot(x, y, 1), (a, b)),
            Case(lambda x, y: topi.tensordot(x, y, 0), lambda x, y: np.tensordot(x, y, 0), (a, b)),
            Case(lambda x, y: topi.tensordot(x, y, (1, 0)), lambda x, y: np.tensordot(x, y, (1, 0)), (a, b)),
            Case(
                lambda x, y: topi.tensordot(x, y, ((0, 1), (1, 0))),
                lambda x, y: np.tensordot(x, y, ((0, 1), (1, 0))),
                (t3, t4),
            ),
        ]
        + [
            Case(lambda *t, w=word: topi.einsum(w, *t), lambda *v, w=word: np.einsum(w, *v), given)
            for word, given in EINSUMS
        ],
        rtol=1e-4,
    )


def test_symbolic_sizes() -> None:
    n, m, k = te.var("n"), te.var("m"), te.var("k")
    A, B = te.placeholder((n, k), name="A"), te.placeholder((k, m), name="B")
    made = [topi.matmul(A, B), topi.einsum("ik,kj->ji", A, B)]
    kernel = tewb.build(te.create_schedule([t.op for t in made]), [A, B, *made])
    one, two = kernel(a, b)
    np.testing.assert_allclose(one, a @ b, rtol=1e-4)
    np.testing.assert_allclose(two, (a @ b).T, rtol=1e-4)


A, B = te.placeholder((3, 5), name="A"), te.placeholder((4, 7), name="B")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: topi.matmul(A, B), ShapeError, "the sizes of A and B that are summed over are 5 and 4"),
        (lambda: topi.matmul(A, te.placeholder((5,))), ShapeError, "has 1 dimensions, not 2"),
        (lambda: topi.tensordot(A, B, 3), ShapeError, "3 axes of tensors of 2 and 2"),
        (lambda: topi.tensordot(A, B, 1), ShapeError, "are 5 and 4"),
        (lambda: topi.tensordot(A, B, ((0, 1), (0,))), ShapeError, "2 axes of one and 1 of the other"),
        (lambda: topi.einsum("ij,jk->ik", A), ShapeError, "has 2 terms and there are 1"),
        (lambda: topi.einsum("ij,jk->ik", A, B), ShapeError, "j is 5 and 4"),
        (lambda: topi.einsum("ijk->i", A), ShapeError, "'ijk' does not fit A"),
        (lambda: topi.einsum("ij->iz", A), TewbError, "letters twice, or that no term has"),
    ],
)
def test_misuse(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        make()
    assert raised.value.hint
