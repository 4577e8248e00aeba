"""Sparse matrices as arrays and as placeholders."""

from __future__ import annotations

import numpy as np
import pytest

from tewb.base import ShapeError, TewbError
from tewb.contrib import sparse


def test_there_and_back() -> None:
    x = np.array([[0, 2, 0], [0, 0, 0], [3, 0, 4]], "float32")
    a = sparse.array(x)
    assert (a.indptr.tolist(), a.indices.tolist(), a.data.tolist()) == ([0, 1, 1, 3], [1, 0, 2], [2, 3, 4])
    np.testing.assert_array_equal(a.asnumpy(), x)
    again = sparse.array((a.data, a.indices, a.indptr), shape=x.shape)
    np.testing.assert_array_equal(again.numpy(), x)


def test_placeholders_have_three_vectors() -> None:
    p = sparse.placeholder((4, 9), nonzeros=7, dtype="float64", name="A")
    assert [t.name for t in (p.data, p.indices, p.indptr)] == ["A_data", "A_indices", "A_indptr"]
    assert (p.data.dtype, p.indptr.dtype, p.indptr.shape[0].value) == ("float64", "int32", 5)


def test_misuse() -> None:
    with pytest.raises(TewbError, match="of kind 'bsr' are not here"):
        sparse.placeholder((2, 3), stype="bsr")
    with pytest.raises(ShapeError, match="has 2 dimensions, not 1"):
        sparse.array(np.ones(3))
    with pytest.raises(ShapeError, match="three of them and a shape"):
        sparse.array((np.ones(3),))
