"""`contrib.cblas`: matrix products by the BLAS that comes with scipy, whole or as the micro-kernel of tiles.

The functions come from the capsules of `scipy.linalg.cython_blas`, whose names are their C signatures.
BLAS thinks in columns: for rows, C = A @ B is computed as C^T = B^T @ A^T.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tewb.arith import Analyzer
from tewb.base import DTypeError, ExternError, Native, ShapeError, here, once, register_native
from tewb.compat import face
from tewb.ir import Buffer, Expr, ops
from tewb.tensor import Tensor, call_extern, extern

face.wear(__name__)

_GEMM = {"float32": "sgemm", "float64": "dgemm"}


def matmul(lhs: Tensor, rhs: Tensor, transa: bool = False, transb: bool = False, name: str = "C") -> Tensor:
    """lhs[n, k] @ rhs[k, m] by BLAS, an extern that can be cut into tiles of its output. With `transa` the left one is
    stored as [k, n], with `transb` the right one as [m, k].

    Raises ShapeError and DTypeError for tensors that do not go together, ExternError without scipy.
    """
    left, right = (1 if transa else 0), (0 if transb else 1)  # the dimensions that the product keeps
    if (
        lhs.ndim != 2
        or rhs.ndim != 2
        or not Analyzer().can_prove(ops.equal(lhs.shape[1 - left], rhs.shape[1 - right]))
    ):
        wanted = f"{'(k, n)' if transa else '(n, k)'} and {'(m, k)' if transb else '(k, m)'}"
        raise ShapeError(
            f"cblas.matmul: {lhs.name}{list(lhs.shape)} and {rhs.name}{list(rhs.shape)} have no product",
            hint=f"they must be {wanted}",
            span=here(),
        )
    if lhs.dtype is not rhs.dtype or str(lhs.dtype) not in _GEMM:
        raise DTypeError(
            f"cblas.matmul: BLAS multiplies two float32 or two float64, not {lhs.dtype} and {rhs.dtype}",
            hint='cast one of them, as in te.compute(A.shape, lambda i, j: A[i, j].astype("float32"))',
            span=here(),
        )
    function = gemm(str(lhs.dtype))
    depth = lhs.shape[1 - left]

    def product(ins: list[Buffer], outs: list[Buffer]) -> Expr:
        (a, b), (c,) = ins, outs
        rows, columns = c.shape
        return call_extern(
            "void",
            function.symbol,
            "T" if transb else "N",
            "T" if transa else "N",
            columns,
            rows,
            depth,
            1.0,
            b,
            _step(b),
            a,
            _step(a),
            0.0,
            c,
            _step(c),
        )

    output: Tensor = extern(
        (lhs.shape[left], rhs.shape[right]),
        [lhs, rhs],
        product,
        name=name,
        access=lambda i, j: [
            [(0, depth), i] if transa else [i, (0, depth)],
            [j, (0, depth)] if transb else [(0, depth), j],
        ],
        effect="pure",
    )
    return output


def packed_matmul(a: Any, b: Any, c: Any, transa: int = 0, transb: int = 0) -> None:
    """Write the product of two arrays, each a matrix or a batch of them, to `c`: the packed functions
    `tvm.contrib.cblas.matmul` and `batch_matmul`. numpy calls its BLAS."""
    left = np.swapaxes(a, -1, -2) if transa else a
    right = np.swapaxes(b, -1, -2) if transb else b
    np.matmul(left, right, out=c)


def _step(b: Buffer) -> Expr:
    """Elements from one row of a buffer to the next; the elements of a row lie side by side."""
    if b.strides and not ops.is_const(b.strides[1], 1):
        raise ExternError(
            f"cblas.matmul: the rows of {b.name} do not lie side by side", hint="copy it first", span=here()
        )
    return b.strides[0] if b.strides else b.shape[1]


@once
def gemm(dtype: str) -> Native:
    """The matrix product of `dtype` (float32 or float64) as a native function."""
    try:
        from scipy.linalg import cython_blas
    except ImportError as e:
        raise ExternError("cblas needs scipy", hint="pip install scipy", span=here()) from e
    return register_native(cython_blas.__pyx_capi__[_GEMM[dtype]], _GEMM[dtype], _thread_setter())


@once
def _thread_setter() -> Callable[[int], int] | None:
    """A function that sets the threads of scipy's OpenBLAS and returns the previous number; None when scipy was built
    with something else."""
    import scipy

    folders = [Path(scipy.__file__).parent.parent / "scipy.libs", Path(scipy.__file__).parent / ".dylibs"]
    for path in (p for folder in folders if folder.is_dir() for p in folder.glob("*openblas*")):
        library = ctypes.CDLL(str(path))
        setter = getattr(library, "scipy_openblas_set_num_threads", None)
        getter = getattr(library, "scipy_openblas_get_num_threads", None)
        if setter is not None and getter is not None:
            return _setter(setter, getter)
    return None


def _setter(set_number: Any, get_number: Any) -> Callable[[int], int]:
    def set_threads(n: int) -> int:
        before = int(get_number())
        set_number(n)
        return before

    return set_threads
