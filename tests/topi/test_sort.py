"""Sorting by externs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.topi.compare import Case, check, floats, integers
from tewb import te, topi
from tewb.base import ShapeError, TewbError

x, ties = floats(3, 7, 2), integers(3, 7, low=0, high=4)


def descending(v: Any, axis: int) -> Any:
    """Places of a stable sort, the largest first."""
    return np.argsort(-v.astype("int64"), axis=axis, kind="stable")


def valid(v: Any, counts: Any) -> Any:
    made = np.tile(np.arange(v.shape[1]), (len(v), 1))
    for row, n in enumerate(counts):
        made[row, :n] = np.argsort(v[row, :n], kind="stable")
    return made


def test_order() -> None:
    counts = np.array([7, 0, 4], "int32")
    ordered, probes = np.sort(floats(9)), floats(2, 4, seed=3)
    rows, row_probes = np.sort(ties, 1), integers(3, 4, low=-1, high=5)
    check(
        [
            Case(topi.sort, lambda v: np.sort(v, -1), (x,)),
            Case(lambda t: topi.sort(t, 1, is_ascend=False), lambda v: -np.sort(-v, 1), (x,)),
            Case(lambda t: topi.argsort(t, dtype="int32"), lambda v: np.argsort(v, kind="stable"), (ties,)),
            Case(lambda t: topi.argsort(t, axis=0, is_ascend=0), lambda v: descending(v, 0), (ties,)),
            Case(lambda t, n: topi.argsort(t, n, dtype="int64"), valid, (ties, counts)),
            Case(
                lambda t: topi.topk(t, 3),
                lambda v: [np.sort(v, 1)[:, :-4:-1], descending(v, 1)[:, :3]],
                (ties,),
            ),
            Case(
                lambda t: topi.topk(t, 2, axis=0, ret_type="indices", is_ascend=True, dtype="int32"),
                lambda v: np.argsort(v, 0, kind="stable")[:2],
                (ties,),
            ),
            Case(lambda t: topi.topk(t, -1, 1, "values"), lambda v: -np.sort(-v, 1), (x,)),
            Case(topi.searchsorted, lambda s, v: np.searchsorted(s, v), (ordered, probes)),
            Case(
                lambda s, v: topi.searchsorted(s, v, right=True, out_dtype="int32"),
                lambda s, v: np.stack([np.searchsorted(a, b, "right") for a, b in zip(s, v, strict=True)]),
                (rows, row_probes),
            ),
        ]
    )


A = te.placeholder((3, 4), name="A")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: topi.sort(A, 2), ShapeError, "sort: axis 2"),
        (lambda: topi.topk(A, 5), ShapeError, "axis 1 of A has 4 elements, not 5"),
        (lambda: topi.topk(A, 2, ret_type="value"), TewbError, "did you mean 'values'"),
        (
            lambda: topi.argsort(A, te.placeholder((3,), "int32", name="n"), 0),
            ShapeError,
            "not in front of axis 0",
        ),
        (lambda: topi.searchsorted(A, te.placeholder((3,))), ShapeError, "A has 2 dimensions"),
    ],
)
def test_misuse(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        make()
    assert raised.value.hint
