"""Convolutions on numpy arrays: windows as views, and one einsum."""

from __future__ import annotations

from typing import Any

import numpy as np


def _pairs(padding: Any, kernel: Any) -> list[tuple[int, int]]:
    """Padding in front of and behind each spatial dimension, from a number, numbers, or a word."""
    count = len(kernel)
    if padding == "VALID":
        return [(0, 0)] * count
    if padding == "SAME":
        return [(k // 2, (k - 1) // 2) for k in kernel]
    numbers = (padding,) * count if np.ndim(padding) == 0 else tuple(padding)
    numbers = numbers * count if len(numbers) == 1 else numbers
    return list(zip(numbers[:count], numbers[-count:], strict=True))


def _each(value: Any, count: int) -> tuple[int, ...]:
    return (int(value),) * count if np.ndim(value) == 0 else tuple(value)


def dilate_python(input_np: Any, strides: Any, dilation_value: float = 0.0, out_dtype: Any = None) -> Any:
    """The elements apart by `strides`, with `dilation_value` between them."""
    shape = [(n - 1) * s + 1 for n, s in zip(input_np.shape, strides, strict=True)]
    result = np.full(shape, dilation_value, out_dtype or input_np.dtype)
    result[tuple(slice(None, None, s) for s in strides)] = input_np
    return result


def _convolve(a: Any, w: Any, stride: Any, padding: Any, dilation: Any = 1, groups: int = 1) -> Any:
    """The convolution of a (N, C, ...) with w (O, I, ...)."""
    count = a.ndim - 2
    w = dilate_python(w, (1, 1, *_each(dilation, count)))
    window = w.shape[2:]
    padded = np.pad(a, [(0, 0), (0, 0), *_pairs(padding, window)])
    views = np.lib.stride_tricks.sliding_window_view(padded, window, axis=tuple(range(2, a.ndim)))
    views = views[(slice(None), slice(None), *(slice(None, None, s) for s in _each(stride, count)))]
    return _grouped(views, w, groups, count).astype(a.dtype)


def _grouped(views: Any, w: Any, groups: int, count: int) -> Any:
    of_groups = []
    for x, k in zip(np.split(views, groups, axis=1), np.split(w, groups, axis=0), strict=True):
        of_groups.append(np.tensordot(x, k, ((1, *range(2 + count, 2 + 2 * count)), range(1, 2 + count))))
    return np.moveaxis(np.concatenate(of_groups, axis=-1), -1, 1)


def conv1d_ncw_python(a_np: Any, w_np: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """NCW with a kernel OIW."""
    return _convolve(a_np, w_np, stride, padding, dilation)


def group_conv1d_ncw_python(
    a_np: Any, w_np: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    """NCW in groups of channels."""
    return _convolve(a_np, w_np, stride, padding, dilation, groups)


def conv2d_nchw_python(a_np: Any, w_np: Any, stride: Any, padding: Any, groups: int = 1) -> Any:
    """NCHW with a kernel OIHW."""
    return _convolve(a_np, w_np, stride, padding, 1, groups)


def conv2d_nhwc_python(a_np: Any, w_np: Any, stride: Any, padding: Any, groups: int = 1) -> Any:
    """NHWC with a kernel HWIO."""
    result = _convolve(a_np.transpose(0, 3, 1, 2), w_np.transpose(3, 2, 0, 1), stride, padding, 1, groups)
    return np.ascontiguousarray(result.transpose(0, 2, 3, 1))


def conv2d_hwcn_python(a_np: Any, w_np: Any, stride: Any, padding: Any) -> Any:
    """HWCN with a kernel HWIO."""
    result = _convolve(a_np.transpose(3, 2, 0, 1), w_np.transpose(3, 2, 0, 1), stride, padding)
    return np.ascontiguousarray(result.transpose(2, 3, 1, 0))


def conv3d_ncdhw_python(a_np: Any, w_np: Any, stride: Any, padding: Any, groups: int = 1) -> Any:
    """NCDHW with a kernel OIDHW."""
    return _convolve(a_np, w_np, stride, padding, 1, groups)


def conv3d_ndhwc_python(a_np: Any, w_np: Any, stride: Any, padding: Any, groups: int = 1) -> Any:
    """NDHWC with a kernel DHWIO."""
    result = _convolve(
        a_np.transpose(0, 4, 1, 2, 3), w_np.transpose(4, 3, 0, 1, 2), stride, padding, 1, groups
    )
    return np.ascontiguousarray(result.transpose(0, 2, 3, 4, 1))


def depthwise_conv2d_python_nchw(input_np: Any, filter_np: Any, stride: Any, padding: Any) -> Any:
    """Each channel of NCHW by itself, with a kernel (C, multiplier, H, W)."""
    channels, multiplier, *window = filter_np.shape
    kernel = filter_np.reshape(channels * multiplier, 1, *window)
    return _convolve(input_np, kernel, stride, padding, 1, channels)


def depthwise_conv2d_python_nhwc(input_np: Any, filter_np: Any, stride: Any, padding: Any) -> Any:
    """Each channel of NHWC by itself, with a kernel (H, W, C, multiplier)."""
    result = depthwise_conv2d_python_nchw(
        input_np.transpose(0, 3, 1, 2), filter_np.transpose(2, 3, 0, 1), stride, padding
    )
    return np.ascontiguousarray(result.transpose(0, 2, 3, 1))


def depthwise_conv2d_python_nchwc(input_np: Any, filter_np: Any, stride: Any, padding: Any) -> Any:
    """Each channel of NCHWc by itself, with a kernel (C, 1, H, W, 1, c)."""
    n, blocks, h, w, block = input_np.shape
    flat = input_np.transpose(0, 1, 4, 2, 3).reshape(n, blocks * block, h, w)
    kernel = filter_np.transpose(0, 5, 1, 4, 2, 3).reshape(blocks * block, 1, *filter_np.shape[2:4])
    result = depthwise_conv2d_python_nchw(flat, kernel, stride, padding)
    return np.ascontiguousarray(result.reshape(n, blocks, block, *result.shape[2:]).transpose(0, 1, 3, 4, 2))


def _transposed(a: Any, w: Any, stride: Any, padding: Any, output_padding: Any = 0, groups: int = 1) -> Any:
    """Each element of a (N, I, ...) adds its kernel w (I, O, ...) to the output, at `stride` times its place."""
    count = a.ndim - 2
    step, extra, window = _each(stride, count), _each(output_padding, count), w.shape[2:]
    full = [(n - 1) * s + k + e for n, s, k, e in zip(a.shape[2:], step, window, extra, strict=True)]
    result = np.zeros((len(a), w.shape[1] * groups, *full), a.dtype)
    outputs, inputs = w.shape[1], a.shape[1] // groups
    for place in np.ndindex(*a.shape[2:]):
        at = tuple(slice(p * s, p * s + k) for p, s, k in zip(place, step, window, strict=True))
        for g in range(groups):
            channels = slice(g * inputs, (g + 1) * inputs)
            part = np.tensordot(a[(slice(None), channels, *place)], w[channels], (1, 0))
            result[(slice(None), slice(g * outputs, (g + 1) * outputs), *at)] += part
    edges = _pairs(padding, window)
    inside: Any = (..., *(slice(f, n - b) for (f, b), n in zip(edges, full, strict=True)))
    return result[inside]


def conv1d_transpose_ncw_python(
    a_np: Any, w_np: Any, stride: Any, padding: Any, output_padding: Any = 0
) -> Any:
    """Transposed, in NCW with a kernel IOW."""
    return _transposed(a_np, w_np, stride, padding, output_padding)


def group_conv1d_transpose_ncw_python(
    a_np: Any, w_np: Any, stride: Any, padding: Any, output_padding: Any = 0, groups: int = 1
) -> Any:
    """Transposed, in groups of channels in NCW."""
    return _transposed(a_np, w_np, stride, padding, output_padding, groups)


def conv2d_transpose_nchw_python(
    a_np: Any, w_np: Any, stride: Any, padding: Any, output_padding: Any = 0, groups: int = 1
) -> Any:
    """Transposed, in NCHW with a kernel IOHW."""
    return _transposed(a_np, w_np, stride, padding, output_padding, groups)


def conv2d_transpose_nhwc_python(
    a_nhwc: Any, weight: Any, weight_format: str, stride: Any, padding: Any, output_padding: Any = (0, 0)
) -> Any:
    """Transposed, in NHWC, with a kernel whose dimensions `weight_format` names: HWIO, HWOI, OIHW or IOHW."""
    kernel = np.transpose(weight, [weight_format.index(c) for c in "IOHW"])
    result = _transposed(a_nhwc.transpose(0, 3, 1, 2), kernel, stride, padding, output_padding)
    return np.ascontiguousarray(result.transpose(0, 2, 3, 1))


def conv3d_transpose_ncdhw_python(
    a_np: Any, w_np: Any, stride: Any, padding: Any, output_padding: Any = 0
) -> Any:
    """Transposed, in NCDHW with a kernel IODHW."""
    return _transposed(a_np, w_np, stride, padding, output_padding)
