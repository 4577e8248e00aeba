"""Offsets of arguments: numpy's pointer is the address of the first element."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.ir import parse
from tewb.lowering import BUILD
from tewb.lowering.place_arguments import place_arguments

TEXT = """
@T.prim_func
def main(A: T.Buffer((4, 8), "float32", strides=(8, 1), elem_offset={offset}), B: T.Buffer((4, 8), "float32")):
    T.func_attr({{"outputs": ['B']}})
    {declared}
    A_1 = T.Buffer((8,), "float32", data=A.data, elem_offset={offset} + 16)
    for i in range(4):
        for j in range(8):
            B[i, j] = A[i, j] + A_1[j]
"""


def function(offset: str, declared: str = "pass") -> Any:
    text = TEXT.format(offset=offset, declared=declared)
    return parse("\n".join(line for line in text.splitlines() if line.strip() != "pass"))


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(("offset", "declared"), [("24", "pass"), ("start", "start = T.int32()")])
def test_views_begin_where_the_caller_s_array_does(offset: str, declared: str, debug: bool) -> None:
    f = function(offset, declared)
    placed = place_arguments(f)
    assert "start" not in placed.script() and "elem_offset=16" in placed.script()
    a, b = np.arange(32, dtype="float32").reshape(4, 8), np.zeros((4, 8), "float32")
    tewb.build(tewb.ir.IRModule({"main": f}), debug=debug)(a, b)
    np.testing.assert_array_equal(b, a + a[2])


def test_arguments_without_offsets_stay_as_they_are() -> None:
    A = te.placeholder((4,), name="A")
    B = te.compute((4,), lambda i: A[i] + 1.0, name="B")
    f = tewb.lower(te.create_schedule(B.op), [A, B])["main"]
    assert place_arguments(f) is f
    assert BUILD[0].run is place_arguments
