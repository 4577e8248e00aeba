"""Schedules of matrix products.

A tile of the result stays in registers all through the sum. Where the second matrix is read along its rows, they are the
vectors, and a panel of it is packed first when it does not fit a cache. Where it is read along the sum (dense), a panel of it is
turned as it is packed; with few rows that does not pay, and the sum is what runs in lanes.
"""

from __future__ import annotations

from typing import Any

from tewb import te
from tewb.base import DType
from tewb.schedule import Schedule
from tewb.tensor import Tensor
from tewb.topi import nn
from tewb.topi.checks import check_same_size, known, tensor_of
from tewb.topi.generic.stages import (
    anchor_of,
    elements,
    extent_of,
    follows,
    inline_all,
    is_ragged,
    is_tagged,
    loads,
    read_by_reductions,
    schedule_of,
)
from tewb.topi.x86.injective import schedule_injective_from_existing, vectorize_and_share
from tewb.topi.x86.machine import L2_BYTES, is_worth_threads, vector_lanes, vector_registers

WORK = ("dense", "matmul", "batch_matmul", "dense_pack")
TURNED_ROWS = 12  # from so many rows on, turning a panel of weights costs less than it brings


def schedule_dense(outs: Any) -> Schedule:
    """dense, matmul and batch_matmul, with what is elementwise after them in the same tiles."""
    s, tensors = schedule_of(outs)
    out = tensors[0]
    product = anchor_of(out, is_tagged(*WORK))
    many = read_by_reductions(tensors)
    inline_all(s, tensors, keep=lambda t: t.op in many and t is not product)
    for t in [x for x in _stages(s) if x.op in many and not x.op.reduce_axis]:
        schedule_injective_from_existing(s, t)
    if product is None or not product.op.reduce_axis:
        vectorize_and_share(s, out)
    elif not follows(out, product):
        _tile(s, product, product)
        vectorize_and_share(s, out)
    else:
        _tile(s, out, product)
    return s


schedule_matmul = schedule_batch_matmul = schedule_dense_nopack = schedule_dense_dynamic = schedule_dense
schedule_dense_pack = schedule_einsum = schedule_dense


def schedule_lstm(outs: Any) -> Schedule:
    """A long short-term memory: the product of all inputs in tiles; its steps are loops of their own."""
    s, tensors = schedule_of(outs)
    inline_all(s, tensors)
    for t in [*_stages(s), *tensors]:
        if t.op.tag == "dense" and t.op.reduce_axis:
            _tile(s, t, t)
        elif t.ndim and t.op.tag:
            schedule_injective_from_existing(s, t)
    return s


def _stages(s: Schedule) -> list[Tensor]:
    return [st.op.output(0) for st in s.stages if st.op not in s.outputs and st.op.inputs]


def _tile(s: Schedule, out: Tensor, product: Tensor) -> None:
    """The product in tiles of `out`, which is it or elementwise of it."""
    if len(product.op.reduce_axis) != 1 or out.ndim < 2:
        vectorize_and_share(s, out)
        return
    turned = _turned(product)
    along = turned is None and _reads_along_sum(product)
    rows, columns = _tile_size(product, along)
    pack = turned if turned is not None else None if along else _panel(product, columns)
    if product is out:
        product = s.cache_write(out, "local")
    else:
        s[product].set_scope("local")
    *batch, i, j = s[out].op.axis
    io, jo, ii, ji = s[out].tile(i, j, rows, columns)
    if along:  # blocks of columns whose part of the second matrix stays in the cache for all rows
        block, jo = s[out].split(jo, _tiles_of_a_block(product, columns))
        s[out].reorder(*batch, block, io, jo, ii, ji)
        outer, inner = s[out].fuse(block, io), jo
    else:
        one_row_of_tiles = (known(out.shape[-2]) or rows + 1) <= rows
        outer, inner = (jo, io) if pack is not None or one_row_of_tiles else (io, jo)
        s[out].reorder(*batch, outer, inner, ii, ji)
    s[out].unroll(ii)
    s[out].vectorize(ji)
    s[product].compute_at(s[out], inner)
    if batch:
        outer = s[out].fuse(*batch, outer)
    if is_worth_threads(out, extent_of(product.op.reduce_axis[0]) or 64):
        s[out].parallel(outer)
    _registers(s, product, along)
    if pack is not None:
        panel = s.cache_read(pack, "global", [product])
        if turned is not None:
            _turn(s, panel)
        else:
            s[panel].vectorize(s[panel].op.axis[-1])
        s[panel].compute_at(s[out], outer)


def _turn(s: Schedule, panel: Tensor) -> None:
    """The panel with its columns along the last dimension, in tiles that are transposed in registers."""
    s[panel].transform_layout(lambda *i: [*i[:-2], i[-1], i[-2]])
    *batch, k, j = s[panel].op.axis
    lanes = vector_lanes(panel.dtype)
    ko, ki = s[panel].split(k, min(lanes, 8))
    jo, ji = s[panel].split(j, lanes)
    s[panel].reorder(*batch, ko, jo, ki, ji)
    s[panel].transpose(ki, ji)


