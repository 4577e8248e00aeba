"""Convolutions whose windows are moved, element by element, by offsets that are data."""

from __future__ import annotations

from typing import Any

from tewb import te
from tewb.base import ShapeError, here
from tewb.tensor import Tensor
from tewb.topi.checks import check_same_size, known, tensor_of, whole
from tewb.topi.nn.convolution import convolution
from tewb.topi.nn.windows import padding_of, positive, window_count
from tewb.topi.shapes import transpose


def deformable_conv2d_nchw(
    data: Tensor,
    offset: Tensor,
    kernel: Tensor,
    strides: Any,
    padding: Any,
    dilation: Any,
    deformable_groups: int,
    groups: int,
    out_dtype: str | None = None,
) -> Any:
    """conv2d_nchw that reads between pixels: element (i, j) of the window for a pixel is moved by the pair of channels
    2 * (i * width + j) of `offset` (down, right). Each deformable group of channels has offsets of its own; outside is 0."""
    what = "deformable_conv2d_nchw"
    x, off, w = (tensor_of(what, t, 4) for t in (data, offset, kernel))
    batch, channels, height, width = x.shape
    kh, kw = w.shape[2:]
    (sh, sw), (dh, dw) = positive(what, "strides", strides, 2), positive(what, "dilation", dilation, 2)
    (top, left), (down, right) = padding_of(what, padding, (kh, kw), (dh, dw))
    sets = whole(what, "deformable_groups", deformable_groups)
    if sets < 1 or (known(channels) or 0) % sets:
        raise ShapeError(
            f"{what}: {channels!r} channels do not make {sets} deformable groups",
            hint="deformable_groups divides the channels",
            span=here(),
        )
    rows = window_count(what, height, kh, sh, dh, top + down)
    columns = window_count(what, width, kw, sw, dw, left + right)
    wanted = (batch, kh * kw * 2 * sets, rows, columns)
    for have, want in zip(off.shape, wanted, strict=True):
        check_same_size(what, have, want, "a size of the offsets and what it has to be")
    each = te.indexdiv(channels, te.const(sets))

    def number(value: Any) -> Any:
        return te.cast(value, off.dtype) if not isinstance(value, int | float) else te.const(value, off.dtype)

    def moved(n: Any, c: Any, i: Any, j: Any, y: Any, z: Any) -> Any:
        """The pixel that element (i, j) of the window for (y, z) reads."""
        pair = te.indexdiv(c, each) * (kh * kw * 2) + (i * kw + j) * 2
        row = number(y * sh - top + i * dh) + off[n, pair, y, z]
        column = number(z * sw - left + j * dw) + off[n, pair + 1, y, z]
        return _between(x, n, c, row, column, height, width, number)

    windows = te.compute(
        (batch, channels, kh * rows, kw * columns),
        lambda n, c, u, v: moved(
            n, c, te.indexmod(u, kh), te.indexmod(v, kw), te.indexdiv(u, kh), te.indexdiv(v, kw)
        ),
        name="data_deform",
        tag="injective",
    )
    return convolution(what, windows, w, (kh, kw), 0, 1, groups, "NCHW", "OIHW", out_dtype, what, what)


def _between(x: Tensor, n: Any, c: Any, row: Any, column: Any, height: Any, width: Any, number: Any) -> Any:
    """The image between four pixels; 0 outside of it, and at its edges the nearest pixel."""
    outside = te.any(row < number(0), column < number(0), row >= number(height), column >= number(width))
    y = te.max(te.min(row, number(height - 1)), number(0))
    z = te.max(te.min(column, number(width - 1)), number(0))
    i, j = te.cast(te.floor(y), "int32"), te.cast(te.floor(z), "int32")
    i, j = te.max(te.min(i, height - 1), te.const(0)), te.max(te.min(j, width - 1), te.const(0))
    below, right = te.min(i + 1, height - 1), te.min(j + 1, width - 1)
    down, across = te.cast(y - number(i), x.dtype), te.cast(z - number(j), x.dtype)
    one = te.const(1, x.dtype)
    upper = x(n, c, i, j) * (one - across) + x(n, c, i, right) * across
    lower = x(n, c, below, j) * (one - across) + x(n, c, below, right) * across
    return te.if_then_else(outside, te.const(0, x.dtype), upper * (one - down) + lower * down)


def deformable_conv2d_nhwc(
    data: Tensor,
    offset: Tensor,
    kernel: Tensor,
    strides: Any,
    padding: Any,
    dilation: Any,
    deformable_groups: int,
    groups: int,
    out_dtype: str | None = None,
) -> Any:
    """deformable_conv2d_nchw with data and offsets in NHWC and a kernel HWIO."""
    what = "deformable_conv2d_nhwc"
    x, off, w = (tensor_of(what, t, 4) for t in (data, offset, kernel))
    a, moves, weights = (
        transpose(x, (0, 3, 1, 2)), transpose(off, (0, 3, 1, 2)), transpose(w, (3, 2, 0, 1)),
    )  # fmt: skip
    out = deformable_conv2d_nchw(
        a, moves, weights, strides, padding, dilation, deformable_groups, groups, out_dtype
    )
    return transpose(out, (0, 2, 3, 1))
