"""Convolutions of each channel by itself, and their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.topi.compare import Case, check, floats
from tewb import te, topi
from tewb.base import ShapeError
from tewb.topi.testing.convolutions import (
    depthwise_conv2d_python_nchw,
    depthwise_conv2d_python_nchwc,
    depthwise_conv2d_python_nhwc,
    dilate_python,
)

a, w, one = floats(2, 4, 7, 5), floats(4, 2, 3, 3), floats(4, 1, 3, 3)
nhwc, hwcm = a.transpose(0, 2, 3, 1).copy(), w.transpose(2, 3, 0, 1).copy()
blocks, block_kernel = floats(2, 2, 7, 5, 4), floats(2, 1, 3, 3, 1, 4)


def gradients(x: Any, k: Any, given: Any, stride: int, padding: int) -> tuple[Any, Any]:
    """Those of NHWC to input and kernel, one product at a time."""
    wide = np.pad(x, [(0, 0), (padding, padding), (padding, padding), (0, 0)])
    to_input, to_kernel = np.zeros_like(wide), np.zeros_like(k)
    for i, j in np.ndindex(*given.shape[1:3]):
        g = given[:, i, j].reshape(len(x), k.shape[2], k.shape[3])
        at = (
            slice(None),
            slice(i * stride, i * stride + k.shape[0]),
            slice(j * stride, j * stride + k.shape[1]),
        )
        to_input[at] += np.einsum("hwcm,bcm->bhwc", k, g)
        to_kernel += np.einsum("bhwc,bcm->hwcm", wide[at], g)
    return to_input[:, padding : padding + x.shape[1], padding : padding + x.shape[2]], to_kernel


def test_layouts_and_multipliers() -> None:
    check(
        [
            Case(
                lambda t, k: topi.nn.depthwise_conv2d_nchw(t, k, 2, 1, 1),
                lambda t, k: depthwise_conv2d_python_nchw(t, k, 2, 1),
                (a, w),
            ),
            Case(
                lambda t, k: topi.nn.depthwise_conv2d_nchw(t, k, 1, "SAME", (2, 1)),
                lambda t, k: depthwise_conv2d_python_nchw(t, dilate_python(k, (1, 1, 2, 1)), 1, "SAME"),
                (a, one),
            ),
            Case(
                lambda t, k: topi.nn.depthwise_conv2d_nhwc(t, k, 1, 0, 1),
                lambda t, k: depthwise_conv2d_python_nhwc(t, k, 1, 0),
                (nhwc, hwcm),
            ),
            Case(
                lambda t, k: topi.nn.depthwise_conv2d_nhwc(t, k, 1, 0, 1, "HWIO", "float64"),
                lambda t, k: depthwise_conv2d_python_nhwc(t, hwcm, 1, 0),
                (nhwc, hwcm.transpose(0, 1, 3, 2).copy()),
            ),
            Case(
                lambda t, k: topi.nn.depthwise_conv2d_NCHWc(t, k, 1, 1, 1, "NCHW4c", "NCHW4c"),
                lambda t, k: depthwise_conv2d_python_nchwc(t, k, 1, 1),
                (blocks, block_kernel),
            ),
        ],
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize(("stride", "padding"), [(1, 1), (2, 0), (3, 1)])
def test_gradients(stride: int, padding: int) -> None:
    shape = depthwise_conv2d_python_nhwc(nhwc, hwcm, stride, padding).shape
    given = floats(*shape)
    to_input, to_kernel = gradients(nhwc, hwcm, given, stride, padding)
    check(
        [
            Case(
                lambda k, g: topi.nn.depthwise_conv2d_backward_input_nhwc(
                    k, g, shape, nhwc.shape, stride, padding
                ),
                lambda k, g: to_input,
                (hwcm, given),
            ),
            Case(
                lambda t, g: topi.nn.depthwise_conv2d_backward_weight_nhwc(
                    t, g, shape, hwcm.shape, stride, padding
                ),
                lambda t, g: to_kernel,
                (nhwc, given),
            ),
        ],
        rtol=1e-4,
        atol=1e-4,
    )


def test_channels_that_differ() -> None:
    A, W = te.placeholder((1, 4, 5, 5), name="A"), te.placeholder((3, 1, 3, 3), name="W")
    with pytest.raises(ShapeError, match="the channels of kernel and data are 3 and 4"):
        topi.nn.depthwise_conv2d_nchw(A, W, 1, 0, 1)
