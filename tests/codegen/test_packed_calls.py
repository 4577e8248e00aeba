"""Calls of packed functions: what arrives in Python is what the extern was given."""

from __future__ import annotations

from typing import Any

import numpy as np

import tewb
from tewb import te, tir


def test_scalars_arrive_with_their_values() -> None:
    seen: list[Any] = []

    @tewb.register_func("tests.packed.scalars", override=True)
    def scalars(*values: Any) -> int:
        seen.append(values[:-1])
        values[-1][...] = 1
        return 0

    n = te.var("n", "int64")

    def body(ins: Any, outs: Any) -> Any:
        return tir.call_packed(
            "tests.packed.scalars", n, te.const(2.5, "float32"), te.const(True, "bool"), outs[0]
        )

    C = te.extern((3,), [], body, name="C", dtype="float32")
    kernel = tewb.build(te.create_schedule(C.op), [n, C])
    out = np.zeros(3, "float32")
    kernel(-5, out)
    assert (out == 1).all() and seen == [(-5, 2.5, True)]


def test_arrays_are_views_with_strides() -> None:
    shapes: list[Any] = []

    @tewb.register_func("tests.packed.views", override=True)
    def views(a: Any, c: Any) -> int:
        shapes.append((a.shape, a.strides))
        c[...] = a * 2
        return 0

    s0, s1 = te.var("s0"), te.var("s1")
    A = te.placeholder((4, 6), name="A")
    C = te.extern(A.shape, [A], lambda i, o: tir.call_packed("tests.packed.views", i[0], o[0]), name="C")
    strided = te.decl_buffer(A.shape, A.dtype, "A", strides=[s0, s1])
    kernel = tewb.build(te.create_schedule(C.op), [A, C], binds={A: strided})
    a = np.arange(24, dtype="float32").reshape(6, 4).T
    np.testing.assert_array_equal(kernel(a), a * 2)
    assert shapes == [((4, 6), a.strides)]
