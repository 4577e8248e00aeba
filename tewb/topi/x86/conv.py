"""Schedules of convolutions.

A tile of the result stays in registers all through the sum. With rows last in memory (NCHW) it is some channels by some
vectors of a row: each weight is a broadcast. With channels last (NHWC, NCHWc) it is some pixels of a row by a vector of
channels: each pixel is a broadcast. Padded inputs are made once, in front; a depthwise convolution reads each of them only a
few times and has none.
"""

from __future__ import annotations

from typing import Any

from tewb.schedule import Schedule
from tewb.tensor import Tensor
from tewb.topi.generic.stages import (
    anchor_of,
    extent_of,
    follows,
    inline_all,
    is_tagged,
    read_by_reductions,
    schedule_of,
)
from tewb.topi.x86.injective import vectorize_and_share
from tewb.topi.x86.machine import is_streamed, is_worth_threads, vector_lanes, vector_registers

DEPTHWISE = "depthwise_conv2d"
WORK = ("conv1d", "conv2d", "conv3d", "group_conv", DEPTHWISE)
CHANNELS_LAST = ("nwc", "nhwc", "ndhwc", "NCHWc", "hwcn")


def schedule_conv(outs: Any) -> Schedule:
    """Any convolution of topi.nn, with what is elementwise after it in the same tiles."""
    s, tensors = schedule_of(outs)
    out = tensors[0]
    conv = anchor_of(out, is_tagged(*WORK))
    if conv is None or not conv.op.reduce_axis:
        inline_all(s, tensors)
        vectorize_and_share(s, out)
        return s
    depthwise = conv.op.tag.startswith(DEPTHWISE) and "backward" not in conv.op.tag
    many = set() if depthwise else read_by_reductions(tensors)
    inline_all(s, tensors, keep=lambda t: t.op in many and t.op is not conv.op)
    for t in [x.op.output(0) for x in s.stages if x.op in many and x.op is not conv.op]:
        if not t.op.reduce_axis:
            vectorize_and_share(s, t, 2 * vector_lanes(t.dtype))
    if follows(out, conv):
        _tile(s, out, conv, depthwise)
    else:
        _tile(s, conv, conv, depthwise)
        vectorize_and_share(s, out)
    return s


schedule_conv1d_ncw = schedule_conv1d_nwc = schedule_group_conv1d_ncw = schedule_group_conv1d_nwc = (
    schedule_conv
)
schedule_conv2d_nchw = schedule_conv2d_nhwc = schedule_conv2d_hwcn = schedule_conv2d_NCHWc = schedule_conv
schedule_group_conv2d_nchw = schedule_group_conv2d_nhwc = schedule_conv3d_ncdhw = schedule_conv3d_ndhwc = (
    schedule_conv
)
schedule_depthwise_conv2d_nchw = schedule_depthwise_conv2d_nhwc = schedule_depthwise_conv2d_NCHWc = (
    schedule_conv
)
schedule_conv1d_transpose_ncw = schedule_conv2d_transpose_nchw = schedule_conv3d_transpose_ncdhw = (
    schedule_conv
)


def _tile(s: Schedule, out: Tensor, conv: Tensor, depthwise: bool) -> None:
    channels_last = conv.op.tag.endswith(CHANNELS_LAST)
    work = 1
    for k in conv.op.reduce_axis:
        work *= extent_of(k) or 16
    if conv is out:
        sums = s.cache_write(out, "local")
    else:
        s[conv].set_scope("local")
        sums = conv
    if channels_last:
        outer = _pixels_by_channels(s, out, sums, depthwise)
    elif depthwise:
        outer = _rows_by_columns(s, out, sums)
    else:
        outer = _channels_by_columns(s, out, sums)
    if is_streamed(out):
        s[out].nontemporal()
    if is_worth_threads(out, work):
        s[out].parallel(s[out].fuse(*outer) if len(outer) > 1 else outer[0])


