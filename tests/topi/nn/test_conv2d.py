"""Convolutions of two spatial dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.topi.compare import Case, check, floats, integers
from tewb import te, topi
from tewb.base import ShapeError, TewbError
from tewb.topi.testing.convolutions import (
    conv2d_hwcn_python,
    conv2d_nchw_python,
    conv2d_nhwc_python,
    dilate_python,
)

a, w, grouped = floats(2, 4, 7, 5), floats(6, 4, 3, 2), floats(6, 2, 3, 2)
nhwc, hwio = a.transpose(0, 2, 3, 1).copy(), w.transpose(2, 3, 1, 0).copy()
SETTINGS: list[tuple[Any, Any]] = [(1, 0), (2, 1), ((2, 1), "SAME"), (1, (0, 1, 2, 0))]


def blocked(v: Any, n: int) -> Any:
    return v.reshape(len(v), -1, n, *v.shape[2:]).transpose(0, 1, 3, 4, 2).copy()


def test_layouts_strides_and_groups() -> None:
    i8, w8 = integers(1, 3, 5, 5, dtype="int8"), integers(2, 3, 3, 3, dtype="int8")
    check(
        [
            Case(
                lambda t, k, s=s: topi.nn.conv2d_nchw(t, k, *s, 1),
                lambda t, k, s=s: conv2d_nchw_python(t, k, *s),
                (a, w),
            )
            for s in SETTINGS
        ]
        + [
            Case(
                lambda t, k: topi.nn.conv2d_nchw(t, k, 1, 1, (1, 2)),
                lambda t, k: conv2d_nchw_python(t, dilate_python(k, (1, 1, 1, 2)), 1, 1),
                (a, w),
            ),
            Case(
                lambda t, k: topi.nn.conv2d_nchw(t, k, 1, 0, 1, "int32"),
                lambda t, k: conv2d_nchw_python(t.astype("int32"), k.astype("int32"), 1, 0),
                (i8, w8),
            ),
            Case(
                lambda t, k: topi.nn.conv2d_nhwc(t, k, 2, 1, 1),
                lambda t, k: conv2d_nhwc_python(t, k, 2, 1),
                (nhwc, hwio),
            ),
            Case(
                lambda t, k: topi.nn.conv2d_hwcn(t, k, 1, 1, 1),
                lambda t, k: conv2d_hwcn_python(t, k, 1, 1),
                (a.transpose(2, 3, 1, 0).copy(), hwio),
            ),
            Case(
                lambda t, k: topi.nn.group_conv2d_nchw(t, k, 1, 1, 1, 2),
                lambda t, k: conv2d_nchw_python(t, k, 1, 1, 2),
                (a, grouped),
            ),
            Case(
                lambda t, k: topi.nn.group_conv2d_nhwc(t, k, 1, 1, 1, 2),
                lambda t, k: conv2d_nhwc_python(t, k, 1, 1, 2),
                (nhwc, grouped.transpose(2, 3, 1, 0).copy()),
            ),
            Case(
                lambda t, k: topi.nn.conv2d(t, k, 1, 0, 1, "NHWC"),
                lambda t, k: conv2d_nhwc_python(t, k, 1, 0),
                (nhwc, hwio),
            ),
            Case(
                lambda t, k: topi.nn.conv2d(t, k, 1, 0, 1, "NHWC", "OIHW"),
                lambda t, k: conv2d_nhwc_python(t, hwio, 1, 0),
                (nhwc, w),
            ),
            Case(
                lambda t, k: topi.nn.conv2d_NCHWc(t, k, 2, 1, 1, "NCHW2c", "NCHW3c"),
                lambda t, k: blocked(conv2d_nchw_python(a, w, 2, 1), 3),
                (blocked(a, 2), w.reshape(2, 3, 2, 2, 3, 2).transpose(0, 2, 4, 5, 3, 1).copy()),
            ),
        ],
        rtol=1e-4,
        atol=1e-5,
    )


def test_a_symbolic_batch_and_image() -> None:
    n, h = te.var("n"), te.var("h")
    A, W = te.placeholder((n, 4, h, 5), name="A"), te.placeholder((6, 4, 3, 2), name="W")
    B = topi.nn.conv2d_nchw(A, W, 1, 1, 1)
    kernel = tewb.build(te.create_schedule(B.op), [A, W, B])
    np.testing.assert_allclose(kernel(a, w), conv2d_nchw_python(a, w, 1, 1), rtol=1e-4, atol=1e-5)


def test_arguments_in_the_order_of_old_programs() -> None:
    A, W = te.placeholder((1, 5, 5, 3), "int8"), te.placeholder((3, 3, 3, 2), "int8")
    for made in (
        topi.nn.conv2d(A, W, 1, 0, 1, "NHWC", "int32"),
        topi.nn.conv2d(A, W, 1, 0, 1, layout="NHWC", out_dtype="int32"),
    ):
        assert (made.dtype, made.op.tag) == ("int32", "conv2d_nhwc")


def test_names_and_tags() -> None:
    A, W = te.placeholder((1, 3, 5, 5), name="A"), te.placeholder((2, 3, 3, 3), name="W")
    B = topi.nn.conv2d_nchw(A, W, 1, 1, 1)
    padded = next(t for t in B.op.input_tensors if t is not W)
    assert (B.op.tag, padded.op.name, padded.op.tag) == ("conv2d_nchw", "pad_temp", "injective,pad")
    assert [k.var.name for k in B.op.reduce_axis] == ["rc", "ry", "rx"]
    assert [i.var.name for i in B.op.axis] == ["nn", "ff", "yy", "xx"]


A, W = te.placeholder((1, 4, 5, 5), name="A"), te.placeholder((6, 4, 3, 3), name="W")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: topi.nn.conv2d_nchw(A, te.placeholder((6, 3, 3, 3)), 1, 0, 1), ShapeError, "are 3 and 4"),
        (
            lambda: topi.nn.conv2d_nchw(A, te.placeholder((4, 3, 3)), 1, 0, 1),
            ShapeError,
            "has 3 dimensions, not 4",
        ),
        (lambda: topi.nn.conv2d_nchw(A, W, 0, 0, 1), ShapeError, "stride 0 is not above 0"),
        (lambda: topi.nn.conv2d_nchw(A, W, 1, 0, 3), ShapeError, "a window of 7 does not fit 5 elements"),
        (lambda: topi.nn.conv2d_nchw(A, W, 1, "FULL", 1), TewbError, "padding cannot be 'FULL'"),
        (
            lambda: topi.nn.group_conv2d_nchw(A, W, 1, 0, 1, 3),
            ShapeError,
            "4 input channels do not make 3 groups",
        ),
        (lambda: topi.nn.conv2d(A, W, 1, 0, 1, "CHWN"), TewbError, "data_layout cannot be 'CHWN'"),
        (
            lambda: topi.nn.conv2d_NCHWc(
                te.placeholder((1, 1, 5, 5, 4)), te.placeholder((1, 1, 3, 3, 4, 4)), 1, 0, 1, "NCHW", "NCHW4c"
            ),
            ShapeError,
            "the layout NCHW is not NCHW with blocks of c",
        ),
    ],
)
def test_misuse(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        make()
    assert raised.value.hint and "test_conv2d" in str(raised.value)
