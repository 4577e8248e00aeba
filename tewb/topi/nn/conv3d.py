"""Convolutions of three spatial dimensions."""

from __future__ import annotations

from typing import Any

from tewb.tensor import Tensor
from tewb.topi.nn.convolution import convolution


def conv3d_ncdhw(
    Input: Tensor,
    Filter: Tensor,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: Any = 1,
    out_dtype: str | None = None,
) -> Any:
    """A convolution in NCDHW with a kernel OIDHW."""
    return _conv3d("conv3d_ncdhw", Input, Filter, stride, padding, dilation, groups, "OIDHW", out_dtype)


def conv3d_ndhwc(
    Input: Tensor,
    Filter: Tensor,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: Any = 1,
    out_dtype: str | None = "float32",
    auto_scheduler_rewritten_layout: str = "",
    meta_schedule_origin_shape: Any = None,
) -> Any:
    """A convolution in NDHWC with a kernel DHWIO."""
    return _conv3d("conv3d_ndhwc", Input, Filter, stride, padding, dilation, groups, "DHWIO", out_dtype)


def _conv3d(
    word: str,
    data: Tensor,
    kernel: Tensor,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: Any,
    kernel_layout: str,
    out_dtype: str | None,
) -> Any:
    if isinstance(groups, str):  # old programs have the dtype in this place
        groups, out_dtype = 1, groups
    layout = word.removeprefix("conv3d_").upper()
    return convolution(
        word, data, kernel, stride, padding, dilation, groups, layout, kernel_layout, out_dtype, word, word
    )