def _channels_by_columns(s: Schedule, out: Tensor, sums: Tensor) -> list[Any]:
    """Tiles of channels x vectors of a row; returns the loops to share."""
    n, f, *spatial, j = s[out].op.axis
    lanes = min(vector_lanes(out.dtype), extent_of(j) or vector_lanes(out.dtype))
    width = min(4 * lanes, extent_of(j) or 4 * lanes)
    vectors = -(-width // lanes)
    channels = max(vector_registers() // 2 // vectors, 1)
    fo, fi = s[out].split(f, min(channels, extent_of(f) or channels))
    jt, j = s[out].split(j, width)
    jo, ji = s[out].split(j, lanes)
    s[out].reorder(n, fo, *spatial, jt, fi, jo, ji)
    s[out].unroll(fi)
    s[out].unroll(jo)
    s[out].vectorize(ji)
    s[sums].compute_at(s[out], jt)
    _, f, *rows, j = s[sums].op.axis
    jo, ji = s[sums].split(j, lanes)
    over = list(s[sums].op.reduce_axis)
    s[sums].reorder(*rows, *over, f, jo, ji)
    if (extent_of(over[-1]) or 99) <= 7:
        s[sums].unroll(over[-1])
    s[sums].unroll(f)
    s[sums].unroll(jo)
    s[sums].vectorize(ji)
    return [n, fo]


def _pixels_by_channels(s: Schedule, out: Tensor, sums: Tensor, depthwise: bool) -> list[Any]:
    """Tiles of pixels of a row x a vector of channels; returns the loops to share."""
    *outer, w, c = s[out].op.axis
    lanes = min(vector_lanes(out.dtype), extent_of(c) or vector_lanes(out.dtype))
    co, ci = s[out].split(c, lanes)
    most = (4 if depthwise else 14) if vector_registers() >= 32 else (4 if depthwise else 6)
    wo, wi = s[out].split(w, _divisor(extent_of(w), most))
    s[out].reorder(*outer, co, wo, wi, ci)
    s[out].unroll(wi)
    s[out].vectorize(ci)
    s[sums].compute_at(s[out], wo)
    *rows, w, c = s[sums].op.axis
    over = list(s[sums].op.reduce_axis)
    if depthwise:
        for k in over:
            if (extent_of(k) or 99) <= 5:
                s[sums].unroll(k)
        s[sums].reorder(*rows, *over, w, c)
    else:
        channel = over[-1] if sums.op.reduce_axis[-1].var.name == "ic_inner" else over[0]
        spatial = [k for k in over if k is not channel]
        ko, ki = s[sums].split(channel, 2)
        s[sums].unroll(ki)
        s[sums].reorder(*rows, *spatial, ko, ki, w, c)
    s[sums].unroll(w)
    s[sums].vectorize(c)
    return outer[:2] if len(outer) > 1 else outer


def _rows_by_columns(s: Schedule, out: Tensor, sums: Tensor) -> list[Any]:
    """Tiles of some rows x a vector of a row; returns the loops to share."""
    n, c, i, j = s[out].op.axis
    lanes = min(vector_lanes(out.dtype), extent_of(j) or vector_lanes(out.dtype))
    io, jo, ii, ji = s[out].tile(i, j, min(4, extent_of(i) or 4), lanes)
    s[out].unroll(ii)
    s[out].vectorize(ji)
    s[sums].compute_at(s[out], jo)
    *_, i, j = s[sums].op.axis
    over = list(s[sums].op.reduce_axis)
    s[sums].reorder(*over, i, j)
    for axis in over:
        if (extent_of(axis) or 99) <= 7:
            s[sums].unroll(axis)
    s[sums].unroll(i)
    s[sums].vectorize(j)
    return [n, c]


def _divisor(size: int | None, most: int) -> int:
    """The largest number up to `most` that divides `size`, unless that is small: then `most`."""
    if size is None or size <= most:
        return size or most
    best = max(d for d in range(1, most + 1) if size % d == 0)
    return best if 2 * best > most else most
