"""Convolutions of two spatial dimensions: dense, in groups, and in blocks of channels."""

from __future__ import annotations

from typing import Any

from tewb import te
from tewb.base import DType, ShapeError, here
from tewb.tensor import Tensor
from tewb.topi.checks import check_same_size, one_of, tensor_of
from tewb.topi.layouts import Layout
from tewb.topi.nn.convolution import convolution, pad_spatial
from tewb.topi.nn.windows import padding_of, positive, window_count

KERNELS = {"NCHW": "OIHW", "NHWC": "HWIO", "HWCN": "HWIO"}


def conv2d(
    data: Tensor,
    kernel: Tensor,
    strides: Any,
    padding: Any,
    dilation: Any,
    data_layout: str = "NCHW",
    kernel_layout: str | None = "",
    out_dtype: str | None = None,
    layout: str | None = None,
) -> Any:
    """A convolution in NCHW, NHWC or HWCN; the kernel is OIHW or HWIO, unless its layout is given. `layout` is the old name of
    data_layout."""
    data_layout = layout or data_layout
    if kernel_layout and not kernel_layout.isupper():  # old programs have the dtype in this place
        kernel_layout, out_dtype = "", kernel_layout
    one_of("conv2d", "data_layout", data_layout, KERNELS)
    weights = kernel_layout or KERNELS[data_layout]
    return _conv2d(
        f"conv2d_{data_layout.lower()}",
        data,
        kernel,
        strides,
        padding,
        dilation,
        1,
        data_layout,
        weights,
        out_dtype,
    )


def conv2d_nchw(
    Input: Tensor, Filter: Tensor, stride: Any, padding: Any, dilation: Any = 1, out_dtype: str | None = None
) -> Any:
    """A convolution in NCHW with a kernel OIHW."""
    return _conv2d("conv2d_nchw", Input, Filter, stride, padding, dilation, 1, "NCHW", "OIHW", out_dtype)


def conv2d_nhwc(
    Input: Tensor,
    Filter: Tensor,
    stride: Any,
    padding: Any,
    dilation: Any = 1,
    out_dtype: str | None = "float32",
    auto_scheduler_rewritten_layout: str = "",
    meta_schedule_original_shape: Any = None,
) -> Any:
    """A convolution in NHWC with a kernel HWIO."""
    return _conv2d("conv2d_nhwc", Input, Filter, stride, padding, dilation, 1, "NHWC", "HWIO", out_dtype)


def conv2d_hwcn(
    Input: Tensor, Filter: Tensor, stride: Any, padding: Any, dilation: Any = 1, out_dtype: str | None = None
) -> Any:
    """A convolution in HWCN with a kernel HWIO."""
    return _conv2d("conv2d_hwcn", Input, Filter, stride, padding, dilation, 1, "HWCN", "HWIO", out_dtype)


def group_conv2d_nchw(
    Input: Tensor,
    Filter: Tensor,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    out_dtype: str | None = None,
) -> Any:
    """A convolution of groups of channels in NCHW with a kernel OIHW, where I is the channels of a group."""
    return _conv2d(
        "group_conv2d_nchw", Input, Filter, stride, padding, dilation, groups, "NCHW", "OIHW", out_dtype
    )


def group_conv2d_nhwc(
    Input: Tensor,
    Filter: Tensor,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    out_dtype: str | None = None,
) -> Any:
    """A convolution of groups of channels in NHWC with a kernel HWIO, where I is the channels of a group."""
    return _conv2d(
        "group_conv2d_nhwc", Input, Filter, stride, padding, dilation, groups, "NHWC", "HWIO", out_dtype
    )


def _conv2d(
    word: str,
    data: Tensor,
    kernel: Tensor,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: Any,
    layout: str,
    kernel_layout: str,
    out_dtype: str | None,
) -> Any:
    return convolution(
        word, data, kernel, stride, padding, dilation, groups, layout, kernel_layout, out_dtype, word, word
    )


def conv2d_NCHWc(
    data: Tensor,
    kernel: Tensor,
    stride: Any,
    padding: Any,
    dilation: Any,
    layout: str,
    out_layout: str,
    out_dtype: str | None = "float32",
) -> Any:
    """A convolution in blocks of channels: data in NCHW with blocks of c, the kernel in OIHW with blocks of i and then o.
    The blocks of the output are those of the kernel."""
    what = "conv2d_NCHWc"
    x, w = tensor_of(what, data, 5), tensor_of(what, kernel, 6)
    source, target = Layout(layout), Layout(out_layout)
    for word in (source, target):
        if word.letters != "NCHWc":
            raise ShapeError(
                f"{what}: the layout {word.word} is not NCHW with blocks of c",
                hint="NCHW16c for blocks of 16",
                span=here(),
            )
    n, blocks, height, width, block = (source.sizes(x.shape, what)[c] for c in "NCHWc")
    out_blocks, in_blocks, kh, kw, in_block, out_block = w.shape
    check_same_size(what, in_blocks, blocks, "the blocks of input channels of kernel and data")
    check_same_size(what, in_block, block, "the sizes of a block in kernel and data")
    if "c" in target.blocks:
        check_same_size(what, out_block, target.blocks["c"], "the blocks of the kernel and of out_layout")
    (sh, sw), (dh, dw) = positive(what, "stride", stride, 2), positive(what, "dilation", dilation, 2)
    (top, left), (down, right) = padding_of(what, padding, (kh, kw), (dh, dw))
    padded = pad_spatial(x, source, "HW", (top, left), (down, right), name="data_pad")
    dtype = DType(out_dtype) if out_dtype else x.dtype
    ic, ry, rx, ib = (
        te.reduce_axis((0, e), name=name)
        for e, name in ((blocks, "ic_outer"), (kh, "kh"), (kw, "kw"), (block, "ic_inner"))
    )
    shape = (
        n,
        out_blocks,
        window_count(what, height, kh, sh, dh, top + down),
        window_count(what, width, kw, sw, dw, left + right),
        out_block,
    )

    def element(b: Any, o: Any, y: Any, z: Any, v: Any) -> Any:
        read = padded[b, ic, y * sh + ry.var * dh, z * sw + rx.var * dw, ib]
        return te.sum(te.cast(read, dtype) * te.cast(w[o, ic, ry, rx, ib, v], dtype), axis=[ic, ry, rx, ib])

    return te.compute(shape, element, name="conv2d_NCHWc", tag="conv2d_NCHWc")
