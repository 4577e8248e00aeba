"""Statements and expressions as `tvm.make` made them."""

from __future__ import annotations

from typing import Any

import numpy as np

import tewb
from tewb import te, tir

tvm: Any = tewb


def test_a_function_made_by_hand_builds() -> None:
    make = tvm.make
    b, i = tvm.decl_buffer((4,), "float32", name="b"), tvm.var("i")
    store = tir.BufferStore(
        b, make.Add(make.Cast("float32", i), make.Call("float32", "exp", [tvm.const(0.0)])), [i]
    )
    body = make.For(i, 0, 4, 0, 0, make.Block(store, make.Evaluate(1)))
    f = tvm.build(tvm.ir_pass.MakeAPI(body, "f", [b], 0, True), target="llvm")
    x = np.zeros(4, "float32")
    f(x)
    np.testing.assert_array_equal(x, [1, 2, 3, 4])
    assert f.name == "f"


def test_nodes_and_ranges() -> None:
    make, x = tvm.make, te.var("x")
    assert str(make.node("Add", a=x, b=1)) == "x + 1" and int(make.node("Range", min=0, extent=4).extent) == 4
    assert isinstance(make.Select(x > 0, x, 1), tir.Select) and int(make.range_by_min_extent(2, 3).min) == 2
    assert isinstance(
        make.Allocate(te.var("p", "handle"), "float32", [4], True, make.Evaluate(0)), tir.Allocate
    )
