"""Transforms of arrays: slices, gathered elements, masks, blocks, on numpy arrays."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

import numpy as np


def gather_python(data: Any, axis: int, indices: Any) -> Any:
    """The elements at indices along an axis, place by place."""
    return np.take_along_axis(data, indices.astype("int64"), axis)


def gather_nd_python(a_np: Any, indices_np: Any, batch_dims: int = 0) -> Any:
    """a[indices[0, ...], indices[1, ...], ...], for each of the batch dimensions."""
    index = tuple(indices_np.astype("int64"))
    grid = np.indices(indices_np.shape[1:])[:batch_dims]
    return a_np[(*grid, *index)]


def strided_slice_python(
    data: Any, begin: Any, end: Any, strides: Any, slice_mode: str = "end", axes: Any = None
) -> Any:
    """data[begin:end:strides], for the first axes or for `axes`."""
    steps = [1] * len(begin) if strides is None or not len(strides) or slice_mode == "size" else list(strides)
    steps += [1] * (len(begin) - len(steps))
    index = [slice(None)] * data.ndim
    for n, axis in enumerate(range(len(begin)) if axes is None else axes):
        last = end[n]
        if slice_mode == "size":
            last = None if end[n] == -1 else begin[n] + end[n]
        index[axis] = slice(begin[n], last, steps[n])
    return data[tuple(index)]


def strided_set_python(data: Any, v: Any, begin: Any, end: Any, strides: Any = None) -> Any:
    """A copy of `data` with `v` in a slice."""
    result = data.copy()
    ends = zip_longest(begin, end, [] if strides is None else strides)
    result[tuple(slice(b, e, s) for b, e, s in ends)] = v
    return result


def slice_axis_python(data: Any, axis: int, begin: int, end: int | None = None) -> Any:
    """A slice of one axis."""
    return data[(slice(None),) * (axis % data.ndim) + (slice(begin, end),)]


def sequence_mask(data: Any, valid_length: Any, mask_value: float, axis: int) -> Any:
    """A copy with `mask_value` after the length of each sequence."""
    result = np.moveaxis(data, axis, 0).copy()
    for b, n in enumerate(valid_length):
        result[n:, b] = mask_value
    return np.moveaxis(result, 0, axis)


def one_hot(indices: Any, on_value: Any, off_value: Any, depth: int, axis: int, dtype: str) -> Any:
    """A new axis with `on_value` at the place that an index names."""
    hot = np.moveaxis(indices[..., None] == np.arange(depth), -1, axis)
    return np.where(hot, on_value, off_value).astype(dtype)


def matrix_set_diag(input_np: Any, diagonal: Any, k: Any = 0, align: str = "RIGHT_LEFT") -> Any:
    """A copy with diagonals k, or k[0] to k[1], replaced."""
    low, high = (k, k) if np.ndim(k) == 0 else (k[0], k[-1])
    result, (rows, columns) = input_np.copy(), input_np.shape[-2:]
    above, below = align.split("_")
    for d in range(low, high + 1):
        values = diagonal if low == high else diagonal[..., high - d, :]
        length = min(rows + min(d, 0), columns - max(d, 0))
        right = (above if d >= 0 else below) == "RIGHT"
        taken = values[..., values.shape[-1] - length :] if right else values[..., :length]
        at = np.arange(length)
        result[..., at - min(d, 0), at + max(d, 0)] = taken
    return result


def space_to_depth_python(data: Any, block_size: int) -> Any:
    """Blocks of NCHW as channels."""
    n, c, h, w = data.shape
    blocks = data.reshape(n, c, h // block_size, block_size, w // block_size, block_size)
    return blocks.transpose(0, 3, 5, 1, 2, 4).reshape(n, -1, h // block_size, w // block_size)


def depth_to_space_python(data: Any, block_size: int, mode: str = "DCR") -> Any:
    """Channels of NCHW as blocks."""
    n, c, h, w = data.shape
    b, fewer = block_size, c // block_size**2
    if mode == "DCR":
        blocks = data.reshape(n, b, b, fewer, h, w).transpose(0, 3, 4, 1, 5, 2)
    else:
        blocks = data.reshape(n, fewer, b, b, h, w).transpose(0, 1, 4, 2, 5, 3)
    return blocks.reshape(n, fewer, h * b, w * b)


def space_to_batch_nd_python(
    data: Any, block_shape: Any, pad_before: Any, pad_after: Any, pad_value: float = 0
) -> Any:
    """Blocks of the dimensions after the first as parts of the batch."""
    m = len(block_shape)
    edges = [(0, 0), *zip(pad_before, pad_after, strict=True)] + [(0, 0)] * (data.ndim - 1 - m)
    wide = np.pad(data, edges, constant_values=pad_value)
    blocks = [
        wide[(slice(None), *(slice(p, None, b) for p, b in zip(place, block_shape, strict=True)))]
        for place in np.ndindex(*block_shape)
    ]
    return np.concatenate(blocks)


def batch_to_space_nd_python(data: Any, block_shape: Any, crop_begin: Any, crop_end: Any) -> Any:
    """Parts of the batch as blocks of the dimensions after the first, whose edges are cut."""
    m, count = len(block_shape), int(np.prod(block_shape))
    batch = len(data) // count
    sizes = [n * b for n, b in zip(data.shape[1 : m + 1], block_shape, strict=True)]
    result = np.zeros((batch, *sizes, *data.shape[m + 1 :]), data.dtype)
    for part, place in zip(np.split(data, count), np.ndindex(*block_shape), strict=True):
        result[(slice(None), *(slice(p, None, b) for p, b in zip(place, block_shape, strict=True)))] = part
    cuts = [slice(b, n - e) for b, e, n in zip(crop_begin, crop_end, sizes, strict=True)]
    return result[(slice(None), *cuts)]


def reorg_python(a_np: Any, stride: int) -> Any:
    """Darknet's reorganisation of NCHW."""
    n, c, h, w = a_np.shape
    fewer = c // stride**2
    wide = a_np.reshape(n, fewer, h, stride, w, stride)
    return wide.transpose(0, 3, 5, 1, 2, 4).reshape(n, c * stride**2, h // stride, w // stride)


def searchsorted_ref(sorted_sequence: Any, values: Any, right: bool, out_dtype: str) -> Any:
    """Where each value goes into the sorted last axis."""
    side: Any = "right" if right else "left"
    if sorted_sequence.ndim == 1:
        return np.searchsorted(sorted_sequence, values, side).astype(out_dtype)
    rows = [np.searchsorted(sorted_sequence[p], values[p], side) for p in np.ndindex(*values.shape[:-1])]
    return np.array(rows, out_dtype).reshape(values.shape)


def batch_matmul(
    x: Any, y: Any, out_dtype: str | None = None, trans_x: bool = False, trans_y: bool = True
) -> Any:
    """A product for each of a batch; a batch of 1 is used for all."""
    a, b = (x.swapaxes(1, 2) if trans_x else x), (y.swapaxes(1, 2) if trans_y else y)
    dtype = out_dtype or x.dtype
    return a.astype(dtype) @ b.astype(dtype)


def dense(
    x: Any, y: Any, bias: Any, use_bias: bool = False, use_relu: bool = False, out_dtype: str | None = None
) -> Any:
    """x @ y.T, with a bias and a relu when so asked."""
    dtype = out_dtype or x.dtype
    result = x.astype(dtype) @ y.astype(dtype).T
    result = result + bias if use_bias else result
    return np.maximum(result, 0) if use_relu else result
