"""Transposed convolutions: the gradient of a convolution to its input, as an operator of its own.

The elements of the input are put `stride` apart, and the result is an ordinary convolution with the kernel turned around.
Kernels have the input channels first, as those of the convolution that is transposed have them as outputs.
"""

from __future__ import annotations

from typing import Any

from tewb import te
from tewb.base import DType, ShapeError, here
from tewb.tensor import Tensor
from tewb.topi.checks import check_same_size, known, sizes, tensor_of, whole
from tewb.topi.nn.pad import dilate, pad
from tewb.topi.nn.windows import padding_of, positive


def conv1d_transpose_ncw(
    data: Tensor,
    kernel: Tensor,
    stride: Any,
    padding: Any,
    out_dtype: str | None = None,
    output_padding: Any = 0,
) -> Any:
    """Transposed convolution in NCW with a kernel IOW."""
    return _transposed("conv1d_transpose_ncw", data, kernel, stride, padding, out_dtype, output_padding, 1, 1)


def group_conv1d_transpose_ncw(
    data: Tensor,
    kernel: Tensor,
    stride: Any,
    padding: Any,
    out_dtype: str | None = None,
    output_padding: Any = 0,
    groups: int = 1,
) -> Any:
    """Transposed convolution of groups of channels in NCW."""
    return _transposed(
        "group_conv1d_transpose_ncw", data, kernel, stride, padding, out_dtype, output_padding, groups, 1
    )


def conv2d_transpose_nchw(
    Input: Tensor,
    Filter: Tensor,
    strides: Any,
    padding: Any,
    out_dtype: str | None = None,
    output_padding: Any = 0,
) -> Any:
    """Transposed convolution in NCHW with a kernel IOHW."""
    return _transposed(
        "conv2d_transpose_nchw", Input, Filter, strides, padding, out_dtype, output_padding, 1, 2
    )


def group_conv2d_transpose_nchw(
    data: Tensor,
    kernel: Tensor,
    stride: Any,
    padding: Any,
    out_dtype: str | None = None,
    output_padding: Any = 0,
    groups: int = 1,
) -> Any:
    """Transposed convolution of groups of channels in NCHW."""
    return _transposed(
        "group_conv2d_transpose_nchw", data, kernel, stride, padding, out_dtype, output_padding, groups, 2
    )


def conv3d_transpose_ncdhw(
    Input: Tensor,
    Filter: Tensor,
    strides: Any,
    padding: Any,
    out_dtype: str | None = None,
    output_padding: Any = 0,
) -> Any:
    """Transposed convolution in NCDHW with a kernel IODHW."""
    return _transposed(
        "conv3d_transpose_ncdhw", Input, Filter, strides, padding, out_dtype, output_padding, 1, 3
    )


def group_conv3d_transpose_ncdhw(
    data: Tensor,
    kernel: Tensor,
    strides: Any,
    padding: Any,
    out_dtype: str | None = None,
    output_padding: Any = 0,
    groups: int = 1,
) -> Any:
    """Transposed convolution of groups of channels in NCDHW."""
    return _transposed(
        "group_conv3d_transpose_ncdhw", data, kernel, strides, padding, out_dtype, output_padding, groups, 3
    )


def _transposed(
    what: str,
    data: Any,
    kernel: Any,
    stride: Any,
    padding: Any,
    out_dtype: str | None,
    output_padding: Any,
    groups: Any,
    rank: int,
) -> Any:
    x, w = tensor_of(what, data, rank + 2), tensor_of(what, kernel, rank + 2)
    window = w.shape[2:]
    step = positive(what, "stride", stride, rank)
    front, behind = padding_of(what, padding, window, (1,) * rank)
    extra = sizes(f"{what}: output_padding", output_padding, rank)
    _check_extra(what, extra, step)
    channels, count = known(x.shape[1]), whole(what, "groups", groups)
    if count < 1 or (channels is not None and channels % count):
        raise ShapeError(
            f"{what}: {x.shape[1]!r} input channels do not make {count} groups",
            hint="groups divides the input channels",
            span=here(),
        )
    check_same_size(what, w.shape[0], x.shape[1], "the input channels of kernel and data")
    inputs, outputs = te.indexdiv(x.shape[1], te.const(count)), w.shape[1]

    apart = dilate(x, (1, 1, *step), name="data_dilate")
    before = [k - 1 - f for k, f in zip(window, front, strict=True)]
    after = [k - 1 - b + e for k, b, e in zip(window, behind, extra, strict=True)]
    padded = _padded_or_cut(apart, before, after)
    dtype = DType(out_dtype) if out_dtype else x.dtype
    dc = te.reduce_axis((0, inputs), name="dc")
    over = [te.reduce_axis((0, k), name=f"d{c}") for k, c in zip(window, "dhw"[3 - rank :], strict=True)]

    def element(*i: Any) -> Any:
        group = te.indexdiv(i[1], outputs) * inputs if count > 1 else te.const(0)
        channel = group + dc.var
        read = padded(i[0], channel, *[j + k.var for j, k in zip(i[2:], over, strict=True)])
        turned = [n - 1 - k.var for n, k in zip(window, over, strict=True)]
        weight = w(channel, te.indexmod(i[1], outputs) if count > 1 else i[1], *turned)
        return te.sum(te.cast(read, dtype) * te.cast(weight, dtype), axis=[dc, *over])

    shape = [n - k + 1 for n, k in zip(padded.shape[2:], window, strict=True)]
    return te.compute((x.shape[0], outputs * count, *shape), element, name=what, tag=what)


def _check_extra(what: str, extra: Any, step: Any) -> None:
    for e, s in zip(extra, step, strict=True):
        n, most = known(e), known(s)
        if n is not None and most is not None and not 0 <= n < most:
            raise ShapeError(
                f"{what}: output_padding {n} for a stride of {most}",
                hint="it chooses among the sizes that one stride leaves open: from 0 to stride - 1",
                span=here(),
            )


def _padded_or_cut(x: Any, before: list[Any], after: list[Any]) -> Any:
    """The spatial dimensions padded, or cut where the padding is less than none."""
    cut = [(known(b) or 0) < 0 or (known(a) or 0) < 0 for b, a in zip(before, after, strict=True)]
    if not any(cut):
        return pad(x, [0, 0, *before], [0, 0, *after], name="data_pad")
    front = [max(known(b) or 0, 0) for b in before]
    padded = pad(x, [0, 0, *front], [0, 0, *[max(known(a) or 0, 0) for a in after]], name="data_pad")
    shape = [n + b + a for n, b, a in zip(x.shape[2:], before, after, strict=True)]

    def element(*i: Any) -> Any:
        offsets = [f - b for f, b in zip(front, before, strict=True)]
        return padded(*i[:2], *[j + o for j, o in zip(i[2:], offsets, strict=True)])

    return te.compute((*x.shape[:2], *shape), element, name="data_cut", tag="injective")
