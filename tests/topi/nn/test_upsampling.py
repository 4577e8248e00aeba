"""Images that are larger by factors."""

from __future__ import annotations

from tests.topi.compare import Case, check, floats
from tewb import te, topi
from tewb.topi import testing as reference
from tewb.topi.utils import get_const_tuple

x, cube = floats(1, 2, 3, 4), floats(1, 2, 2, 3, 2)


def test_factors() -> None:
    check(
        [
            Case(
                lambda t: topi.nn.upsampling(t, 2, 3), lambda v: reference.upsampling_python(v, (2, 3)), (x,)
            ),
            Case(
                lambda t: topi.nn.upsampling(t, 1.5, 2, method="bilinear", align_corners=True),
                lambda v: reference.bilinear_resize_python(v, (4, 8), "NCHW"),
                (x,),
            ),
            Case(
                lambda t: topi.nn.upsampling(t, 2, 2, "NHWC", "bicubic"),
                lambda v: reference.resize2d_python(v, 2, "NHWC", "cubic", "asymmetric"),
                (x,),
            ),
            Case(
                lambda t: topi.nn.upsampling3d(t, 2, 2, 2, method="trilinear"),
                lambda v: reference.resize3d_python(v, 2, "NCDHW", "linear", "half_pixel"),
                (cube,),
            ),
        ],
        rtol=1e-4,
        atol=1e-5,
    )


def test_a_symbolic_image() -> None:
    n = te.var("n")
    made = topi.nn.upsampling(te.placeholder((1, 2, n, 4)), 2, 2)
    assert get_const_tuple(made.shape)[3] == 8 and made.shape[2].dtype == "int32"


def test_one_factor_as_in_old_programs() -> None:
    check(
        [
            Case(lambda t: topi.nn.upsampling(t, 2), lambda v: reference.upsampling_python(v, 2), (x,)),
            Case(
                lambda t: topi.nn.upsampling(t, 2, "NCHW", "BILINEAR"),
                lambda v: reference.resize2d_python(v, 2, "NCHW", "linear", "asymmetric"),
                (x,),
            ),
            Case(
                lambda t: topi.nn.upsampling(t, 2, layout="NHWC", method="NEAREST_NEIGHBOR"),
                lambda v: reference.upsampling_python(v, 2, "NHWC"),
                (x,),
            ),
        ]
    )
