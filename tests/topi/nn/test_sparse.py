"""Dense layers with sparse weights or inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.topi.compare import Case, check, floats
from tewb import te, topi
from tewb.base import BoundError, ShapeError
from tewb.contrib import sparse

square = np.where(floats(6, 6) > 0.5, floats(6, 6), 0).astype("float32")
a = sparse.array(square)
parts = tuple(np.asarray(v) for v in (a.data, a.indices, a.indptr))
x = floats(3, 6)


def blocked(w: Any) -> tuple[Any, ...]:
    """Compressed rows of blocks of 2 x 3."""
    tiles = w.reshape(3, 2, 2, 3).swapaxes(1, 2)
    rows, columns = np.nonzero(np.abs(tiles).sum((2, 3)))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=3))])
    return tiles[rows, columns], columns.astype("int32"), indptr.astype("int32")


def transposed(*_: Any) -> list[Any]:
    t = sparse.array(square.T.copy())
    return [np.asarray(t.data), np.asarray(t.indices), np.asarray(t.indptr)]


def test_beside_whole_matrices() -> None:
    check(
        [
            Case(topi.nn.sparse_dense, lambda v, *_: v @ square.T, (x, *parts)),
            Case(topi.nn.sparse_dense, lambda v, *_: v @ square.T, (x, *blocked(square))),
            Case(
                lambda *t: topi.nn.sparse_dense(*t, sparse_lhs=True),
                lambda v, *_: square @ v.T,
                (x, *parts),
            ),
            Case(topi.nn.sparse_add, lambda v, *_: v + square, (floats(6, 6, seed=3), *parts)),
            Case(topi.nn.sparse_transpose, transposed, parts),
        ]
    )


def test_wrong_places_are_errors_of_the_kernel() -> None:
    tensors = [te.placeholder(v.shape, str(v.dtype), name=f"A{n}") for n, v in enumerate((square, *parts))]
    out = topi.nn.sparse_add(*tensors)
    with tewb.PassContext(opt_level=0):
        kernel = tewb.build(te.create_schedule(out.op), [*tensors, out])
    wrong = parts[1].copy()
    wrong[0] = 6
    with pytest.raises(BoundError, match="sparse_add: a column is outside of A0"):
        kernel(square, parts[0], wrong, parts[2], np.zeros_like(square))


def test_misuse() -> None:
    with pytest.raises(ShapeError, match="has 2 dimensions, not 1 or 3"):
        topi.nn.sparse_dense(*[te.placeholder((6, 6), name="A")] * 2, te.placeholder((3,), "int32"), None)
