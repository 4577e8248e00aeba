"""Schedules of convolutions.

A tile of the result stays in registers all through the sum. With rows last in memory (NCHW) it is some channels by some
vectors of a row: each weight is a broadcast. With channels last (NHWC, NCHWc) it is some pixels of a row by a vector of
channels: each pixel is a broadcast. Padded inputs are made once, in front; a depthwise convolution reads each of them only a
few times and has none.
"""

from __future__ import annotations

from typing import Any

from tewb.base import DType
from tewb.schedule import Schedule
from tewb.tensor import Tensor
from tewb.topi.generic.stages import (
    anchor_of,
    elements,
    extent_of,
    follows,
    inline_all,
    is_tagged,
    loads,
    read_by_reductions,
    schedule_of,
)
from tewb.topi.x86.injective import vectorize_and_share
from tewb.topi.x86.machine import L2_BYTES, is_streamed, is_worth_threads, vector_lanes, vector_registers

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
    panel = _panel(s, sums)
    if panel is None:
        s[out].reorder(n, fo, *spatial, jt, fi, jo, ji)
    else:
        s[out].reorder(n, *spatial, jt, fo, fi, jo, ji)
        s[panel].compute_at(s[out], jt)
        s[panel].vectorize(s[panel].split(s[panel].op.axis[-1], lanes)[1])
    s[out].unroll(fi)
    s[out].unroll(jo)
    s[out].vectorize(ji)
    s[sums].compute_at(s[out], jt if panel is None else fo)
    _, f, *rows, j = s[sums].op.axis
    jo, ji = s[sums].split(j, lanes)
    over = list(s[sums].op.reduce_axis)
    s[sums].reorder(*rows, *over, f, jo, ji)
    if (extent_of(over[-1]) or 99) <= 7:
        s[sums].unroll(over[-1])
    s[sums].unroll(f)
    s[sums].unroll(jo)
    s[sums].vectorize(ji)
    return [n, fo] if panel is None else [n, *spatial[:1]]


def _panel(s: Schedule, sums: Tensor) -> Tensor | None:
    """A copy of the part of the image that a tile reads, for windows of one pixel: pixels of many channels, each on a page of its
    own, which all output channels then read side by side."""
    channel, *window = sums.op.reduce_axis
    if not window or any(extent_of(k) != 1 for k in window) or (extent_of(channel) or 0) < 128:
        return None
    image = next((n.producer for n in loads(sums) if channel.var is n.indices[1]), None)
    copy: Tensor | None = None if image is None else s.cache_read(image, "global", [sums])
    return copy


def _pixels_by_channels(s: Schedule, out: Tensor, sums: Tensor, depthwise: bool) -> list[Any]:
    """Tiles of pixels of a row (or of a few short rows) x one or two vectors of channels; returns the loops to share."""
    *outer, w, c = s[out].op.axis
    vectors = 1 if depthwise else 2
    lanes = min(vectors * vector_lanes(out.dtype), extent_of(c) or vector_lanes(out.dtype))
    most = (4 if depthwise else 14) if vector_registers() >= 32 else (4 if depthwise else 6)
    pixels = _divisor(extent_of(w), most)
    co, ci = s[out].split(c, lanes)
    wo, wi = s[out].split(w, pixels)
    tile = [wi]
    if len(outer) > 1 and not depthwise and extent_of(w) == pixels and 2 * pixels <= most:
        ho, hi = s[out].split(outer.pop(), most // pixels)
        outer.append(ho)
        tile.insert(0, hi)
    # A vector of channels of the weights stays in the cache for all pixels of an image.
    first = len(outer) if depthwise or (extent_of(c) or 0) <= lanes else 1
    order = [*outer[:first], co, *outer[first:]]
    s[out].reorder(*order, wo, *tile, ci)
    shared = s[out].fuse(*order[:2]) if len(order) > 1 else order[0]
    for axis in tile:
        s[out].unroll(axis)
    s[out].vectorize(ci)
    s[sums].compute_at(s[out], wo)
    *rows, w, c = s[sums].op.axis
    inner = [rows.pop(), w] if len(tile) > 1 else [w]
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
        s[sums].reorder(*rows, *spatial, ko, ki, *inner, c)
    for axis in inner:
        s[sums].unroll(axis)
    s[sums].vectorize(c)
    weights = None if first == len(outer) else _large_weights(sums)
    if weights is not None:
        panel = s.cache_read(weights, "global", [sums])
        s[panel].compute_at(s[out], shared)
        s[panel].vectorize(s[panel].op.axis[-1])
    return [shared]


def _large_weights(sums: Tensor) -> Tensor | None:
    """The kernel, when it does not fit a cache: what a vector of channels takes of it is put together, for it lies apart by a power of
    two as a rule, and such lines push one another out."""
    channels = sums.op.axis[-1].var
    for n in loads(sums):
        if n.indices[-1] is channels and elements(n.producer) * DType(n.producer.dtype).nbytes > 2 * L2_BYTES:
            kernel: Tensor = n.producer
            return kernel
    return None


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
