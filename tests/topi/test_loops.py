"""Nested loops of the builder, and checks in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te, tir
from tewb.base import BoundError
from tewb.topi.loops import check_inside, nested_loops


def test_a_loop_for_each_size_and_an_error_where_a_check_fails() -> None:
    A = te.placeholder((2, 3), "int32", name="A")

    def body(ins: Any, outs: Any) -> Any:
        ib = tir.ir_builder.create()
        a, b = ib.buffer_ptr(ins[0]), ib.buffer_ptr(outs[0])
        with nested_loops(ib, A.shape) as i:
            check_inside(ib, a[i] >= 0, "an element is below 0")
            b[i] = a[i] + 1
        return ib.get()

    B = te.extern(A.shape, [A], body, name="B")
    with tewb.PassContext(opt_level=0):
        kernel = tewb.build(te.create_schedule(B.op), [A, B])
    x = np.arange(6, dtype="int32").reshape(2, 3)
    np.testing.assert_array_equal(kernel(x), x + 1)
    with pytest.raises(BoundError, match="an element is below 0"):
        kernel(x - 1)
