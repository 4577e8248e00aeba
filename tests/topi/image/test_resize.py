"""Images in other sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.topi.compare import Case, check, floats, integers
from tewb import te, topi
from tewb.base import ShapeError, TewbError
from tewb.topi import testing as reference
from tewb.topi.image.resize import MODES

x, line, cube = floats(1, 2, 5, 4), floats(1, 2, 7), floats(1, 1, 3, 4, 2)
PLAIN = [m for m in MODES if m != "tf_crop_and_resize"]


def resized(data: Any, size: Any, layout: str, method: str, mode: str, rounding: str = "") -> Case:
    operator, ref = {
        1: (topi.image.resize1d, reference.resize1d_python),
        2: (topi.image.resize2d, reference.resize2d_python),
        3: (topi.image.resize3d, reference.resize3d_python),
    }[len(size)]
    scale = [
        n / data.shape[layout.index(c)] for n, c in zip(size, [c for c in "DHW" if c in layout], strict=True)
    ]
    return Case(
        lambda t: operator(t, None, size, layout, method, mode, rounding),
        lambda v: ref(v, scale, layout, method, mode, rounding),
        (data,),
    )


@pytest.mark.one_in(2)
@pytest.mark.parametrize("mode", PLAIN)
def test_methods_in_two_dimensions(mode: str) -> None:
    check(
        [
            resized(x, size, "NCHW", method, mode)
            for method in ("nearest_neighbor", "linear", "cubic")
            for size in ((8, 3), (1, 9))
        ],
        rtol=1e-4,
        atol=1e-5,
    )


def test_other_dimensions_layouts_roundings_and_dtypes() -> None:
    pixels = integers(1, 4, 6, 2, low=0, high=255, dtype="uint8")
    check(
        [resized(line, (4,), "NCW", m, "half_pixel") for m in ("nearest_neighbor", "linear", "cubic")]
        + [resized(cube, (4, 3, 5), "NCDHW", m, "half_pixel") for m in ("nearest_neighbor", "linear")]
        + [resized(cube, (4, 3, 3), "NCDHW", "cubic", "align_corners")]
        + [resized(x, (3, 2), "NHWC", "nearest_neighbor", "half_pixel")]
        + [
            resized(x, (8, 7), "NCHW", "nearest_neighbor", "half_pixel", r)
            for r in ("round_prefer_floor", "round_prefer_ceil", "ceil")
        ]
        + [
            Case(
                lambda t: topi.image.resize2d(t, None, (4, 12), "NHWC", "nearest_neighbor", "asymmetric"),
                lambda v: np.repeat(v, 2, 2),
                (pixels,),
            ),
            Case(
                lambda t: topi.image.resize(t, (8, 12), "NHWC", "bilinear", "align_corners", out_dtype="float32"),
                lambda v: reference.bilinear_resize_python(v.astype("float32"), (8, 12), "NHWC"),
                (pixels,),
            ),
            Case(
                lambda t: topi.image.resize2d(t, [0.25, 0, 1.5, 1], (3, 4), coordinate_transformation_mode=MODES[-1], extrapolation_value=9),
                lambda v: reference.crop_and_resize_python(v, [[0.25, 0, 1.5, 1]], [0], (3, 4), "NCHW", "bilinear", 9),
                (x,),
            ),
        ],
        rtol=1e-4,
        atol=1e-4,
    )  # fmt: skip


def test_neighbours_outside_may_be_left_out() -> None:
    flat = np.ones((1, 1, 2, 5), "float32")
    check(
        [
            Case(
                lambda t: topi.image.resize2d(t, None, (4, 10), method="cubic", bicubic_exclude=1),
                lambda v: np.ones((1, 1, 4, 10)),
                (flat,),
            )
        ],
        rtol=1e-4,
    )


def test_arguments_in_the_order_of_old_programs() -> None:
    def aligned(v: Any) -> Any:
        return reference.bilinear_resize_python(v, (3, 7), "NCHW", True)

    check(
        [
            Case(lambda t: topi.image.resize2d(t, (3, 7), method="bilinear", coordinate_transformation_mode=MODES[1]), aligned, (x,)),
            Case(lambda t: topi.image.resize(t, (3, 7), "NCHW", "BILINEAR", True), aligned, (x,)),
        ],
        rtol=1e-4,
        atol=1e-5,
    )  # fmt: skip
    with pytest.raises(TewbError, match="no size is given"):
        topi.image.resize2d(te.placeholder((1, 1, 2, 2)))


def test_boxes() -> None:
    images = floats(3, 2, 6, 5)
    boxes = np.array([[0.1, 0.2, 0.9, 0.7], [0.6, 1.2, -0.2, 0.0], [0, 0, 1, 1]], "float32")
    which = np.array([2, 0, 2], "int32")
    nhwc = images.transpose(0, 2, 3, 1).copy()
    check(
        [
            Case(
                lambda t, b, i: topi.image.crop_and_resize(t, b, i, (4, 3), "NCHW", "bilinear", 0.5),
                lambda v, b, i: reference.crop_and_resize_python(v, b, i, (4, 3), "NCHW", "bilinear", 0.5),
                (images, boxes, which),
            ),
            Case(
                lambda t, b, i: topi.image.crop_and_resize(t, b, i, (1, 3), "NHWC", "nearest_neighbor"),
                lambda v, b, i: reference.crop_and_resize_python(v, b, i, (1, 3), "NHWC", "nearest_neighbor"),
                (nhwc, boxes, which),
            ),
        ],
        rtol=1e-4,
        atol=1e-4,
    )


A, boxes_ = te.placeholder((1, 2, 5, 4), name="A"), te.placeholder((3, 4), name="B")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: topi.image.resize2d(A, None, (8, 8), method="linier"), TewbError, "did you mean 'linear'"),
        (
            lambda: topi.image.resize2d(A, None, (8, 8), coordinate_transformation_mode="half"),
            TewbError,
            "coordinate_transformation_mode cannot be 'half'",
        ),
        (
            lambda: topi.image.resize2d(A, None, (8, 8), rounding_method="up"),
            TewbError,
            "rounding_method cannot be",
        ),
        (lambda: topi.image.resize2d(A, None, (8, 8, 8)), ShapeError, "size takes 2 numbers, not 3"),
        (lambda: topi.image.resize2d(A, [0, 1], (8, 8)), TewbError, "roi has 2 numbers, not 4"),
        (lambda: topi.image.resize2d(A, None, (8, 8), "NCW"), TewbError, "no whole dimension H"),
        (
            lambda: topi.image.crop_and_resize(A, boxes_, te.placeholder((2,), "int32"), (2, 2)),
            ShapeError,
            "the numbers of boxes and of their images are 3 and 2",
        ),
    ],
)
def test_misuse(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        make()
    assert raised.value.hint
