"""Layers that are products of matrices."""

from __future__ import annotations

from typing import Any

from tewb import te
from tewb.base import DType, ShapeError, here
from tewb.tensor import Tensor
from tewb.topi import tag
from tewb.topi.checks import check_same_size, known, tensor_of


def matmul(
    tensor_a: Tensor,
    tensor_b: Tensor,
    bias: Tensor | None = None,
    out_dtype: str | None = None,
    transpose_a: bool = False,
    transpose_b: bool = False,
    auto_scheduler_rewritten_layout: str = "",
    meta_schedule_original_shape: Any = None,
) -> Any:
    """The product of two matrices, each transposed when so asked, summed in `out_dtype`, plus a bias for each column."""
    word = f"{'T' if transpose_a else 'N'}{'T' if transpose_b else 'N'}"
    dense_like = word == "NT"
    return _product(
        "matmul", tensor_a, tensor_b, bias, out_dtype, transpose_a, transpose_b,
        f"T_matmul_{word}", "dense" if dense_like else "matmul",
    )  # fmt: skip


def dense(
    data: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    out_dtype: str | None = None,
    auto_scheduler_rewritten_layout: str = "",
    meta_schedule_original_shape: Any = None,
) -> Any:
    """data[n, k] @ weight[m, k].T, summed in `out_dtype`, plus a bias for each of the m outputs."""
    return _product("dense", data, weight, bias, out_dtype, False, True, "T_matmul_NT", "dense")


def _product(
    what: str,
    tensor_a: Any,
    tensor_b: Any,
    bias: Any,
    out_dtype: str | None,
    transpose_a: bool,
    transpose_b: bool,
    name: str,
    word: str,
) -> Any:
    a, b = tensor_of(what, tensor_a, 2), tensor_of(what, tensor_b, 2)
    dtype = DType(out_dtype) if out_dtype else a.dtype
    n, depth = reversed(a.shape) if transpose_a else a.shape
    other, m = reversed(b.shape) if transpose_b else b.shape
    check_same_size(what, depth, other, f"the sizes of {a.name} and {b.name} that are summed over")
    k = te.reduce_axis((0, depth), name="k")

    def element(i: Any, j: Any) -> Any:
        x = a[k, i] if transpose_a else a[i, k]
        y = b[j, k] if transpose_b else b[k, j]
        return te.sum(te.cast(x, dtype) * te.cast(y, dtype), axis=k)

    product = te.compute((n, m), element, name=name, tag=word)
    if bias is None:
        return product
    added = tensor_of(what, bias, 1)
    check_same_size(what, added.shape[0], m, "the number of biases and of outputs")
    return te.compute(
        (n, m),
        lambda i, j: product[i, j] + te.cast(added[j], dtype),
        name="T_add",
        tag=tag.BROADCAST,
    )


def dense_pack(data: Tensor, weight: Tensor, bias: Tensor | None = None, out_dtype: str | None = None) -> Any:
    """dense with the weights in blocks of outputs: weight[o, k, b] is that of output o * blocks + b."""
    x, w = tensor_of("dense_pack", data, 2), tensor_of("dense_pack", weight, 3)
    dtype = DType(out_dtype) if out_dtype else x.dtype
    check_same_size("dense_pack", x.shape[1], w.shape[1], "the sizes that are summed over")
    block, m = w.shape[2], w.shape[0] * w.shape[2]
    k = te.reduce_axis((0, x.shape[1]), name="k")

    def element(i: Any, j: Any) -> Any:
        weight_of_j = w[te.indexdiv(j, block), k, te.indexmod(j, block)]
        return te.sum(te.cast(x[i, k], dtype) * te.cast(weight_of_j, dtype), axis=k)

    product = te.compute((x.shape[0], m), element, name="T_dense_pack", tag="dense_pack")
    if bias is None:
        return product
    b = tensor_of("dense_pack", bias, 1)
    check_same_size("dense_pack", b.shape[0], m, "the number of biases and of outputs")
    return te.compute(
        product.shape, lambda i, j: product[i, j] + te.cast(b[j], dtype), name="T_add", tag=tag.BROADCAST
    )


def batch_matmul(
    tensor_a: Tensor,
    tensor_b: Tensor,
    oshape: Any = None,
    out_dtype: str | None = None,
    transpose_a: bool = False,
    transpose_b: bool = True,
    auto_scheduler_rewritten_layout: str = "",
    meta_schedule_original_shape: Any = None,
) -> Any:
    """A product for each of a batch, in the first dimension; a batch of 1 is used for all. The second matrices are given
    transposed unless transpose_b=False."""
    a, b = tensor_of("batch_matmul", tensor_a, 3), tensor_of("batch_matmul", tensor_b, 3)
    dtype = DType(out_dtype) if out_dtype else a.dtype
    n, depth = reversed(a.shape[1:]) if transpose_a else a.shape[1:]
    other, m = reversed(b.shape[1:]) if transpose_b else b.shape[1:]
    check_same_size("batch_matmul", depth, other, f"the sizes of {a.name} and {b.name} that are summed over")
    single_a, single_b = known(a.shape[0]) == 1, known(b.shape[0]) == 1
    if not (single_a or single_b):
        check_same_size("batch_matmul", a.shape[0], b.shape[0], "the sizes of the batches")
    batch = b.shape[0] if single_a else a.shape[0]
    if oshape is not None:
        if len(oshape) != 3:
            raise ShapeError(
                f"batch_matmul: oshape has {len(oshape)} dimensions",
                hint="(batch, rows, columns)",
                span=here(),
            )
        for want, have in zip(oshape, (batch, n, m), strict=True):
            check_same_size("batch_matmul", want, have, "a size of oshape and of the product")
    k = te.reduce_axis((0, depth), name="k")

    def element(p: Any, i: Any, j: Any) -> Any:
        of_a = te.const(0) if single_a else p
        of_b = te.const(0) if single_b else p
        x = a[of_a, k, i] if transpose_a else a[of_a, i, k]
        y = b[of_b, j, k] if transpose_b else b[of_b, k, j]
        return te.sum(te.cast(x, dtype) * te.cast(y, dtype), axis=k)

    word = f"{'T' if transpose_a else 'N'}{'T' if transpose_b else 'N'}"
    return te.compute((batch, n, m), element, name=f"T_batch_matmul_{word}", tag="batch_matmul")
