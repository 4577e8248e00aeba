"""Images that are larger by factors."""

from __future__ import annotations

from typing import Any

from tewb import te
from tewb.tensor import Tensor
from tewb.topi.checks import known, tensor_of
from tewb.topi.image.resize import resize2d, resize3d
from tewb.topi.layouts import spatial


def upsampling(
    data: Tensor,
    scale_h: float,
    scale_w: Any = None,
    layout: str = "NCHW",
    method: str = "nearest_neighbor",
    align_corners: bool = False,
    output_shape: Any = None,
) -> Any:
    """H and W larger by factors: nearest_neighbor, bilinear or bicubic. Programs before v0.6 have one factor for both."""
    if isinstance(scale_w, str):  # the layout, and in its place the method
        method = layout if layout.lower() in ("nearest_neighbor", "bilinear", "bicubic") else method
        scale_w, layout = None, scale_w
    scale_w = scale_h if scale_w is None else scale_w
    size = _scaled("upsampling", data, {"H": scale_h, "W": scale_w}, layout)
    mode = "align_corners" if align_corners else "asymmetric"
    return resize2d(data, None, size, layout, method, mode, output_shape=output_shape)


def upsampling3d(
    data: Tensor,
    scale_d: float,
    scale_h: float,
    scale_w: float,
    layout: str = "NCDHW",
    method: str = "nearest_neighbor",
    coordinate_transformation_mode: str = "half_pixel",
    output_shape: Any = None,
) -> Any:
    """D, H and W larger by factors: nearest_neighbor or trilinear."""
    size = _scaled("upsampling3d", data, {"D": scale_d, "H": scale_h, "W": scale_w}, layout)
    return resize3d(
        data, None, size, layout, method, coordinate_transformation_mode, output_shape=output_shape
    )


def _scaled(what: str, data: Any, factors: dict[str, Any], layout: str) -> list[Any]:
    """The sizes times the factors, rounded."""
    x = tensor_of(what, data)
    have = spatial(layout, what, "".join(factors)).sizes(x.shape, what)
    return [_times(have[c], factor) for c, factor in factors.items()]


def _times(size: Any, factor: Any) -> Any:
    n = known(size)
    if n is not None:
        return round(n * factor)
    if known(factor) is not None:
        return size * known(factor)
    return te.cast(te.round(te.cast(size, "float64") * te.const(factor, "float64")), size.dtype)
