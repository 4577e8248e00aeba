"""Convolutions in tiles of registers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.topi.compare import Case, check_schedule, floats, words
from tewb import te, topi
from tewb.topi import testing as reference
from tewb.topi import x86

a, w = floats(1, 4, 7, 21), floats(6, 4, 3, 3)
nhwc, hwio = a.transpose(0, 2, 3, 1).copy(), w.transpose(2, 3, 1, 0).copy()
deep, deep_nhwc = floats(4, 1, 3, 3), floats(3, 3, 4, 2)


def blocked(t: Any, k: Any) -> Any:
    return topi.nn.conv2d_NCHWc(t, k, 1, 1, 1, "NCHW4c", "NCHW4c")


def blocked_by_numpy(t: Any, k: Any) -> Any:
    flat = t.transpose(0, 1, 4, 2, 3).reshape(1, -1, *t.shape[2:4])
    weights = k.transpose(0, 5, 1, 4, 2, 3).reshape(k.shape[0] * 4, -1, *k.shape[2:4])
    made = reference.conv2d_nchw_python(flat, weights, 1, 1)
    return made.reshape(1, -1, 4, *made.shape[2:]).transpose(0, 1, 3, 4, 2)


CASES: dict[str, tuple[Any, Case]] = {
    "nchw": (
        x86.schedule_conv2d_nchw,
        Case(
            lambda t, k: topi.nn.relu(topi.nn.conv2d_nchw(t, k, 1, 1, 1)),
            lambda t, k: reference.conv2d_nchw_python(t, k, 1, 1).clip(0),
            (a, w),
        ),
    ),
    "strided": (
        x86.schedule_conv2d_nchw,
        Case(
            lambda t, k: topi.nn.conv2d_nchw(topi.exp(t), k, 2, 0, 1),
            lambda t, k: reference.conv2d_nchw_python(np.exp(t), k, 2, 0),
            (a, w),
        ),
    ),
    "nhwc": (
        x86.schedule_conv2d_nhwc,
        Case(
            lambda t, k: topi.nn.conv2d_nhwc(t, k, 1, 1, 1),
            lambda t, k: reference.conv2d_nhwc_python(t, k, 1, 1),
            (nhwc, hwio),
        ),
    ),
    "short rows": (
        x86.schedule_conv2d_nhwc,
        Case(
            lambda t, k: topi.nn.relu(topi.nn.conv2d_nhwc(t, k, 1, 1, 1)),
            lambda t, k: reference.conv2d_nhwc_python(t, k, 1, 1).clip(0),
            (floats(2, 5, 3, 4), floats(3, 3, 4, 37)),
        ),
    ),
    "many weights": (
        x86.schedule_conv2d_nhwc,
        Case(
            lambda t, k: topi.nn.conv2d_nhwc(t, k, 1, 1, 1),
            lambda t, k: reference.conv2d_nhwc_python(t, k, 1, 1),
            (floats(1, 3, 4, 200), floats(3, 3, 200, 80)),
        ),
    ),
    "one pixel of many channels": (
        x86.schedule_conv2d_nchw,
        Case(
            lambda t, k: topi.nn.conv2d_nchw(topi.exp(t), k, 1, 0, 1),
            lambda t, k: reference.conv2d_nchw_python(np.exp(t), k, 1, 0),
            (floats(1, 130, 3, 21), floats(5, 130, 1, 1)),
        ),
    ),
    "NCHWc": (x86.schedule_conv2d_NCHWc, Case(blocked, blocked_by_numpy, (floats(1, 2, 5, 7, 4), floats(3, 2, 3, 3, 4, 4)))),
    "depthwise": (
        x86.schedule_depthwise_conv2d_nchw,
        Case(
            lambda t, k: topi.nn.depthwise_conv2d_nchw(t, k, 1, 1, 1),
            lambda t, k: reference.depthwise_conv2d_python_nchw(t, k, 1, 1),
            (a, deep),
        ),
    ),
    "depthwise nhwc": (
        x86.schedule_depthwise_conv2d_nhwc,
        Case(
            lambda t, k: topi.nn.depthwise_conv2d_nhwc(t, k, 1, 1, 1),
            lambda t, k: reference.depthwise_conv2d_python_nhwc(t, k, 1, 1),
            (nhwc, deep_nhwc),
        ),
    ),
    "groups": (
        x86.schedule_group_conv2d_nchw,
        Case(
            lambda t, k: topi.nn.group_conv2d_nchw(t, k, 1, 1, 1, 2),
            lambda t, k: reference.conv2d_nchw_python(t, k, 1, 1, 2),
            (a, w[:, :2].copy()),
        ),
    ),
    "transposed": (
        x86.schedule_conv2d_transpose_nchw,
        Case(
            lambda t, k: topi.nn.conv2d_transpose_nchw(t, k, 2, 1, None, 0),
            lambda t, k: reference.conv2d_transpose_nchw_python(t, k, 2, 1, 0),
            (floats(1, 4, 3, 5), floats(4, 2, 3, 3)),
        ),
    ),
    "line": (
        x86.schedule_conv1d_ncw,
        Case(
            lambda t, k: topi.nn.conv1d_ncw(t, k, 1, 1),
            lambda t, k: reference.conv1d_ncw_python(t, k, 1, 1, 1),
            (floats(2, 3, 37), floats(5, 3, 3)),
        ),
    ),
    "space": (
        x86.schedule_conv3d_ndhwc,
        Case(
            lambda t, k: topi.nn.conv3d_ndhwc(t, k, 1, 1, 1),
            lambda t, k: reference.conv3d_ndhwc_python(t, k, 1, 1),
            (floats(1, 3, 4, 5, 2), floats(3, 3, 3, 2, 3)),
        ),
    ),
    "flattened": (
        x86.schedule_conv2d_nchw,
        Case(
            lambda t, k: topi.nn.flatten(topi.nn.conv2d_nchw(t, k, 1, 0, 1)),
            lambda t, k: reference.conv2d_nchw_python(t, k, 1, 0).reshape(1, -1),
            (a, w),
        ),
    ),
}  # fmt: skip


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", CASES)
def test_results_stay(name: str) -> None:
    check_schedule(*CASES[name], atol=1e-4)


def test_tiles_are_vectors_and_threads() -> None:
    A, W = te.placeholder((1, 64, 56, 56), name="A"), te.placeholder((64, 64, 3, 3), name="W")
    used = words(x86.schedule_conv2d_nchw(topi.nn.conv2d_nchw(A, W, 1, 1, 1)))
    assert {"cache_write", "vectorize", "unroll", "parallel", "compute_at"} <= used


def test_what_lies_apart_is_copied_together() -> None:
    def made(operator: Any, layout: tuple[Any, ...], kernel: tuple[Any, ...]) -> set[str]:
        t, k = te.placeholder(layout, name="A"), te.placeholder(kernel, name="W")
        return words(x86.schedule_conv2d_nhwc(operator(t, k, 1, 0, 1)))

    nhwc_, nchw_ = topi.nn.conv2d_nhwc, topi.nn.conv2d_nchw
    assert "cache_read" in made(nhwc_, (1, 9, 9, 256), (3, 3, 256, 256))
    assert "cache_read" not in made(nhwc_, (1, 9, 9, 16), (3, 3, 16, 64))
    assert "cache_read" in made(nchw_, (1, 256, 9, 9), (64, 256, 1, 1))
    assert "cache_read" not in made(nchw_, (1, 64, 9, 9), (64, 64, 1, 1))
