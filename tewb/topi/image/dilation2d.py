"""Grey-scale dilation: the largest of sums of a window and a filter."""

from __future__ import annotations

from typing import Any

from tewb import te
from tewb.base import DType
from tewb.tensor import Tensor
from tewb.topi.checks import check_same_size, tensor_of
from tewb.topi.layouts import Layout
from tewb.topi.nn.convolution import pad_spatial
from tewb.topi.nn.windows import padding_of, positive, window_count


def dilation2d_nchw(
    input: Tensor, filter: Tensor, stride: Any, padding: Any, dilations: Any, out_dtype: str | None = None
) -> Any:
    """The largest of input + filter (channels, height, width) over a window, in NCHW. Outside of the image is the least number."""
    return _dilation2d("dilation2d_nchw", input, filter, stride, padding, dilations, out_dtype)


def dilation2d_nhwc(
    input: Tensor, filter: Tensor, stride: Any, padding: Any, dilations: Any, out_dtype: str | None = None
) -> Any:
    """The largest of input + filter (height, width, channels) over a window, in NHWC. Outside of the image is the least number."""
    return _dilation2d("dilation2d_nhwc", input, filter, stride, padding, dilations, out_dtype)


def _dilation2d(
    what: str, data: Any, kernel: Any, stride: Any, padding: Any, dilations: Any, out_dtype: str | None
) -> Any:
    x, w = tensor_of(what, data, 4), tensor_of(what, kernel, 3)
    word = what.removeprefix("dilation2d_").upper()
    source = Layout(word)
    size, weights = source.sizes(x.shape, what), dict(zip(word[1:], w.shape, strict=True))
    check_same_size(what, weights["C"], size["C"], "the channels of the filter and of the data")
    (sh, sw), (dh, dw) = positive(what, "stride", stride, 2), positive(what, "dilations", dilations, 2)
    kh, kw = weights["H"], weights["W"]
    (top, left), (down, right) = padding_of(what, padding, (kh, kw), (dh, dw))
    padded = pad_spatial(x, source, "HW", (top, left), (down, right), te.min_value(x.dtype))
    dtype = DType(out_dtype) if out_dtype else x.dtype
    ry, rx = te.reduce_axis((0, kh), name="ry"), te.reduce_axis((0, kw), name="rx")
    shape = dict(
        size,
        H=window_count(what, size["H"], kh, sh, dh, top + down),
        W=window_count(what, size["W"], kw, sw, dw, left + right),
    )

    def element(*indices: Any) -> Any:
        i = dict(zip(word, indices, strict=True))
        at = dict(i, H=i["H"] * sh + ry.var * dh, W=i["W"] * sw + rx.var * dw)
        of = {"C": i["C"], "H": ry.var, "W": rx.var}
        value = te.cast(padded(*source.at(at)), dtype) + te.cast(w(*[of[c] for c in word[1:]]), dtype)
        return te.max(value, axis=[ry, rx])

    return te.compute(source.at(shape), element, name=what, tag=what)
