"""Elements of a small stride are picked from vectors of neighbours, and nothing around them is read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import DType
from tewb.codegen.strided_loads import picked_elements
from tewb.ir import Ramp, const, ops


def program(stride: int, offset: int, lanes: int, dtype: str) -> tuple[Any, list[Any], int]:
    """B[i] = A[i * stride + offset], or from the end, where A has no element more than that takes."""
    n = 2 * lanes
    size = (n - 1) * abs(stride) + 1 + offset
    A = te.placeholder((size,), dtype=dtype, name="A")
    B = te.compute((n,), lambda i: A[i * stride + (offset if stride > 0 else n - 1)], name="B")
    s = te.create_schedule(B.op)
    s[B].vectorize(s[B].split("i", factor=lanes)[1])
    return s, [A, B], size


@pytest.mark.one_in(3)
@pytest.mark.parametrize("stride, offset", [(2, 0), (2, 3), (3, 1), (4, 0), (-1, 0), (5, 0), (-2, 0)])
@pytest.mark.parametrize(
    "lanes, dtype",
    [
        (16, "float32"),
        (4, "float64"),
        (8, "float32"),
        (32, "uint8"),
        (16, "int16"),
        (48, "float32"),
        (16, "int64"),
    ],
)
def test_elements_are_those_of_numpy(stride: int, offset: int, lanes: int, dtype: str) -> None:
    if stride == -2:
        n = 2 * lanes
        A = te.placeholder((2 * n - 1,), dtype=dtype, name="A")
        B = te.compute((n,), lambda i: A[2 * (n - 1) - 2 * i], name="B")
        s = te.create_schedule(B.op)
        s[B].vectorize(s[B].split("i", factor=lanes)[1])
        args, size = [A, B], 2 * n - 1
    else:
        s, args, size = program(stride, offset, lanes, dtype)
    a = np.random.default_rng(0).integers(0, 100, size).astype(dtype)
    b = tewb.build(s, args)(a)
    want = a[::-1][: 2 * lanes] if stride == -1 else a[::-2] if stride == -2 else a[offset::stride]
    np.testing.assert_array_equal(b, want)


@pytest.mark.parametrize("lanes", [16, 32, 48])
def test_elements_are_not_loaded_one_by_one(lanes: int) -> None:
    s, args, _ = program(2, 0, lanes, "float32")
    text = tewb.build(s, args).get_source("ll")
    assert "shufflevector <16 x float>" in text and "insertelement" not in text


@pytest.mark.parametrize("stride", [-1, 2, 3, 4])
@pytest.mark.parametrize("lanes", [4, 16, 48])
def test_nothing_around_the_elements_is_touched(stride: int, lanes: int) -> None:
    class Names:
        def ins(self, text: str) -> str:
            return "%x"

    starts, counts = list[int](), list[int]()

    def neighbours(at: int, count: int) -> str:
        starts.append(at)
        counts.append(count)
        return "%x"

    ramp = ops.ramp(const(0, "int32"), const(stride, "int32"), lanes)
    assert isinstance(ramp, Ramp)
    picked_elements(Names(), ramp, DType("float32"), neighbours)  # type: ignore[arg-type]
    ends = sorted([0, (lanes - 1) * stride])
    assert min(starts) == ends[0] and max(starts) + counts[0] - 1 == ends[1]
