"""`topi.vision.rcnn`: regions of interest of images, brought to one size."""

from __future__ import annotations

from typing import Any

from tewb import te
from tewb.tensor import Tensor
from tewb.topi.checks import one_of, sizes, tensor_of

__all__ = ["roi_align_nchw", "roi_align_nhwc", "roi_pool_nchw"]


def roi_align_nchw(
    data: Tensor, rois: Tensor, pooled_size: Any, spatial_scale: float, mode: Any, sample_ratio: int = -1
) -> Any:
    """The mean ("avg", 0) or the largest ("max", 1) of points in the parts of each region, (regions, channels, pooled sizes).

    A region is (image, left, top, right, bottom), times `spatial_scale`; points between pixels are interpolated. A part has
    sample_ratio * sample_ratio points, or below 1 as many as it has pixels.
    """
    return _roi_align("roi_align_nchw", data, rois, pooled_size, spatial_scale, mode, sample_ratio)


def roi_align_nhwc(
    data: Tensor, rois: Tensor, pooled_size: Any, spatial_scale: float, mode: Any, sample_ratio: int = -1
) -> Any:
    """roi_align_nchw on images in NHWC."""
    return _roi_align("roi_align_nhwc", data, rois, pooled_size, spatial_scale, mode, sample_ratio)


def _roi_align(
    what: str, data: Any, rois: Any, pooled_size: Any, scale: float, mode: Any, sample_ratio: int
) -> Any:
    x, regions = tensor_of(what, data, 4), tensor_of(what, rois, 2)
    word = mode.decode() if isinstance(mode, bytes) else {0: "avg", 1: "max"}.get(mode, mode)
    kind = one_of(what, "mode", word, ("avg", "max"))
    channels_last = what.endswith("nhwc")
    count, dtype = sizes(f"{what}: pooled_size", pooled_size, 2), regions.dtype
    height, width = x.shape[1:3] if channels_last else x.shape[2:]
    channels = x.shape[3] if channels_last else x.shape[1]

    def number(value: Any) -> Any:
        return te.const(value, dtype) if isinstance(value, int | float) else te.cast(value, dtype)

    def pixel(b: Any, c: Any, i: Any, j: Any) -> Any:
        return x(b, i, j, c) if channels_last else x(b, c, i, j)

    def at(b: Any, c: Any, y: Any, z: Any) -> Any:
        """The image between pixels, and 0 more than a pixel outside of it."""
        outside = te.any(y < number(-1), z < number(-1), y > number(height), z > number(width))
        y = te.max(te.min(y, number(height - 1)), number(0))
        z = te.max(te.min(z, number(width - 1)), number(0))
        i, j = te.cast(te.floor(y), "int32"), te.cast(te.floor(z), "int32")
        i, j = te.max(te.min(i, height - 1), te.const(0)), te.max(te.min(j, width - 1), te.const(0))
        below, right = te.min(i + 1, height - 1), te.min(j + 1, width - 1)
        down, across = y - te.cast(i, dtype), z - te.cast(j, dtype)
        upper = pixel(b, c, i, j) * (number(1) - across) + pixel(b, c, i, right) * across
        lower = pixel(b, c, below, j) * (number(1) - across) + pixel(b, c, below, right) * across
        return te.if_then_else(outside, te.const(0, x.dtype), upper * (number(1) - down) + lower * down)

    def element(r: Any, c: Any, ph: Any, pw: Any) -> Any:
        image = te.cast(regions[r, 0], "int32")
        left, top, right, bottom = (regions[r, n] * number(scale) for n in range(1, 5))
        high, wide = te.max(bottom - top, number(1)), te.max(right - left, number(1))
        step_h, step_w = high / number(count[0]), wide / number(count[1])
        if sample_ratio > 0:
            rows = columns = te.const(sample_ratio)
        else:
            rows, columns = te.cast(te.ceil(step_h), "int32"), te.cast(te.ceil(step_w), "int32")
        rh, rw = te.reduce_axis((0, rows), name="rh"), te.reduce_axis((0, columns), name="rw")
        y = top + (number(ph) + (number(rh.var) + number(0.5)) / number(rows)) * step_h
        z = left + (number(pw) + (number(rw.var) + number(0.5)) / number(columns)) * step_w
        point = at(image, c, y, z)
        if kind == "max":
            return te.max(point, axis=[rh, rw])
        return te.sum(point / te.cast(rows * columns, x.dtype), axis=[rh, rw])

    if channels_last:
        shape = (regions.shape[0], *count, channels)
        return te.compute(shape, lambda r, h, w, c: element(r, c, h, w), name=what, tag=f"pool,{what}")
    return te.compute((regions.shape[0], channels, *count), element, name=what, tag=f"pool,{what}")


def roi_pool_nchw(data: Tensor, rois: Tensor, pooled_size: Any, spatial_scale: float) -> Any:
    """The largest pixel in the parts of each region (image, left, top, right, bottom), whose ends are rounded to pixels; 0 of parts
    that have none."""
    what = "roi_pool_nchw"
    x, regions = tensor_of(what, data, 4), tensor_of(what, rois, 2)
    count, dtype = sizes(f"{what}: pooled_size", pooled_size, 2), regions.dtype
    _, channels, height, width = x.shape

    def ends(r: Any, first: int, last: int, part: Any, parts: Any, size: Any) -> tuple[Any, Any]:
        """The first pixel of a part, and how many it has."""

        def rounded(n: int) -> Any:  # halves away from 0, as in C
            return te.cast(
                te.floor(regions[r, n] * te.const(spatial_scale, dtype) + te.const(0.5, dtype)), "int32"
            )

        begin = rounded(first)
        total = te.max(rounded(last) - begin + 1, te.const(1))
        step = te.cast(total, dtype) / te.const(parts, dtype)
        low = te.cast(te.floor(te.cast(part, dtype) * step), "int32") + begin
        high = te.cast(te.ceil(te.cast(part + 1, dtype) * step), "int32") + begin
        low, high = (te.min(te.max(e, te.const(0)), size) for e in (low, high))
        return low, te.max(high - low, te.const(0))

    def element(r: Any, c: Any, ph: Any, pw: Any) -> Any:
        top, rows = ends(r, 2, 4, ph, count[0], height)
        left, columns = ends(r, 1, 3, pw, count[1], width)
        rh, rw = te.reduce_axis((0, rows), name="rh"), te.reduce_axis((0, columns), name="rw")
        pixel = x(te.cast(regions[r, 0], "int32"), c, top + rh.var, left + rw.var)
        return te.max(pixel, axis=[rh, rw])

    shape = (regions.shape[0], channels, *count)
    largest = te.compute(shape, element, name=f"{what}_max", tag=f"pool,{what}")
    nothing = te.min_value(x.dtype)
    return te.compute(
        shape,
        lambda *i: te.select(largest(*i) == nothing, te.const(0, x.dtype), largest(*i)),
        name=what,
        tag="elemwise",
    )
