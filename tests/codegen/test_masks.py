"""Vectors of which some lanes are wanted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te


def squares(with_mean: bool) -> tuple[Any, list[Any]]:
    """Sums of squared distances, from one element of each row or from what is computed for the row."""
    n = te.var("n")
    A, M = te.placeholder((3, n), name="A"), te.placeholder((3,), name="M")
    mean = te.compute((3,), lambda i: M[i] + 1.0, name="mean") if with_mean else M
    k = te.reduce_axis((0, n), name="k")
    C = te.compute((3,), lambda i: te.sum((A[i, k] - mean[i]) * (A[i, k] - mean[i]), axis=k), name="C")
    s = te.create_schedule(C.op)
    s[C].vectorize(s[C].split(k, factor=8)[1])
    if with_mean:
        s[mean].compute_at(s[C], "i")
    return s, [A, M, C]


@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("debug", [True, False])
def test_an_element_for_all_lanes_goes_with_a_mask(with_mean: bool, debug: bool) -> None:
    s, args = squares(with_mean)
    kernel = tewb.build(s, args, debug=debug)
    for n in (0, 1, 7, 8, 21):
        a, m = np.random.rand(3, n).astype("float32"), np.random.rand(3).astype("float32")
        c = np.full(3, 9, "float32")
        kernel(a, m, c)
        np.testing.assert_allclose(c, ((a - m[:, None] - with_mean) ** 2).sum(axis=1), rtol=1e-5)
    if not debug:  # lane by lane, a layernorm of rows of 777 ran at 0.69 of its speed
        assert "extractelement <8 x i1>" not in kernel.get_source("ll0")


def test_an_element_that_may_miss_is_read_when_a_lane_wants_it() -> None:
    """The element of an argument may lie outside of it where no lane is taken; one on the stack is there."""
    for with_mean, branches in ((False, True), (True, False)):
        text = tewb.build(*squares(with_mean)).get_source("ll0")
        assert ("llvm.vector.reduce.or.v8i1" in text) is branches


def test_a_choice_between_two_elements() -> None:
    A, B = te.placeholder((2,), name="A"), te.placeholder((21,), name="B")
    C = te.compute((21,), lambda i: te.if_then_else(B[i] > 0.5, A[0] * B[i], A[1]), name="C")
    s = te.create_schedule(C.op)
    s[C].vectorize(s[C].split("i", factor=8)[1])
    kernel = tewb.build(s, [A, B, C])
    a, b = np.float32([3, 5]), np.random.rand(21).astype("float32")
    for some in (b, b * 0, b * 0 + 1):
        c = np.zeros(21, "float32")
        kernel(a, some, c)
        np.testing.assert_array_equal(c, np.where(some > 0.5, a[0] * some, a[1]))
