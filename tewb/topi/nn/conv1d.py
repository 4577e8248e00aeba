"""Convolutions of one spatial dimension."""

from __future__ import annotations

from typing import Any

from tewb.tensor import Tensor
from tewb.topi.checks import one_of
from tewb.topi.nn.convolution import convolution

KERNELS = {"NCW": "OIW", "NWC": "WIO"}


def conv1d(
    data: Tensor,
    kernel: Tensor,
    strides: Any = 1,
    padding: Any = "VALID",
    dilation: Any = 1,
    groups: int = 1,
    data_layout: str = "NCW",
    kernel_layout: str = "",
    out_dtype: str | None = None,
) -> Any:
    """A convolution in NCW or NWC; the kernel is OIW or WIO, unless its layout is given."""
    one_of("conv1d", "data_layout", data_layout, KERNELS)
    return _conv1d(
        "conv1d", data, kernel, strides, padding, dilation, groups, data_layout, out_dtype, kernel_layout
    )


def conv1d_ncw(
    data: Tensor,
    kernel: Tensor,
    strides: Any = 1,
    padding: Any = "VALID",
    dilation: Any = 1,
    out_dtype: str | None = None,
) -> Any:
    """A convolution in NCW with a kernel OIW."""
    return _conv1d("conv1d_ncw", data, kernel, strides, padding, dilation, 1, "NCW", out_dtype)


def conv1d_nwc(
    data: Tensor,
    kernel: Tensor,
    strides: Any = 1,
    padding: Any = "VALID",
    dilation: Any = 1,
    out_dtype: str | None = None,
) -> Any:
    """A convolution in NWC with a kernel WIO."""
    return _conv1d("conv1d_nwc", data, kernel, strides, padding, dilation, 1, "NWC", out_dtype)


def group_conv1d_ncw(
    data: Tensor,
    kernel: Tensor,
    strides: Any = 1,
    padding: Any = "VALID",
    dilation: Any = 1,
    groups: int = 1,
    out_dtype: str | None = None,
) -> Any:
    """A convolution of groups of channels in NCW with a kernel OIW, where I is the channels of a group."""
    return _conv1d("group_conv1d_ncw", data, kernel, strides, padding, dilation, groups, "NCW", out_dtype)


def group_conv1d_nwc(
    data: Tensor,
    kernel: Tensor,
    strides: Any = 1,
    padding: Any = "VALID",
    dilation: Any = 1,
    groups: int = 1,
    out_dtype: str | None = None,
) -> Any:
    """A convolution of groups of channels in NWC with a kernel WIO, where I is the channels of a group."""
    return _conv1d("group_conv1d_nwc", data, kernel, strides, padding, dilation, groups, "NWC", out_dtype)


def _conv1d(
    what: str,
    data: Tensor,
    kernel: Tensor,
    strides: Any,
    padding: Any,
    dilation: Any,
    groups: Any,
    layout: str,
    out_dtype: str | None,
    kernel_layout: str = "",
) -> Any:
    word = f"conv1d_{layout.lower()}" if what == "conv1d" else what
    return convolution(
        what, data, kernel, strides, padding, dilation, groups, layout, kernel_layout or KERNELS[layout],
        out_dtype, word, word,
    )  # fmt: skip
