"""Images in other sizes and at other places, on numpy arrays: places first, then weights, one dimension after the other."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np


def _places(n: int, target: int, mode: str, begin: float = 0.0, end: float = 1.0) -> Any:
    """Where in n elements each of `target` elements stands."""
    i = np.arange(target, dtype="float64")
    if mode == "align_corners":
        return i * (n - 1) / (target - 1) if target > 1 else i * 0
    if mode == "asymmetric":
        return i * n / target
    if mode == "tf_half_pixel_for_nn":
        return (i + 0.5) * n / target
    if mode == "pytorch_half_pixel" and target == 1:
        return i * 0
    if mode == "tf_crop_and_resize":
        if target == 1:
            return i + 0.5 * (begin + end) * (n - 1)
        return begin * (n - 1) + i * (end - begin) * (n - 1) / (target - 1)
    return (i + 0.5) * n / target - 0.5


_ROUND: dict[str, Any] = {
    "round": np.rint,
    "floor": lambda p: np.floor(p + 1e-5),
    "ceil": lambda p: np.ceil(p - 1e-5),
    "round_prefer_floor": lambda p: np.ceil(p - 0.5),
    "round_prefer_ceil": lambda p: np.floor(p + 0.5),
}


def _weights(places: Any, n: int, method: str, rounding: str, alpha: float = -0.5) -> Any:
    """A matrix (target, n): how much of each element each place takes."""
    result = np.zeros((len(places), n))
    for row, p in enumerate(places):
        base = int(np.floor(p))
        if method == "nearest_neighbor":
            taps = [(int(_ROUND[rounding](p)), 1.0)]
        elif method == "linear":
            taps = [(base, 1 - (p - base)), (base + 1, p - base)]
        else:
            taps = [(base + k, _keys(abs(p - base - k), alpha)) for k in range(-1, 3)]
        for place, weight in taps:
            result[row, min(max(place, 0), n - 1)] += weight
    return result


def _keys(d: float, a: float) -> float:
    """The cubic convolution kernel at distance d, from 0 to 2."""
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a


def _resized(
    data: Any, size: Any, layout: str, method: str, mode: str, rounding: str = "", alpha: float = -0.5
) -> Any:
    rounding = rounding or ("round" if mode == "align_corners" else "floor")
    method = {"bilinear": "linear", "trilinear": "linear", "bicubic": "cubic", "tricubic": "cubic"}.get(
        method, method
    )
    result = data.astype("float64")
    for c, target in zip([c for c in "DHW" if c in layout], size, strict=True):
        axis = layout.index(c)
        weights = _weights(_places(data.shape[axis], target, mode), data.shape[axis], method, rounding, alpha)
        result = np.moveaxis(np.tensordot(weights, result, (1, axis)), 0, axis)
    return result.astype(data.dtype)


def _scaled(data: Any, scale: Any, layout: str) -> list[int]:
    axes = [layout.index(c) for c in "DHW" if c in layout]
    factors = (scale,) * len(axes) if np.ndim(scale) == 0 else scale
    return [round(data.shape[d] * f) for d, f in zip(axes, factors, strict=True)]


def resize1d_python(
    data: Any,
    scale: Any,
    layout: str = "NCW",
    method: str = "nearest_neighbor",
    coordinate_transformation_mode: str = "align_corners",
    rounding_method: str = "",
    alpha: float = -0.5,
) -> Any:
    """W times a factor."""
    size = _scaled(data, scale, layout)
    return _resized(data, size, layout, method, coordinate_transformation_mode, rounding_method, alpha)


def resize2d_python(
    data: Any,
    scale: Any,
    layout: str = "NCHW",
    method: str = "nearest_neighbor",
    coordinate_transformation_mode: str = "align_corners",
    rounding_method: str = "",
    alpha: float = -0.5,
) -> Any:
    """H and W times factors."""
    size = _scaled(data, scale, layout)
    return _resized(data, size, layout, method, coordinate_transformation_mode, rounding_method, alpha)


def resize3d_python(
    data: Any,
    scale: Any,
    layout: str = "NCDHW",
    method: str = "nearest_neighbor",
    coordinate_transformation_mode: str = "align_corners",
    rounding_method: str = "",
    alpha: float = -0.5,
) -> Any:
    """D, H and W times factors."""
    size = _scaled(data, scale, layout)
    return _resized(data, size, layout, method, coordinate_transformation_mode, rounding_method, alpha)


def bilinear_resize_python(
    image: Any, out_size: Any, layout: str, coordinate_transformation_mode: Any = "align_corners"
) -> Any:
    """H and W in another size, bilinear. Old programs say with True or False whether corners are aligned."""
    if isinstance(coordinate_transformation_mode, bool):
        coordinate_transformation_mode = "align_corners" if coordinate_transformation_mode else "asymmetric"
    return _resized(image, out_size, layout, "linear", coordinate_transformation_mode)


def trilinear_resize3d_python(
    data_in: Any, out_size: Any, layout: str, coordinate_transformation_mode: str = "align_corners"
) -> Any:
    """D, H and W in another size, trilinear."""
    return _resized(data_in, out_size, layout, "linear", coordinate_transformation_mode)


def upsampling_python(data: Any, scale: Any, layout: str = "NCHW") -> Any:
    """H and W times factors, with the nearest element in front."""
    return _resized(data, _scaled(data, scale, layout), layout, "nearest_neighbor", "asymmetric", "floor")


def upsampling3d_python(data: Any, scale: Any, layout: str = "NCDHW") -> Any:
    """D, H and W times factors, with the nearest element in front."""
    return _resized(data, _scaled(data, scale, layout), layout, "nearest_neighbor", "asymmetric", "floor")


def crop_and_resize_python(
    image: Any,
    boxes: Any,
    box_indices: Any,
    crop_size: Any,
    layout: str,
    method: str = "bilinear",
    extrapolation_value: float | None = 0.0,
) -> Any:
    """Boxes (top, left, bottom, right) of images, in one size."""
    nchw = image if layout == "NCHW" else image.transpose(0, 3, 1, 2)
    kind = "linear" if method == "bilinear" else method
    result = []
    for box, which in zip(boxes, box_indices, strict=True):
        part, outside = nchw[which].astype("float64"), []
        for d in range(2):
            n = nchw.shape[2 + d]
            places = _places(n, crop_size[d], "tf_crop_and_resize", box[d], box[d + 2])
            outside.append((places < 0) | (places > n - 1))
            weights = _weights(places, n, kind, "round")
            part = np.moveaxis(np.tensordot(weights, part, (1, d + 1)), 0, d + 1)
        result.append(np.where(outside[0][:, None] | outside[1], extrapolation_value or 0.0, part))
    stacked = np.stack(result).astype(image.dtype)
    return stacked if layout == "NCHW" else stacked.transpose(0, 2, 3, 1)


def affine_grid_python(data: Any, target_shape: Any) -> Any:
    """The grids (n, 2, height, width) of affine maps (n, 2, 3)."""
    y, x = np.meshgrid(*[np.linspace(-1, 1, n) for n in target_shape], indexing="ij")
    return np.tensordot(data, np.stack([x, y, np.ones_like(x)]), (2, 0)).astype(data.dtype)


def grid_sample_python(
    data: Any,
    grid: Any,
    method: str = "bilinear",
    layout: str = "NCHW",
    padding_mode: str = "zeros",
    align_corners: bool = True,
) -> Any:
    """The values of images at the places of a grid, one after the other."""
    size = data.shape[2:]
    result = np.zeros((*data.shape[:2], *grid.shape[2:]), "float64")
    for n, *place in np.ndindex(len(grid), *grid.shape[2:]):
        raw = grid[(n, slice(None), *place)][::-1].astype("float64")
        at = [
            (p + 1) * (m - 1) / 2 if align_corners else (p + 1) * m / 2 - 0.5
            for p, m in zip(raw, size, strict=True)
        ]
        result[(n, slice(None), *place)] = _sampled(data[n], at, method, padding_mode, align_corners)
    return result.astype(data.dtype)


def grid_sample_nchw_python(data: Any, grid: Any, method: str = "bilinear") -> Any:
    """grid_sample_python, as programs before v0.9 called it."""
    return grid_sample_python(data, grid, method)


def _sampled(image: Any, at: Any, method: str, mode: str, align: bool) -> Any:
    size = image.shape[1:]

    def inside(p: Any, m: int) -> Any:
        if mode == "reflection":
            low, high = (0.0, m - 1.0) if align else (-0.5, m - 0.5)
            while not low <= p <= high and high > low:
                p = 2 * low - p if p < low else 2 * high - p
        return p if mode == "zeros" else min(max(p, 0), m - 1)

    def read(index: Any) -> Any:
        is_in = all(0 <= j < m for j, m in zip(index, size, strict=True))
        return image[(slice(None), *index)].astype("float64") if is_in else np.zeros(len(image))

    if method != "bicubic":
        at = [inside(p, m) for p, m in zip(at, size, strict=True)]
    if method == "nearest":
        return read([int(np.rint(p)) for p in at])
    taps = range(2) if method != "bicubic" else range(-1, 3)
    total = np.zeros(len(image))
    for steps in product(taps, repeat=len(at)):
        index = [int(np.floor(p)) + k for p, k in zip(at, steps, strict=True)]
        distances = [abs(p - i) for p, i in zip(at, index, strict=True)]
        if method == "bicubic":
            index = [int(inside(i, m)) for i, m in zip(index, size, strict=True)]
        weight = np.prod([_keys(d, -0.75) if method == "bicubic" else 1 - d for d in distances])
        total += read(index) * weight
    return total
