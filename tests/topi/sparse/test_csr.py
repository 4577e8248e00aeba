"""Products with matrices in compressed rows, beside the same product of whole matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.topi.compare import floats
from tewb import te, topi
from tewb.base import DTypeError, ShapeError, TewbError
from tewb.contrib import sparse

dense = np.where(floats(5, 7) > 0.6, floats(5, 7), 0).astype("float32")
dense[3] = 0  # a row that is empty
FORMS: dict[str, tuple[Any, tuple[Any, ...], Any]] = {
    "vector": (lambda a, x: topi.sparse.csrmv(a, x), (floats(7, 1),), lambda x: dense @ x),
    "vector added": (
        lambda a, x, y: topi.sparse.csrmv(a, x, y),
        (floats(7, 1), floats(1)),
        lambda x, y: dense @ x + y,
    ),
    "matrix": (
        lambda a, b, c: topi.sparse.csrmm(a, b, c),
        (floats(7, 3), floats(5)),
        lambda b, c: dense @ b + c[:, None],
    ),
    "weights": (
        lambda a, x, b: topi.sparse.dense(x, a, b),
        (floats(2, 7), floats(5)),
        lambda x, b: x @ dense.T + b,
    ),
    "data": (lambda a, w: topi.sparse.dense(a, w), (floats(3, 7),), lambda w: dense @ w.T),
}


@pytest.mark.one_in(2)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("symbolic", [False, True])
def test_products(form: str, symbolic: bool) -> None:
    operator, inputs, reference = FORMS[form]
    given = sparse.array(dense)
    nonzeros = te.var("nnz") if symbolic else len(given.data)
    a = sparse.placeholder(dense.shape, nonzeros, name="a")
    tensors = [te.placeholder(x.shape, name=f"B{n}") for n, x in enumerate(inputs)]
    out = operator(a, *tensors)
    with tewb.PassContext(opt_level=0):
        kernel = tewb.build(te.create_schedule(out.op), [a.data, a.indices, a.indptr, *tensors, out])
    got = kernel(given.data, given.indices, given.indptr, *inputs)
    np.testing.assert_allclose(got, reference(*inputs), 1e-5, 1e-6)


def test_misuse() -> None:
    a = sparse.placeholder((5, 7), 4)
    B = te.placeholder((7, 3), name="B")
    with pytest.raises(TewbError, match="csrmm takes a sparse matrix, not"):
        topi.sparse.csrmm(B, B)
    with pytest.raises(TewbError, match="one of data and weight is sparse"):
        topi.sparse.dense(B, B)
    with pytest.raises(DTypeError, match="B is float64"):
        topi.sparse.csrmm(a, te.placeholder((7, 3), "float64", "B"))
    with pytest.raises(ShapeError, match="columns of x and 1 are 3 and 1"):
        topi.sparse.csrmv(a, B)
