"""Products with a matrix in compressed rows: `data` has the elements that are not 0, row after row, `indices` their columns, and
row i has those from indptr[i] up to indptr[i + 1]."""

from __future__ import annotations

from typing import Any

from tewb import te
from tewb.base import DTypeError, TewbError, here
from tewb.tensor import Tensor
from tewb.topi import tag
from tewb.topi.checks import check_same_size, integers_of, known, tensor_of


def csrmv(a: Any, x: Tensor, y: Tensor | None = None) -> Any:
    """a @ x (+ y) for a sparse matrix `a` (m, k), a column x (k, 1) and a vector y (m,) of one element or m."""
    data, indices, indptr = _parts("csrmv", a)
    dense_x = _like(tensor_of("csrmv", x, 2), data, "csrmv")
    check_same_size("csrmv", dense_x.shape[1], 1, "the columns of x and 1")
    return _added("csrmv", _product("csrmv", data, indices, indptr, dense_x), y)


def csrmm(a: Any, b: Tensor, c: Tensor | None = None) -> Any:
    """a @ b (+ c) for a sparse matrix `a` (m, k), a dense b (k, n) and a vector c (m,), whose element i is added to row i."""
    data, indices, indptr = _parts("csrmm", a)
    dense_b = _like(tensor_of("csrmm", b, 2), data, "csrmm")
    return _added("csrmm", _product("csrmm", data, indices, indptr, dense_b), c)


def dense(data: Any, weight: Any, bias: Tensor | None = None) -> Any:
    """data @ weight.T (+ bias for each column), where one of the two is sparse: data (m, k), weight (n, k), bias (n,)."""
    what = "sparse.dense"
    if isinstance(data, Tensor) == isinstance(weight, Tensor):
        raise TewbError(
            f"{what}: one of data and weight is sparse, and the other is a tensor",
            hint="contrib.sparse.placeholder((n, k), nonzeros) is a sparse matrix; topi.nn.dense takes two tensors",
            span=here(),
        )
    if isinstance(weight, Tensor):
        values, indices, indptr = _parts(what, data)
        w = _like(tensor_of(what, weight, 2), values, what)
        product = _turned_product(values, indices, indptr, w, sparse_rows=True)
    else:
        values, indices, indptr = _parts(what, weight)
        x = _like(tensor_of(what, data, 2), values, what)
        product = _turned_product(values, indices, indptr, x, sparse_rows=False)
    if bias is None:
        return product
    b = tensor_of(what, bias, 1)
    check_same_size(what, b.shape[0], product.shape[1], "the number of biases and of columns")
    return te.compute(product.shape, lambda i, j: product[i, j] + b[j], name="dense_bias", tag=tag.BROADCAST)


def _parts(what: str, a: Any) -> tuple[Tensor, Tensor, Tensor]:
    """The three vectors of a sparse matrix."""
    if not all(isinstance(getattr(a, name, None), Tensor) for name in ("data", "indices", "indptr")):
        raise TewbError(
            f"{what} takes a sparse matrix, not {a!r}",
            hint="tewb.contrib.sparse.placeholder((m, k), nonzeros) is one",
            span=here(),
        )
    return tensor_of(what, a.data, 1), integers_of(what, a.indices), integers_of(what, a.indptr)


def _like(t: Tensor, data: Tensor, what: str) -> Tensor:
    if t.dtype is not data.dtype:
        raise DTypeError(
            f"{what}: {t.name} is {t.dtype} and {data.name} is {data.dtype}",
            hint=f'topi.cast({t.name}, "{data.dtype}")',
            span=here(),
        )
    return t


def _row(indptr: Tensor, i: Any) -> Any:
    """The places of the elements of row `i`."""
    return te.reduce_axis((indptr[i], indptr[i + 1]), name="elem_idx")


def _product(what: str, data: Tensor, indices: Tensor, indptr: Tensor, b: Tensor) -> Any:
    def element(i: Any, j: Any) -> Any:
        n = _row(indptr, i)
        return te.sum(data[n] * b[indices[n], j], axis=n)

    return te.compute((indptr.shape[0] - 1, b.shape[1]), element, name=f"T_{what}", tag=what)


def _turned_product(data: Tensor, indices: Tensor, indptr: Tensor, other: Tensor, sparse_rows: bool) -> Any:
    """Rows of a sparse matrix with rows of a dense one; those of the sparse one are the rows of the result, or its columns."""

    def element(i: Any, j: Any) -> Any:
        sparse, full = (i, j) if sparse_rows else (j, i)
        n = _row(indptr, sparse)
        return te.sum(data[n] * other[full, indices[n]], axis=n)

    count = indptr.shape[0] - 1
    shape = (count, other.shape[0]) if sparse_rows else (other.shape[0], count)
    return te.compute(shape, element, name="T_sparse_dense", tag="sparse_dense_csrmm")


def _added(what: str, product: Any, vector: Any) -> Any:
    if vector is None:
        return product
    v = tensor_of(what, vector, 1)
    one = known(v.shape[0]) == 1
    if not one:
        check_same_size(what, v.shape[0], product.shape[0], "the size of the vector and the rows")
    return te.compute(
        product.shape,
        lambda i, j: product[i, j] + v[te.const(0) if one else i],
        name=f"T_{what}_add",
        tag=tag.BROADCAST,
    )
