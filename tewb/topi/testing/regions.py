"""Regions, moved windows and scattered elements on numpy arrays, one element at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np


def _between_pixels(plane: Any, y: float, x: float) -> float:
    """An image between four pixels; those behind its end are the last ones."""
    height, width = plane.shape
    i, j = min(int(y), height - 1), min(int(x), width - 1)
    below, right = min(i + 1, height - 1), min(j + 1, width - 1)
    down, across = y - i, x - j
    upper = plane[i, j] * (1 - across) + plane[i, right] * across
    lower = plane[below, j] * (1 - across) + plane[below, right] * across
    return float(upper * (1 - down) + lower * down)


def _roi_align(
    a_np: Any, rois_np: Any, pooled_size: Any, spatial_scale: float, sample_ratio: int, mode: Any
) -> Any:
    rows, columns = (pooled_size,) * 2 if isinstance(pooled_size, int) else pooled_size
    join: Callable[[Any], Any] = np.max if mode in (b"max", "max", 1) else np.mean
    height, width = a_np.shape[2:]
    result = np.zeros((len(rois_np), a_np.shape[1], rows, columns), a_np.dtype)

    def point(plane: Any, y: float, x: float) -> float:
        if y < -1 or x < -1 or y > height or x > width:
            return 0.0
        return _between_pixels(plane, min(max(y, 0), height - 1), min(max(x, 0), width - 1))

    for r, c, i, j in np.ndindex(*result.shape):
        left, top, right, bottom = rois_np[r, 1:] * spatial_scale
        step_h, step_w = max(bottom - top, 1.0) / rows, max(right - left, 1.0) / columns
        n = sample_ratio if sample_ratio > 0 else math.ceil(step_h)
        m = sample_ratio if sample_ratio > 0 else math.ceil(step_w)
        plane = a_np[int(rois_np[r, 0]), c]
        result[r, c, i, j] = join(
            [
                point(plane, top + (i + (p + 0.5) / n) * step_h, left + (j + (q + 0.5) / m) * step_w)
                for p in range(n)
                for q in range(m)
            ]
        )
    return result


def roi_align_nchw_python(
    a_np: Any, rois_np: Any, pooled_size: Any, spatial_scale: float, sample_ratio: int, mode: Any = b"avg"
) -> Any:
    """The mean or the largest of points in the parts of regions."""
    return _roi_align(a_np, rois_np, pooled_size, spatial_scale, sample_ratio, mode)


def roi_align_nhwc_python(
    a_np: Any, rois_np: Any, pooled_size: Any, spatial_scale: float, sample_ratio: int, mode: Any = b"avg"
) -> Any:
    """The same in NHWC."""
    planes = a_np.transpose(0, 3, 1, 2)
    return _roi_align(planes, rois_np, pooled_size, spatial_scale, sample_ratio, mode).transpose(0, 2, 3, 1)


def roi_pool_nchw_python(a_np: Any, rois_np: Any, pooled_size: Any, spatial_scale: float) -> Any:
    """The largest pixel in the parts of regions; 0 of parts that have none."""
    rows, columns = (pooled_size,) * 2 if isinstance(pooled_size, int) else pooled_size
    result = np.zeros((len(rois_np), a_np.shape[1], rows, columns), a_np.dtype)
    for r, c, i, j in np.ndindex(*result.shape):
        left, top, right, bottom = (math.floor(v + 0.5) for v in rois_np[r, 1:] * spatial_scale)
        step_h, step_w = max(bottom - top + 1, 1) / rows, max(right - left + 1, 1) / columns
        low, high = max(math.floor(i * step_h) + top, 0), max(math.ceil((i + 1) * step_h) + top, 0)
        first, last = max(math.floor(j * step_w) + left, 0), max(math.ceil((j + 1) * step_w) + left, 0)
        part = a_np[int(rois_np[r, 0]), c, low:high, first:last]
        result[r, c, i, j] = part.max() if part.size else 0
    return result


def correlation_nchw_python(
    data1: Any,
    data2: Any,
    kernel_size: int,
    max_displacement: int,
    stride1: int,
    stride2: int,
    padding: Any,
    is_multiply: bool,
) -> Any:
    """The mean of products (or of absolute differences) of patches, for each move of the second."""
    p = (padding,) * 4 if isinstance(padding, int) else tuple(padding) * (4 // len(padding))
    edges = ((0, 0), (0, 0), (p[0], p[2]), (p[1], p[3]))
    a, b = np.pad(data1, edges), np.pad(data2, edges)
    border = max_displacement + (kernel_size - 1) // 2
    rows, columns = (math.ceil((n - 2 * border) / stride1) for n in a.shape[2:])
    side = max_displacement // stride2
    moves = [(y * stride2, x * stride2) for y in range(-side, side + 1) for x in range(-side, side + 1)]
    result = np.zeros((len(a), len(moves), rows, columns), data1.dtype)
    for n, q, i, j in np.ndindex(*result.shape):
        y, x = i * stride1 + max_displacement, j * stride1 + max_displacement
        down, right = moves[q]
        one = a[n, :, y : y + kernel_size, x : x + kernel_size]
        other = b[n, :, y + down : y + down + kernel_size, x + right : x + right + kernel_size]
        result[n, q, i, j] = (one * other if is_multiply else abs(one - other)).mean()
    return result


def deformable_conv2d_nchw_python(
    a_np: Any,
    offset_np: Any,
    w_np: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    deformable_groups: int,
    groups: int,
) -> Any:
    """A convolution whose windows are moved by offsets, pair by pair (down, right)."""
    (sh, sw), (ph, pw), (dh, dw) = (
        (v,) * 2 if isinstance(v, int) else tuple(v)[:2] for v in (stride, padding, dilation)
    )
    batch, channels, height, width = a_np.shape
    outputs, inputs, kh, kw = w_np.shape
    rows, columns = offset_np.shape[2:]
    result = np.zeros((batch, outputs, rows, columns), a_np.dtype)
    each, of_group = channels // deformable_groups, outputs // groups

    def pixel(n: int, c: int, i: int, j: int, y: int, x: int) -> float:
        pair = (c // each) * kh * kw * 2 + (i * kw + j) * 2
        row = y * sh - ph + i * dh + offset_np[n, pair, y, x]
        column = x * sw - pw + j * dw + offset_np[n, pair + 1, y, x]
        if row < 0 or column < 0 or row >= height or column >= width:
            return 0.0
        return _between_pixels(a_np[n, c], min(row, height - 1), min(column, width - 1))

    for n, o, y, x in np.ndindex(*result.shape):
        first = (o // of_group) * inputs
        result[n, o, y, x] = sum(
            pixel(n, first + c, i, j, y, x) * w_np[o, c, i, j] for c, i, j in np.ndindex(inputs, kh, kw)
        )
    return result


def deformable_conv2d_nhwc_python(
    a_np: Any,
    offset_np: Any,
    w_np: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    deformable_groups: int,
    groups: int,
) -> Any:
    """The same in NHWC, with a kernel HWIO."""
    a, offset = a_np.transpose(0, 3, 1, 2), offset_np.transpose(0, 3, 1, 2)
    weights = w_np.transpose(3, 2, 0, 1)
    out = deformable_conv2d_nchw_python(
        a, offset, weights, stride, padding, dilation, deformable_groups, groups
    )
    return out.transpose(0, 2, 3, 1)
