"""Masks, diagonals, triangles, reversed sequences, sparse values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.topi.compare import Case, check, floats, integers
from tewb import te, topi
from tewb.base import ShapeError, TewbError

x = floats(4, 3, 2)


def masked(v: Any, lengths: Any, value: float, axis: int) -> Any:
    made = v.copy()
    for b, n in enumerate(lengths):
        made[(slice(n, None), b) if axis == 0 else (b, slice(n, None))] = value
    return made


def reversed_rows(v: Any, lengths: Any) -> Any:
    made = v.copy()
    for b, n in enumerate(lengths):
        n = min(max(n, 1), v.shape[1])
        made[b, :n] = v[b, :n][::-1]
    return made


def set_diagonals(v: Any, values: Any, low: int, high: int, above: str, below: str) -> Any:
    """Element by element from the definition."""
    made, (rows, columns) = v.copy(), v.shape[-2:]
    for d in range(low, high + 1):
        length = min(columns - max(d, 0), rows + min(d, 0))
        right = (above if d >= 0 else below) == "RIGHT"
        start = values.shape[-1] - length if right else 0
        for n in range(length):
            row, column = n - min(d, 0), n + max(d, 0)
            made[..., row, column] = (values if low == high else values[..., high - d, :])[..., start + n]
    return made


def diagonals(values: Any, k: Any, align: str, matrices: Any) -> Case:
    low, high = (k, k) if isinstance(k, int) else k
    return Case(
        lambda t, v: topi.matrix_set_diag(t, v, k, align),
        lambda t, v: set_diagonals(t, v, low, high, *align.split("_")),
        (matrices, values),
    )


def test_places_by_rules() -> None:
    m = floats(2, 3, 5)
    nested = np.array(-1, "int32")
    check(
        [
            Case(lambda t, n: topi.sequence_mask(t, n), lambda v, n: masked(v, n, 0, 0), (x, integers(3, low=0, high=5))),
            Case(
                lambda t, n: topi.sequence_mask(t, n, -7, 1),
                lambda v, n: masked(v, n, -7, 1),
                (x, integers(4, low=0, high=4, dtype="int64")),
            ),
            Case(topi.reverse_sequence, reversed_rows, (x, np.array([0, 2, 3, 9], "int32"))),
            Case(
                lambda t, n: topi.reverse_sequence(t, n, 0, 1),
                lambda v, n: reversed_rows(v.swapaxes(0, 1), n).swapaxes(0, 1),
                (x, np.array([4, 2, 3], "int64")),
            ),
            Case(lambda t: topi.trilu(t, 1, True), lambda v: np.triu(v, 1), (x,)),
            Case(lambda t, k: topi.trilu(t, k, False), lambda v, k: np.tril(v, -1), (x, nested)),
            diagonals(floats(2, 3), 0, "RIGHT_LEFT", m),
            diagonals(floats(2, 3), 1, "LEFT_RIGHT", m),
            diagonals(floats(2, 2), -1, "RIGHT_LEFT", m),
            diagonals(floats(2, 3, 3), (-1, 1), "RIGHT_LEFT", m),
            diagonals(floats(2, 4, 3, seed=1), (-1, 2), "LEFT_RIGHT", m),
            diagonals(floats(2, 2, 2), (-2, -1), "LEFT_LEFT", m),
        ]
    )  # fmt: skip


def dense(indices: Any, shape: Any, values: Any, default: Any) -> Any:
    made = np.full(shape, default, values.dtype)
    rows = indices.reshape(-1, len(shape))
    for row, value in zip(rows, np.broadcast_to(values, len(rows)), strict=True):
        made[tuple(row)] = value
    return made


def test_sparse_values_and_flat_indices() -> None:
    rows = np.array([[0, 1], [2, 4], [0, 1]], "int32")
    default = np.array(9, "float32")
    check(
        [
            Case(
                lambda i, v: topi.sparse_to_dense(i, (3, 5), v, -1),
                lambda i, v: dense(i, (3, 5), v, -1),
                (rows, floats(3)),
            ),
            Case(
                lambda i, v, d: topi.sparse_to_dense(i, (6,), v, d),
                lambda i, v, d: dense(i, (6,), v, 9),
                (np.array([5, 2], "int64"), np.array(4, "float32"), default),
            ),
            Case(
                lambda i, v: topi.sparse_to_dense(i, (4,), v),
                lambda i, v: dense(i, (4,), v, 0),
                (np.array(3, "int32"), np.array(4, "int32")),
            ),
            Case(
                lambda i: topi.unravel_index(i, (7, 6)),
                lambda i: np.array(np.unravel_index(i, (7, 6))),
                (integers(2, 3, low=0, high=42),),
            ),
            Case(
                topi.unravel_index,
                lambda i, s: np.array(np.unravel_index(i, s)),
                (np.array(22, "int32"), np.array([7, 2, 3], "int32")),
            ),
        ]
    )


A, P = te.placeholder((4, 3), name="A"), te.placeholder((4,), "int32", name="P")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: topi.sequence_mask(A, P, axis=2), ShapeError, "axis 2 of the 2 dimensions of A"),
        (
            lambda: topi.sequence_mask(A, P, axis=0),
            ShapeError,
            "the number of lengths and the batch are 4 and 3",
        ),
        (lambda: topi.reverse_sequence(A, P, 0, 1), ShapeError, "are 4 and 3"),
        (lambda: topi.trilu(P, 0, True), ShapeError, "P has 1 dimensions"),
        (lambda: topi.matrix_set_diag(A, P, (1, 0)), ShapeError, "diagonals 1 to 0"),
        (lambda: topi.matrix_set_diag(A, P, align="RIGHT"), TewbError, "align cannot be 'RIGHT'"),
        (lambda: topi.sparse_to_dense(P, (3, 3), te.placeholder((4,))), ShapeError, "for an output of 2"),
        (lambda: topi.sparse_to_dense(P, (3,), te.placeholder((5,))), ShapeError, "are 4 and 5"),
    ],
)
def test_misuse(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        make()
    assert raised.value.hint
