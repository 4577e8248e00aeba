"""Dense layers whose weights (or inputs) are sparse: compressed rows, or compressed rows of blocks."""

from __future__ import annotations

from typing import Any

from tewb import te, tir
from tewb.base import ShapeError, here
from tewb.tensor import Tensor
from tewb.topi.checks import check_same_size, integers_of, tensor_of
from tewb.topi.loops import check_inside, nested_loops


def sparse_dense(
    dense_data: Tensor,
    sparse_data: Tensor,
    sparse_indices: Tensor,
    sparse_indptr: Tensor,
    sparse_lhs: bool = False,
) -> Any:
    """dense_data[m, k] @ sparse[n, k].T; with `sparse_lhs`, sparse[m, k] @ dense_data[n, k].T. The sparse matrix has data (nonzeros,)
    in compressed rows, or (blocks, rows, columns) in compressed rows of blocks."""
    if sparse_lhs:
        return sparse_dense_sp_lhs(sparse_data, sparse_indices, sparse_indptr, dense_data)
    return sparse_dense_sp_rhs(dense_data, sparse_data, sparse_indices, sparse_indptr)


def sparse_dense_sp_rhs(
    data: Tensor, weight_data: Tensor, weight_indices: Tensor, weight_indptr: Tensor
) -> Any:
    """data[m, k] @ weight[n, k].T with sparse weights."""
    return _product(data, weight_data, weight_indices, weight_indptr, sparse_rows=False)


def sparse_dense_sp_lhs(data_data: Tensor, data_indices: Tensor, data_indptr: Tensor, weight: Tensor) -> Any:
    """data[m, k] @ weight[n, k].T with sparse data."""
    return _product(weight, data_data, data_indices, data_indptr, sparse_rows=True)


def _product(dense: Any, data: Any, indices: Any, indptr: Any, sparse_rows: bool) -> Any:
    what = "sparse_dense"
    x, values = tensor_of(what, dense, 2), tensor_of(what, data, (1, 3))
    at, ptr = integers_of(what, indices), integers_of(what, indptr)
    blocks = values.ndim == 3
    height, width = values.shape[1:] if blocks else (1, 1)
    count = (ptr.shape[0] - 1) * height
    shape = (count, x.shape[0]) if sparse_rows else (x.shape[0], count)

    def element(i: Any, j: Any) -> Any:
        row, other = (i, j) if sparse_rows else (j, i)
        block = te.indexdiv(row, height) if blocks else row
        n = te.reduce_axis((ptr[block], ptr[block + 1]), name="elem_idx")
        if not blocks:
            return te.sum(values[n] * x[other, at[n]], axis=n)
        c = te.reduce_axis((0, width), name="c")
        value = values[n, te.indexmod(row, height), c]
        return te.sum(value * x[other, at[n] * width + c], axis=[n, c])

    kind = "bsrmm" if blocks else "csrmm"
    return te.compute(shape, element, name="T_sparse_dense", tag=f"sparse_dense_{kind}")


def sparse_add(dense_data: Tensor, sparse_data: Tensor, sparse_indices: Tensor, sparse_indptr: Tensor) -> Any:
    """dense_data + a sparse matrix in compressed rows."""
    what = "sparse_add"
    x, values = tensor_of(what, dense_data, 2), tensor_of(what, sparse_data, 1)
    at, ptr = integers_of(what, sparse_indices), integers_of(what, sparse_indptr)
    check_same_size(what, ptr.shape[0], x.shape[0] + 1, "the size of indptr and the rows plus 1")

    def loops(ins: Any, outs: Any) -> Any:
        ib = tir.ir_builder.create()
        source, data, column, begin, out = (ib.buffer_ptr(b) for b in (*ins, *outs))
        with nested_loops(ib, x.shape) as i:
            out[i] = source[i]
        with ib.for_range(0, x.shape[0], name="row") as row:
            first = ib.let("first", begin[row])
            with ib.for_range(0, begin[row + 1] - first, name="n") as n:
                c = ib.let("c", column[first + n])
                check_inside(ib, te.all(c >= 0, c < x.shape[1]), f"{what}: a column is outside of {x.name}")
                out[row, c] = out[row, c] + data[first + n]
        return ib.get()

    return te.extern(
        x.shape, [x, values, at, ptr], loops, name="sparse_add", dtype=x.dtype, tag="sparse_add_csr"
    )


def sparse_transpose(sparse_data: Tensor, sparse_indices: Tensor, sparse_indptr: Tensor) -> Any:
    """The transposed of a square sparse matrix in compressed rows, as [data, indices, indptr]."""
    what = "sparse_transpose"
    values = tensor_of(what, sparse_data, 1)
    at, ptr = integers_of(what, sparse_indices), integers_of(what, sparse_indptr)
    if at.ndim != 1 or ptr.ndim != 1:
        raise ShapeError(f"{what}: indices and indptr are vectors", hint="compressed rows", span=here())
    rows, count = ptr.shape[0] - 1, values.shape[0]

    def loops(ins: Any, outs: Any) -> Any:
        ib = tir.ir_builder.create()
        data, column, begin, out, out_row, out_begin = (ib.buffer_ptr(b) for b in (*ins, *outs))
        place = ib.allocate("int32", (rows,), name="place")
        with ib.for_range(0, rows, name="c") as c:
            place[c] = te.const(0)
        with ib.for_range(0, count, name="n") as n:
            c = ib.let("c", te.cast(column[n], "int32"))
            check_inside(ib, te.all(c >= 0, c < rows), f"{what}: a column is outside of the matrix")
            place[c] = place[c] + 1
        out_begin[0] = te.const(0)
        with ib.for_range(0, rows, name="c") as c:
            out_begin[c + 1] = out_begin[c] + place[c]
            place[c] = out_begin[c]
        with ib.for_range(0, rows, name="row") as row:
            first = ib.let("first", te.cast(begin[row], "int32"))
            with ib.for_range(0, te.cast(begin[row + 1], "int32") - first, name="n") as n:
                c = ib.let("c", te.cast(column[first + n], "int32"))
                p = ib.let("p", place[c])
                check_inside(ib, te.all(p >= 0, p < count), f"{what}: indptr does not count the elements")
                out[p] = data[first + n]
                out_row[p] = row
                place[c] = p + 1
        return ib.get()

    shapes = [values.shape, values.shape, ptr.shape]
    dtypes = [str(values.dtype), "int32", "int32"]
    return list(
        te.extern(shapes, [values, at, ptr], loops, name="out", dtype=dtypes, tag="sparse_transpose_csr")
    )
