"""Images sampled at places that a tensor gives, and affine maps that give such points.

Coordinates go from -1 to 1 across the image; in a grid, x stands before y (and y before z).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from tewb import te
from tewb.base import ShapeError, TewbError, here
from tewb.tensor import Tensor
from tewb.topi.checks import check_same_size, one_of, tensor_of, whole


def affine_grid(data: Tensor, target_shape: Sequence[int], align_corners: bool = True) -> Any:
    """The grid (n, 2, height, width) of an affine map (n, 2, 3) on the coordinates of an image of `target_shape`. -1 and 1
    are the centres of the outer elements, or with align_corners=False their outer edges."""
    what = "affine_grid"
    matrix = tensor_of(what, data, 3)
    height, width = (whole(what, "a size of target_shape", n) for n in target_shape)
    check_same_size(what, matrix.shape[1], 2, "the rows of a matrix and 2")
    check_same_size(what, matrix.shape[2], 3, "the columns of a matrix and 3")
    if align_corners and min(height, width) < 2:
        raise ShapeError(
            f"affine_grid: {height} x {width} has no two corners to align",
            hint="sizes of 2 or more, or align_corners=False",
            span=here(),
        )

    def coordinate(i: Any, n: int) -> Any:
        first, step = (-1.0, 2.0 / (n - 1)) if align_corners else (1.0 / n - 1.0, 2.0 / n)
        return te.const(first, matrix.dtype) + te.cast(i, matrix.dtype) * te.const(step, matrix.dtype)

    def element(n: Any, d: Any, i: Any, j: Any) -> Any:
        y, x = coordinate(i, height), coordinate(j, width)
        return matrix[n, d, 0] * x + matrix[n, d, 1] * y + matrix[n, d, 2]

    return te.compute((matrix.shape[0], 2, height, width), element, name="affine_grid", tag="affine_grid")


def grid_sample(
    data: Tensor,
    grid: Tensor,
    method: str = "bilinear",
    layout: str = "NCHW",
    padding_mode: str = "zeros",
    align_corners: bool = True,
) -> Any:
    """The values of images (n, c, h, w) at the places of a grid (n, 2, h', w'), or of (n, c, d, h, w) at (n, 3, d', h', w').

    `method` is nearest, bilinear or bicubic (in two dimensions). Outside of the image are zeros, with "border" the nearest
    element, with "reflection" the mirrored image.
    """
    what = "grid_sample"
    x, points = tensor_of(what, data, (4, 5)), tensor_of(what, grid, (4, 5))
    rank = x.ndim - 2
    if layout != ("NCHW", "NCDHW")[rank - 2]:
        raise TewbError(
            f"{what}: the layout {layout!r} of {x.ndim} dimensions",
            hint="NCHW, or NCDHW of five",
            span=here(),
        )
    kinds = ("nearest", "bilinear", "bicubic") if rank == 2 else ("nearest", "bilinear", "trilinear")
    kind = one_of(what, "method", method, kinds)
    mode = one_of(what, "padding_mode", padding_mode, ("zeros", "border", "reflection"))
    check_same_size(what, points.shape[1], rank, "the coordinates of a place and the spatial dimensions")
    check_same_size(what, points.shape[0], x.shape[0], "the batches of grid and data")
    if points.ndim != x.ndim:
        raise ShapeError(
            f"{what}: {points.name} has {points.ndim} dimensions and {x.name} has {x.ndim}",
            hint="they have the same",
            span=here(),
        )
    size = x.shape[2:]

    def element(n: Any, c: Any, *i: Any) -> Any:
        at = [_pixels(points(n, rank - 1 - d, *i), size[d], align_corners) for d in range(rank)]

        def read(index: Sequence[Any]) -> Any:
            inside = te.all(*[t for j, m in zip(index, size, strict=True) for t in (j >= 0, j < m)])
            nearest = [te.max(te.min(j, m - 1), te.const(0)) for j, m in zip(index, size, strict=True)]
            return te.if_then_else(inside, x(n, c, *nearest), te.const(0, x.dtype))

        def brought(p: Any, d: int) -> Any:
            return _brought_inside(p, size[d], mode, align_corners)

        if kind == "bicubic":
            return _bicubic(at, read, brought)
        at = [brought(p, d) for d, p in enumerate(at)]
        if kind == "nearest":
            return read([te.cast(te.nearbyint(p), "int32") for p in at])
        return _linear(at, read)

    return te.compute((*x.shape[:2], *points.shape[2:]), element, name="grid_sample", tag="grid_sample")


def _c(value: float, like: Any) -> Any:
    return te.const(value, like.dtype)


def _pixels(p: Any, size: Any, align_corners: bool) -> Any:
    """A coordinate from -1 to 1 in elements from 0."""
    n = te.cast(size, p.dtype)
    if align_corners:
        return (p + _c(1, p)) * (n - _c(1, p)) * _c(0.5, p)
    return (p + _c(1, p)) * n * _c(0.5, p) - _c(0.5, p)


def _brought_inside(p: Any, size: Any, mode: str, align_corners: bool) -> Any:
    if mode == "zeros":
        return p
    n = te.cast(size, p.dtype)
    if mode == "reflection":
        p = _reflected(p, n, align_corners)
    return te.max(te.min(p, n - _c(1, p)), _c(0, p))


def _reflected(p: Any, n: Any, align_corners: bool) -> Any:
    """The place mirrored at the centres of the outer elements, or at their edges, as often as it takes."""
    low = _c(0, p) if align_corners else _c(-0.5, p)
    span = te.max(n - _c(1, p), _c(1, p)) if align_corners else n
    away = te.abs(p - low)
    times = te.floor(away / span)
    rest = away - times * span
    odd = times - _c(2, p) * te.floor(times * _c(0.5, p)) > _c(0.5, p)
    mirrored = te.select(odd, span - rest, rest) + low
    # One element has no span to mirror; brought inside, every place is that element.
    return mirrored


def _linear(at: Sequence[Any], read: Any) -> Any:
    base = [te.floor(p) for p in at]
    total: Any = None
    for steps in product((0, 1), repeat=len(at)):
        value = read([te.cast(b, "int32") + n for b, n in zip(base, steps, strict=True)])
        for p, b, n in zip(at, base, steps, strict=True):
            fraction = te.cast(p - b, value.dtype)
            value = value * (fraction if n else _c(1, fraction) - fraction)
        total = value if total is None else total + value
    return total


def _bicubic(at: Sequence[Any], read: Any, brought: Any) -> Any:
    """Sixteen neighbours with the weights of a cubic convolution with the parameter -0.75."""
    base = [te.floor(p) for p in at]
    weights = [_cubic(p - b) for p, b in zip(at, base, strict=True)]
    total: Any = None
    for steps in product(range(4), repeat=2):
        index = [
            te.cast(brought(b + _c(n - 1, b), d), "int32")
            for d, (b, n) in enumerate(zip(base, steps, strict=True))
        ]
        value = read(index)
        for w, n in zip(weights, steps, strict=True):
            value = value * te.cast(w[n], value.dtype)
        total = value if total is None else total + value
    return total


def _cubic(t: Any) -> list[Any]:
    a = -0.75

    def near(d: Any) -> Any:
        return (_c(a + 2, d) * d - _c(a + 3, d)) * d * d + _c(1, d)

    def far(d: Any) -> Any:
        return ((d - _c(5, d)) * d + _c(8, d)) * d * _c(a, d) - _c(4 * a, d)

    return [far(t + _c(1, t)), near(t), near(_c(1, t) - t), far(_c(2, t) - t)]