def _tiles_of_a_block(product: Tensor, columns: int) -> int:
    """How many tiles of columns there are in a block that half a cache holds."""
    depth = extent_of(product.op.reduce_axis[0]) or 1024
    return max(L2_BYTES // (2 * depth * DType(product.dtype).nbytes * columns), 1)


def _registers(s: Schedule, product: Tensor, along: bool) -> None:
    """The sum of a tile, which is unrolled; its vectors are along the sum, or along the columns."""
    *_, i, j = s[product].op.axis
    (k,) = s[product].op.reduce_axis
    size, lanes = extent_of(k), vector_lanes(product.dtype)
    if along:
        if size is not None and size < lanes:
            s[product].unroll(k)
            s[product].reorder(k, i, j)
        else:
            ko, ki = s[product].split(k, lanes)
            s[product].reorder(ko, i, j, ki)
            s[product].vectorize(ki)
        s[product].unroll(i)
        s[product].unroll(j)
        return
    s[product].reorder(k, i, j)
    if size is not None and size <= 16:
        s[product].unroll(k)
    s[product].unroll(i)
    s[product].vectorize(j)


def _reads_along_sum(product: Tensor) -> bool:
    """Whether both factors have the sum as their last dimension."""
    (k,) = product.op.reduce_axis
    reads = loads(product)
    return bool(reads) and all(n.indices[-1] is k.var for n in reads)


def _second(product: Tensor) -> Tensor | None:
    """The factor whose last dimension is that of the columns."""
    columns = product.op.axis[-1].var
    for n in loads(product):
        if n.indices[-1] is columns and n.producer.ndim == 2:
            factor: Tensor = n.producer
            return factor
    return None


def _turned(product: Tensor) -> Tensor | None:
    """The factor that is read along the sum where its columns should be, and whose panels are worth turning: each is
    then used for all rows."""
    (k,) = product.op.reduce_axis
    columns = product.op.axis[-1].var
    rows, depth, m = known(product.shape[-2]), extent_of(k), known(product.shape[-1])
    few = any(n is not None and n < least for n, least in ((rows, TURNED_ROWS), (depth, 8), (m, 8)))
    if few or is_ragged(product):
        return None
    for n in loads(product):
        if n.producer.ndim > 1 and n.indices[-1] is k.var and n.indices[-2] is columns:
            factor: Tensor = n.producer
            return factor if DType(factor.dtype).nbytes in (4, 8) and factor.dtype == product.dtype else None
    return None


def _panel(product: Tensor, columns: int) -> Tensor | None:
    """The factor whose panels of columns are packed: one that does not fit a cache, and has several."""
    second = _second(product)
    if second is None or (known(product.shape[-1]) or columns + 1) <= columns:
        return None
    count = elements(second)
    return second if count == 0 or count * DType(second.dtype).nbytes > L2_BYTES else None


def _tile_size(product: Tensor, along: bool) -> tuple[int, int]:
    """Rows and columns whose accumulators, with what is loaded for them, fill the registers."""
    registers, lanes = vector_registers(), vector_lanes(product.dtype)
    n, m = (known(e) for e in product.shape[-2:])
    depth = extent_of(product.op.reduce_axis[0])
    if along:
        side = 4 if registers >= 32 else 3
        return min(side, n or side), min(side, m or side)
    if m is not None and m <= lanes:
        return min(n or 8, registers // 2), m
    if registers < 32:
        rows, columns = 6, 2 * lanes
    elif (depth is not None and depth <= 64) or (depth is not None and depth > 1024):
        rows, columns = 6, 4 * lanes
    else:
        rows = 9 if depth is not None and depth >= 512 else 8
        columns = 3 * lanes
    return min(rows, n or rows), min(columns, m or columns)


def dense_nopack(
    data: Tensor, weight: Tensor, bias: Tensor | None = None, out_dtype: str | None = None
) -> Any:
    """dense, on the weights as they are."""
    return nn.dense(data, weight, bias, out_dtype)


dense_dynamic = dense_nopack


def dense_pack(data: Tensor, weight: Tensor, bias: Tensor | None = None, out_dtype: str | None = None) -> Any:
    """dense on weights in blocks of outputs (m / b, k, b); weights (m, k) are packed so first."""
    w = tensor_of("dense_pack", weight, (2, 3))
    if w.ndim == 3:
        return nn.dense_pack(data, w, bias, out_dtype)
    x = tensor_of("dense_pack", data, 2)
    check_same_size("dense_pack", x.shape[1], w.shape[1], "the sizes that are summed over")
    turned = te.compute((w.shape[1], w.shape[0]), lambda k, j: w[j, k], name="T_transpose", tag="injective")
    return nn.matmul(x, turned, bias, out_dtype)


batch_matmul = nn.batch_matmul
