"""Images sampled at places that a tensor gives."""

from __future__ import annotations

from typing import Any

import pytest

from tests import examples
from tests.topi.compare import Case, check, floats
from tewb import te, topi
from tewb.base import ShapeError, TewbError
from tewb.topi import testing as reference

x, cube = floats(2, 3, 4, 5), floats(1, 2, 3, 2, 4)
grid, cubic_grid = floats(2, 2, 3, 4, low=-1.6, high=1.6), floats(1, 3, 2, 3, 2, low=-1.4, high=1.4)


def sampled(data: Any, places: Any, method: str, layout: str, mode: str, align: bool) -> Case:
    options = (method, layout, mode, align)
    return Case(
        lambda t, g: topi.image.grid_sample(t, g, *options),
        lambda v, g: reference.grid_sample_python(v, g, *options),
        (data, places),
    )


@pytest.mark.one_in(2)
@pytest.mark.parametrize("align", [True, False])
@pytest.mark.parametrize("method", ["nearest", "bilinear", "bicubic"])
def test_methods_and_edges(method: str, align: bool) -> None:
    modes = ("zeros", "border", "reflection")
    if method == "bicubic" and not examples.runs_everything:  # sixteen neighbours are much code
        modes = modes[2:]
    check(
        [sampled(x, grid, method, "NCHW", mode, align) for mode in modes],
        rtol=1e-3,
        atol=1e-4,
    )


def test_three_dimensions() -> None:
    check(
        [sampled(cube, cubic_grid, "bilinear", "NCDHW", mode, True) for mode in ("zeros", "reflection")]
        + [sampled(cube, cubic_grid, "nearest", "NCDHW", "border", False)],
        rtol=1e-3,
        atol=1e-4,
    )


def test_affine_maps() -> None:
    matrices = floats(2, 2, 3)
    check(
        [
            Case(
                lambda t: topi.image.affine_grid(t, (3, 5)),
                lambda v: reference.affine_grid_python(v, (3, 5)),
                (matrices,),
            ),
            Case(
                lambda t: topi.image.affine_grid(t, (1, 2), align_corners=False),
                lambda v: reference.affine_grid_python(v * [0.5, 0, 1], (3, 2))[:, :, 1:2],
                (matrices,),
            ),
        ],
        rtol=1e-4,
        atol=1e-5,
    )


A, G = te.placeholder((1, 2, 5, 4), name="A"), te.placeholder((1, 2, 3, 3), name="G")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: topi.image.grid_sample(A, G, "linear"), TewbError, "did you mean 'bilinear'"),
        (lambda: topi.image.grid_sample(A, G, layout="NHWC"), TewbError, "the layout 'NHWC' of 4 dimensions"),
        (
            lambda: topi.image.grid_sample(A, G, padding_mode="wrap"),
            TewbError,
            "padding_mode cannot be 'wrap'",
        ),
        (lambda: topi.image.grid_sample(A, te.placeholder((1, 3, 3, 3))), ShapeError, "are 3 and 2"),
        (lambda: topi.image.affine_grid(te.placeholder((1, 2, 3)), (1, 3)), ShapeError, "no two corners"),
        (lambda: topi.image.affine_grid(te.placeholder((1, 3, 3)), (3, 3)), ShapeError, "rows of a matrix"),
    ],
)
def test_misuse(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        make()
    assert raised.value.hint
