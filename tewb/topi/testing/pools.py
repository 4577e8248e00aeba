"""Pools on numpy arrays, window by window."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np


def poolnd_python(
    np_data: Any,
    kernel: Any,
    strides: Any,
    dilation: Any,
    padding_before: Any,
    padding_after: Any,
    pool_type: str,
    count_include_pad: bool = True,
    ceil_mode: bool = False,
    dtype: str = "float32",
    layout: str = "",
) -> Any:
    """The pool of an array (N, C, ...), or with its spatial dimensions where `layout` has D, H and W."""
    count = len(kernel)
    axes = [layout.index(c) for c in "DHW" if c in layout] if layout else list(range(2, 2 + count))
    data = np.moveaxis(np_data, axes, range(-count, 0))
    around = math.ceil if ceil_mode else math.floor
    shape = [
        int(around((n + b + a - (k - 1) * d - 1) / s)) + 1
        for n, k, s, d, b, a in zip(
            data.shape[-count:], kernel, strides, dilation, padding_before, padding_after, strict=True
        )
    ]
    result = np.zeros((*data.shape[:-count], *shape), dtype)
    for place in np.ndindex(*shape):
        inside, counted = [], 1
        for n, k, s, d, b, a, p in zip(
            data.shape[-count:], kernel, strides, dilation, padding_before, padding_after, place, strict=True
        ):
            all_of_it = [p * s - b + j * d for j in range(k)]
            inside.append([i for i in all_of_it if 0 <= i < n])
            counted *= sum(i < n + a for i in all_of_it) if count_include_pad else len(inside[-1])
        window = data[(..., *np.ix_(*inside))] if count > 1 else data[..., inside[0]]
        over = tuple(range(-count, 0))
        if pool_type == "max":
            result[(..., *place)] = window.max(axis=over, initial=_lowest(result.dtype))
        else:
            result[(..., *place)] = window.sum(axis=over) / max(counted, 1)
    return np.moveaxis(result, range(-count, 0), axes)


def _lowest(dtype: Any) -> Any:
    """What no element is below: the maximum of a window that lies in the padding alone."""
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def pool_grad_nchw(
    a_np: Any,
    out_grad_np: Any,
    pool_size: Any,
    strides: Any,
    padding: Any,
    pool_type: str,
    ceil_mode: bool,
    count_include_pad: bool = True,
) -> Any:
    """The gradient to the input of a pool in NCHW; `padding` is top, left, bottom, right."""
    grad = np.zeros_like(a_np)
    for row, column, rows, columns, whole in _windows(a_np, out_grad_np, pool_size, strides, padding):
        given = out_grad_np[:, :, row, column]
        if pool_type == "avg":
            share = given / max(whole if count_include_pad else len(rows) * len(columns), 1)
            grad[(..., *np.ix_(rows, columns))] += share[..., None, None]
            continue
        for n, c in np.ndindex(*given.shape):
            window = a_np[n, c][np.ix_(rows, columns)]
            i, j = np.unravel_index(window.argmax(), window.shape)
            grad[n, c, rows[i], columns[j]] += given[n, c]
    return grad


def _windows(a: Any, out: Any, size: Any, strides: Any, padding: Any) -> Iterator[tuple[Any, ...]]:
    """Each window: its place, its rows and columns inside of the image, and how many elements it has with padding."""
    (h, w), (top, left, bottom, right) = a.shape[2:], padding
    for row, column in np.ndindex(*out.shape[2:]):
        rows = [row * strides[0] - top + k for k in range(size[0])]
        columns = [column * strides[1] - left + k for k in range(size[1])]
        whole = sum(i < h + bottom for i in rows) * sum(j < w + right for j in columns)
        yield row, column, [i for i in rows if 0 <= i < h], [j for j in columns if 0 <= j < w], whole


def adaptive_pool(np_data: Any, out_size: Any, pool_type: str, layout: str) -> Any:
    """Windows that cover the input and give an output of `out_size`, in any layout."""
    axes = [layout.index(c) for c in "DHW" if c in layout]
    wanted = (out_size,) * len(axes) if np.ndim(out_size) == 0 else tuple(out_size)
    data = np.moveaxis(np_data, axes, range(-len(axes), 0))
    result = np.zeros((*data.shape[: -len(axes)], *wanted), np_data.dtype)
    for place in np.ndindex(*wanted):
        at = tuple(
            slice(p * n // o, -(-(p + 1) * n // o))
            for p, n, o in zip(place, data.shape[-len(axes) :], wanted, strict=True)
        )
        window = data[(..., *at)]
        over = tuple(range(-len(axes), 0))
        result[(..., *place)] = window.max(axis=over) if pool_type == "max" else window.mean(axis=over)
    return np.moveaxis(result, range(-len(axes), 0), axes)


def pool1d_ncw_python(
    np_data: Any,
    kernel: Any,
    strides: Any,
    padding: Any,
    out_shape: Any,
    pool_type: str,
    count_include_pad: bool = True,
    ceil_mode: bool = False,
) -> Any:
    """The pool of NCW, as programs before v0.8 called it; `out_shape` is what comes out anyway."""
    return _old_pool(1, np_data, kernel, strides, padding, pool_type, count_include_pad, ceil_mode)


def pool3d_ncdhw_python(
    np_data: Any,
    kernel: Any,
    strides: Any,
    padding: Any,
    out_shape: Any,
    pool_type: str,
    count_include_pad: bool = True,
    ceil_mode: bool = False,
) -> Any:
    """The pool of NCDHW, as programs before v0.8 called it; `out_shape` is what comes out anyway."""
    return _old_pool(3, np_data, kernel, strides, padding, pool_type, count_include_pad, ceil_mode)


def _old_pool(
    count: int, data: Any, kernel: Any, strides: Any, padding: Any, kind: str, include: bool, ceil: bool
) -> Any:
    window, step = ((v,) * count if isinstance(v, int) else tuple(v) for v in (kernel, strides))
    amounts = (padding,) * (2 * count) if isinstance(padding, int) else tuple(padding)
    before, after = amounts[:count], amounts[count:]
    return poolnd_python(
        data, window, step, (1,) * count, before, after, kind, include, ceil, str(data.dtype)
    )
