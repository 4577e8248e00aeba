"""Convolutions of each channel by itself."""

from __future__ import annotations

from typing import Any

from tewb import te
from tewb.base import DType
from tewb.tensor import Tensor
from tewb.topi.checks import check_same_size, known, tensor_of
from tewb.topi.layouts import Layout
from tewb.topi.nn.convolution import pad_spatial
from tewb.topi.nn.pad import dilate, pad
from tewb.topi.nn.windows import padding_of, positive, window_count


def depthwise_conv2d_nchw(
    Input: Tensor, Filter: Tensor, stride: Any, padding: Any, dilation: Any = 1, out_dtype: str | None = None
) -> Any:
    """In NCHW with a kernel (channels, multiplier, height, width): channel c gives channels c * multiplier and on."""
    return _depthwise(
        "depthwise_conv2d_nchw", Input, Filter, stride, padding, dilation, "NCHW", "CMHW", out_dtype
    )


def depthwise_conv2d_nhwc(
    Input: Tensor,
    Filter: Tensor,
    stride: Any,
    padding: Any,
    dilation: Any = 1,
    kernel_layout: str = "HWOI",
    out_dtype: str | None = None,
) -> Any:
    """In NHWC with a kernel (height, width, channels, multiplier); with kernel_layout="HWIO" the last two change places."""
    if kernel_layout not in ("HWOI", "HWIO"):  # old programs have the dtype in this place
        kernel_layout, out_dtype = "HWOI", kernel_layout
    letters = "HWCM" if kernel_layout == "HWOI" else "HWMC"
    return _depthwise(
        "depthwise_conv2d_nhwc", Input, Filter, stride, padding, dilation, "NHWC", letters, out_dtype
    )


def _depthwise(
    what: str,
    data: Any,
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    data_layout: str,
    kernel_letters: str,
    out_dtype: str | None,
) -> Any:
    x, w = tensor_of(what, data, 4), tensor_of(what, kernel, 4)
    source = Layout(data_layout)
    sizes = source.sizes(x.shape, what)
    weights = dict(zip(kernel_letters, w.shape, strict=True))
    check_same_size(what, weights["C"], sizes["C"], "the channels of kernel and data")
    kh, kw, multiplier = weights["H"], weights["W"], weights["M"]
    (sh, sw), (dh, dw) = positive(what, "stride", stride, 2), positive(what, "dilation", dilation, 2)
    (top, left), (down, right) = padding_of(what, padding, (kh, kw), (dh, dw))
    padded = pad_spatial(x, source, "HW", (top, left), (down, right), name="PaddedInput")
    dtype = DType(out_dtype) if out_dtype else x.dtype
    di, dj = te.reduce_axis((0, kh), name="di"), te.reduce_axis((0, kw), name="dj")
    shape = {
        "N": sizes["N"],
        "C": sizes["C"] * multiplier,
        "H": window_count(what, sizes["H"], kh, sh, dh, top + down),
        "W": window_count(what, sizes["W"], kw, sw, dw, left + right),
    }

    def element(*indices: Any) -> Any:
        i = dict(zip(source.letters, indices, strict=True))
        one = known(multiplier) == 1
        channel = i["C"] if one else te.indexdiv(i["C"], multiplier)
        which = te.const(0) if one else te.indexmod(i["C"], multiplier)
        y, z = i["H"] * sh + di.var * dh, i["W"] * sw + dj.var * dw
        read = padded(*source.at({"N": i["N"], "C": channel, "H": y, "W": z}))
        at = {"C": channel, "M": which, "H": di, "W": dj}
        return te.sum(
            te.cast(read, dtype) * te.cast(w(*[at[c] for c in kernel_letters]), dtype), axis=[di, dj]
        )

    return te.compute(source.at(shape), element, name="DepthwiseConv2d", tag=what)


