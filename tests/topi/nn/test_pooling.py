"""Pools and their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.topi.compare import Case, check, floats, integers
from tewb import te, topi
from tewb.base import ShapeError, TewbError
from tewb.topi.testing.pools import adaptive_pool, pool_grad_nchw, poolnd_python

x, line, cube = floats(2, 3, 7, 5), floats(2, 3, 8), floats(1, 2, 3, 5, 4)
nhwc, blocked = x.transpose(0, 2, 3, 1).copy(), floats(2, 2, 7, 5, 3)


def pooled(
    data: Any, kernel: Any, stride: Any, dilation: Any, padding: Any, kind: str, **options: Any
) -> Case:
    count = len(kernel)
    operator = {1: topi.nn.pool1d, 2: topi.nn.pool2d, 3: topi.nn.pool3d}[count]

    def reference(v: Any) -> Any:
        return poolnd_python(
            v, kernel, stride, dilation, padding[:count], padding[count:], kind, dtype=v.dtype, **options
        )

    return Case(lambda t: operator(t, kernel, stride, dilation, padding, kind, **options), reference, (data,))


def test_windows_of_any_kind() -> None:
    pad = (1, 0, 1, 1)
    check(
        [pooled(x, (3, 2), (2, 1), (1, 1), (0, 0, 0, 0), kind) for kind in ("max", "avg")]
        + [pooled(x, (3, 2), (2, 2), (1, 1), pad, kind, ceil_mode=True) for kind in ("max", "avg")]
        + [pooled(x, (2, 2), (1, 2), (2, 1), pad, kind, count_include_pad=False) for kind in ("max", "avg")]
        + [pooled(x, (3, 3), (2, 2), (2, 2), (2, 2, 1, 1), "avg", count_include_pad=False, ceil_mode=True)]
        + [pooled(nhwc, (3, 2), (2, 1), (1, 1), pad, "avg", layout="NHWC")]
        + [pooled(blocked, (3, 2), (2, 1), (1, 1), pad, "max", layout="NCHW3c")]
        + [pooled(line, (3,), (2,), (1,), (1, 1), kind) for kind in ("max", "avg")]
        + [
            Case(
                lambda t: topi.nn.pool(t, 2, 1, 0, "max"),
                lambda v: poolnd_python(v, (2, 2), (1, 1), (1, 1), (0, 0), (0, 0), "max"),
                (x,),
            )
        ]
        + [pooled(cube, (2, 3, 2), (1, 2, 1), (1, 1, 1), (0, 1, 0, 1, 1, 0), kind) for kind in ("max", "avg")]
        + [pooled(integers(1, 1, 5, 5, dtype="int8"), (3, 3), (2, 2), (1, 1), (1, 1, 1, 1), "max")]
    )


def test_windows_that_cover_all() -> None:
    def case(data: Any, size: Any, kind: str, layout: str, operator: Any) -> Case:
        return Case(
            lambda t: operator(t, size, kind, layout), lambda v: adaptive_pool(v, size, kind, layout), (data,)
        )

    check(
        [case(x, (3, 2), kind, "NCHW", topi.nn.adaptive_pool) for kind in ("max", "avg")]
        + [
            case(nhwc, (4, 5), "avg", "NHWC", topi.nn.adaptive_pool),
            case(line, 3, "avg", "NCW", topi.nn.adaptive_pool1d),
            case(cube, (2, 3, 3), "max", "NCDHW", topi.nn.adaptive_pool3d),
            Case(lambda t: topi.nn.global_pool(t, "avg"), lambda v: v.mean((2, 3), keepdims=True), (x,)),
            Case(
                lambda t: topi.nn.global_pool(t, "max", "NHWC"),
                lambda v: v.max((1, 2), keepdims=True),
                (nhwc,),
            ),
        ]
    )


@pytest.mark.one_in(2)
@pytest.mark.parametrize("ceil_mode", [False, True])
def test_gradients(ceil_mode: bool) -> None:
    data = integers(2, 3, 7, 5, low=0, high=4).astype("float32")  # with equal elements
    settings = [((3, 2), (2, 2), (1, 0, 1, 1)), ((2, 2), (1, 1), (0, 0, 0, 0))]
    cases = []
    for kernel, stride, padding in settings:
        shape = poolnd_python(
            data, kernel, stride, (1, 1), padding[:2], padding[2:], "max", ceil_mode=ceil_mode
        ).shape
        given = floats(*shape)
        for kind, include in (("max", True), ("avg", True), ("avg", False)):
            options = (kernel, stride, padding, kind, ceil_mode, include)
            cases.append(
                Case(
                    lambda g, t, o=options: topi.nn.pool_grad(g, t, *o),
                    lambda g, t, o=options: pool_grad_nchw(t, g, *o),
                    (given, data),
                )
            )
    check(cases, rtol=1e-4)


@pytest.mark.slow
def test_symbolic_sizes() -> None:
    n, h = te.var("n"), te.var("h")
    A = te.placeholder((n, h, 5), name="A")
    B = topi.nn.pool1d(topi.transpose(A, (0, 2, 1)), 3, 1, 1, (1, 1), "max")
    C = topi.nn.adaptive_pool1d(A, 2, "avg", "NWC")
    kernel = tewb.build(te.create_schedule([B.op, C.op]), [A, B, C])
    v = floats(2, 7, 5)
    top, mean = kernel(v)
    np.testing.assert_allclose(top, poolnd_python(v.transpose(0, 2, 1), (3,), (1,), (1,), (1,), (1,), "max"))
    np.testing.assert_allclose(mean, adaptive_pool(v, 2, "avg", "NWC"), rtol=1e-5)


A = te.placeholder((1, 3, 7, 5), name="A")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: topi.nn.pool2d(A, 3, 1, 1, 0, "mean"), TewbError, "pool_type cannot be 'mean'"),
        (lambda: topi.nn.pool2d(A, 3, 1, 1, 0, "max", layout="NCW"), TewbError, "has no whole dimension H"),
        (
            lambda: topi.nn.pool2d(A, 3, 1, 1, 0, "max", layout="NCHW4h"),
            TewbError,
            "has no whole dimension H",
        ),
        (lambda: topi.nn.pool2d(A, 9, 1, 1, 0, "max"), ShapeError, "a window of 9 does not fit"),
        (lambda: topi.nn.pool2d(A, 3, 0, 1, 0, "max"), ShapeError, "stride 0"),
        (lambda: topi.nn.adaptive_pool(A, 0, "max"), ShapeError, "output_size 0"),
        (lambda: topi.nn.pool_grad(A, A, 2, 2, 0, "max"), ShapeError, "A has 7 windows along H"),
    ],
)
def test_misuse(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        make()
    assert raised.value.hint


def test_arguments_of_programs_without_dilation() -> None:
    check(
        [
            Case(
                lambda t: topi.nn.pool1d(t, [3], [2], [1, 1], "max"),
                lambda v: poolnd_python(v, (3,), (2,), (1,), (1,), (1,), "max"),
                (line,),
            ),
            Case(
                lambda t: topi.nn.pool1d(
                    t, kernel=[3], stride=[2], padding=[1, 1], pool_type="avg", layout="NCW"
                ),
                lambda v: poolnd_python(v, (3,), (2,), (1,), (1,), (1,), "avg"),
                (line,),
            ),
            Case(
                lambda t: topi.nn.pool3d(
                    t, [2, 2, 2], [1, 1, 1], [0, 0, 1, 0, 1, 0], "avg", True, "NCDHW", False
                ),
                lambda v: poolnd_python(
                    v, (2, 2, 2), (1, 1, 1), (1, 1, 1), (0, 0, 1), (0, 1, 0), "avg", False, True
                ),
                (cube,),
            ),
        ]
    )
    with pytest.raises(TewbError, match="pool_type cannot be None"):
        topi.nn.pool1d(te.placeholder((2, 3, 8)), [3], [2])
