"""Sparse matrices: three vectors of compressed rows, as arrays and as placeholders.

a = sparse.placeholder((m, k), nonzeros, name="a")
C = topi.sparse.csrmm(a, B)
kernel = tewb.build(te.create_schedule(C.op), [a.data, a.indices, a.indptr, B, C])
x = sparse.array(numpy_matrix)
kernel(x.data, x.indices, x.indptr, b, c)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tewb import nd, te
from tewb.base import ShapeError, TewbError, here

ITYPE = "int32"


class CSRNDArray:
    """A matrix of numbers in compressed rows: of the elements of an array that are not 0, or of (data, indices, indptr)."""

    stype = "csr"

    def __init__(self, arg1: Any, device: Any = None, shape: Any = None, ctx: Any = None) -> None:
        device = device or ctx
        if isinstance(arg1, tuple):
            if len(arg1) != 3 or shape is None:
                raise ShapeError(
                    "a sparse matrix of vectors takes three of them and a shape",
                    hint="sparse.array((data, indices, indptr), shape=(m, k))",
                    span=here(),
                )
            data, indices, indptr = arg1
        else:
            dense = np.asarray(arg1)
            if dense.ndim != 2:
                raise ShapeError(
                    f"a sparse matrix has 2 dimensions, not {dense.ndim}", hint="x.reshape(m, k)", span=here()
                )
            rows, indices = np.nonzero(dense)
            data, shape = dense[rows, indices], dense.shape
            indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(dense)))])
        self.data = nd.array(np.asarray(data), device)
        self.indices = nd.array(np.asarray(indices, ITYPE), device)
        self.indptr = nd.array(np.asarray(indptr, ITYPE), device)
        self.shape, self.dtype = tuple(shape), self.data.dtype

    def numpy(self) -> Any:
        """The whole matrix, zeros included."""
        full = np.zeros(self.shape, self.dtype)
        rows = np.repeat(np.arange(self.shape[0]), np.diff(np.asarray(self.indptr)))
        full[rows, np.asarray(self.indices)] = self.data
        return full

    asnumpy = numpy


class CSRPlaceholderOp:
    """A sparse matrix that is an input: placeholders for its three vectors."""

    stype = "csr"

    def __init__(self, shape: Any, nonzeros: Any, dtype: Any, name: str) -> None:
        self.shape, self.dtype, self.name = tuple(shape), dtype, name
        self.data = te.placeholder((nonzeros,), dtype=dtype, name=f"{name}_data")
        self.indices = te.placeholder((nonzeros,), dtype=ITYPE, name=f"{name}_indices")
        self.indptr = te.placeholder((self.shape[0] + 1,), dtype=ITYPE, name=f"{name}_indptr")


def array(
    source_array: Any, device: Any = None, shape: Any = None, stype: str = "csr", ctx: Any = None
) -> CSRNDArray:
    """A sparse matrix of an array, or of its three vectors and a shape."""
    _check_kind(stype)
    return CSRNDArray(source_array, device, shape, ctx)


def placeholder(
    shape: Any,
    nonzeros: Any = None,
    dtype: Any = None,
    name: str = "placeholder",
    stype: str | None = None,
) -> CSRPlaceholderOp:
    """A sparse matrix of `shape` with so many elements (a number or a variable) that are not 0, as an input."""
    _check_kind(stype or "csr")
    if not hasattr(shape, "__len__") or len(shape) != 2:
        raise ShapeError(f"a sparse matrix has 2 dimensions: {shape!r}", hint="shape=(m, k)", span=here())
    return CSRPlaceholderOp(shape, 0 if nonzeros is None else nonzeros, dtype or "float32", name)


def _check_kind(stype: str) -> None:
    if stype != "csr":
        raise TewbError(
            f"sparse matrices of kind {stype!r} are not here",
            hint='stype="csr": compressed rows',
            span=here(),
        )