def depthwise_conv2d_NCHWc(
    Input: Tensor,
    Filter: Tensor,
    stride: Any,
    padding: Any,
    dilation: Any,
    layout: str,
    out_layout: str,
    out_dtype: str | None = None,
) -> Any:
    """In blocks of channels: data in NCHW with blocks of c, the kernel (blocks, 1, height, width, 1, c)."""
    what = "depthwise_conv2d_NCHWc"
    x, w = tensor_of(what, Input, 5), tensor_of(what, Filter, 6)
    source = Layout(layout)
    n, blocks, height, width, block = (source.sizes(x.shape, what)[c] for c in "NCHWc")
    check_same_size(what, w.shape[0], blocks, "the blocks of channels of kernel and data")
    check_same_size(what, w.shape[5], block, "the sizes of a block in kernel and data")
    kh, kw = w.shape[2:4]
    (sh, sw), (dh, dw) = positive(what, "stride", stride, 2), positive(what, "dilation", dilation, 2)
    (top, left), (down, right) = padding_of(what, padding, (kh, kw), (dh, dw))
    padded = pad_spatial(x, source, "HW", (top, left), (down, right), name="PaddedInput")
    dtype = DType(out_dtype) if out_dtype else x.dtype
    di, dj = te.reduce_axis((0, kh), name="kh"), te.reduce_axis((0, kw), name="kw")
    shape = (
        n,
        blocks,
        window_count(what, height, kh, sh, dh, top + down),
        window_count(what, width, kw, sw, dw, left + right),
        block,
    )

    def element(b: Any, c: Any, y: Any, z: Any, v: Any) -> Any:
        read = padded[b, c, y * sh + di.var * dh, z * sw + dj.var * dw, v]
        return te.sum(te.cast(read, dtype) * te.cast(w[c, 0, di, dj, 0, v], dtype), axis=[di, dj])

    return te.compute(shape, element, name="DepthwiseConv2d", tag="depthwise_conv2d_NCHWc")


def depthwise_conv2d_backward_input_nhwc(
    Filter: Tensor, Out_grad: Tensor, oshape: Any, ishape: Any, stride: Any, padding: Any
) -> Any:
    """The gradient of depthwise_conv2d_nhwc to its input of shape `ishape`, from that of its output."""
    what = "depthwise_conv2d_backward_input_nhwc"
    w, grad = tensor_of(what, Filter, 4), tensor_of(what, Out_grad, 4)
    kh, kw, channels, multiplier = w.shape
    (sh, sw), (front, behind) = (
        positive(what, "stride", stride, 2),
        padding_of(what, padding, (kh, kw), (1, 1)),
    )
    for have, want in zip(grad.shape, oshape, strict=True):
        check_same_size(what, have, want, "a size of the gradient and of oshape")
    apart = dilate(grad, (1, sh, sw, 1), name="dilated_out_grad")
    before = [kh - 1 - front[0], kw - 1 - front[1]]
    # What the last window did not reach has no gradient.
    unreached = [
        (n + f + b - k) % s
        for n, f, b, k, s in zip(ishape[1:3], front, behind, (kh, kw), (sh, sw), strict=True)
    ]
    after = [k - 1 - b + u for k, b, u in zip((kh, kw), behind, unreached, strict=True)]
    padded = pad(apart, [0, *before, 0], [0, *after, 0], name="padded_out_grad")
    dh, dw = te.reduce_axis((0, kh), name="dh"), te.reduce_axis((0, kw), name="dw")
    dc = te.reduce_axis((0, multiplier), name="dc")

    def element(b: Any, h: Any, v: Any, c: Any) -> Any:
        weight = w[kh - 1 - dh.var, kw - 1 - dw.var, c, dc]
        return te.sum(padded[b, h + dh.var, v + dw.var, c * multiplier + dc.var] * weight, axis=[dh, dw, dc])

    check_same_size(what, ishape[3], channels, "the channels of ishape and of the kernel")
    return te.compute(tuple(ishape), element, name=what, tag=what)


def depthwise_conv2d_backward_weight_nhwc(
    Input: Tensor, Out_grad: Tensor, oshape: Any, fshape: Any, stride: Any, padding: Any
) -> Any:
    """The gradient of depthwise_conv2d_nhwc to its kernel of shape `fshape`, from that of its output."""
    what = "depthwise_conv2d_backward_weight_nhwc"
    x, grad = tensor_of(what, Input, 4), tensor_of(what, Out_grad, 4)
    kh, kw, channels, multiplier = fshape
    for have, want in zip(grad.shape, oshape, strict=True):
        check_same_size(what, have, want, "a size of the gradient and of oshape")
    (sh, sw), (front, behind) = (
        positive(what, "stride", stride, 2),
        padding_of(what, padding, (kh, kw), (1, 1)),
    )
    padded = pad(x, [0, *front, 0], [0, *behind, 0], name="padded_in")
    b, dh, dw = (
        te.reduce_axis((0, n), name=name)
        for n, name in zip(grad.shape[:3], ("batch", "dh", "dw"), strict=True)
    )

    def element(h: Any, v: Any, c: Any, m: Any) -> Any:
        read = padded[b, h + dh.var * sh, v + dw.var * sw, c]
        return te.sum(read * grad[b, dh, dw, c * multiplier + m], axis=[b, dh, dw])

    return te.compute((kh, kw, channels, multiplier), element, name=what, tag=what)
