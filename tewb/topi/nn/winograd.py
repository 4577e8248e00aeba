"""Convolutions by Winograd's transform, by their classic names.

The transform saves products where a processor has few; here the direct convolution runs near the limit of the machine, and rounds
less. So these compute the same numbers directly.
"""

from __future__ import annotations

from typing import Any

from tewb.base import TewbError, here
from tewb.tensor import Tensor
from tewb.topi.nn.conv2d import conv2d_nchw, conv2d_nhwc


def conv2d_winograd_nchw(
    data: Tensor,
    weight: Tensor,
    strides: Any,
    padding: Any,
    dilation: Any,
    out_dtype: str | None = None,
    pre_computed: bool = False,
    auto_scheduler_rewritten_layout: str = "",
    meta_schedule_original_shape: Any = None,
) -> Any:
    """conv2d_nchw, whose numbers these are: the sums are direct."""
    _refuse_transformed(pre_computed)
    return conv2d_nchw(data, weight, strides, padding, dilation, out_dtype)


def conv2d_winograd_nhwc(
    data: Tensor,
    weight: Tensor,
    strides: Any,
    padding: Any,
    dilation: Any,
    out_dtype: str | None = "float32",
    pre_computed: bool = False,
    auto_scheduler_rewritten_layout: str = "",
    meta_schedule_original_shape: Any = None,
) -> Any:
    """conv2d_nhwc, whose numbers these are: the sums are direct."""
    _refuse_transformed(pre_computed)
    return conv2d_nhwc(data, weight, strides, padding, dilation, out_dtype)


def _refuse_transformed(pre_computed: bool) -> None:
    if pre_computed:
        raise TewbError(
            "conv2d_winograd: weights that are transformed beforehand are not taken",
            hint="give the weights as conv2d takes them: the sums are direct",
            span=here(),
        )
