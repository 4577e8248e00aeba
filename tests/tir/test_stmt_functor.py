"""Walking and rewriting by the classic names."""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tewb import te, tir
from tewb.base import TewbError
from tewb.tir.stmt_functor import ir_transform, post_order_visit, pre_order_visit, substitute


def lowered() -> Any:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: A[i] * 2.0, name="B")
    s = te.create_schedule(B.op)
    s[B].split("i", 4)
    return tewb.lower(s, [A, B])["main"]


def test_post_order_goes_from_below() -> None:
    f, seen = lowered(), []
    post_order_visit(f.body, seen.append)
    assert seen[-1] is f.body and isinstance(seen[0], (tir.Var, tir.IntImm))
    assert sum(isinstance(n, tir.For) for n in seen) == 2
    again: list[Any] = []
    post_order_visit(f, again.append)
    assert again == seen or len(again) == len(seen)


def test_pre_order_leaves_out_what_is_below_a_false() -> None:
    f, seen = lowered(), []

    def visit(n: Any) -> bool:
        seen.append(n)
        return not (isinstance(n, tir.For) and n.loop_var.name == "i.inner")

    pre_order_visit(f.body, visit)
    assert seen[0] is f.body and not any(isinstance(n, tir.BufferStore) for n in seen)


def test_variables_are_replaced_by_numbers() -> None:
    x = te.var("x")
    assert str(substitute(x * 2 + 1, {x: 3})) == "3 * 2 + 1"
    f = lowered()
    assert str(substitute(f, {}).body) == str(f.body)


def test_loops_are_rewritten_before_and_after_what_is_below() -> None:
    f = lowered()

    def unrolled(n: Any) -> Any:
        if n.loop_var.name == "i.inner":
            return tir.For(n.loop_var, n.min, n.extent, tir.ForKind.UNROLLED, n.body)
        return None

    for before, after in ((None, unrolled), (unrolled, None)):
        text = str(ir_transform(f, before, after, ["tir.For"]).body)
        assert "for i.outer in range(2)" in text and "for i.inner in T.unroll(4)" in text
    assert ir_transform(f.body, None, unrolled, ["tir.While"]) is f.body


def test_what_is_no_node_is_refused() -> None:
    with pytest.raises(TewbError, match="ir_transform: 3 is neither a statement nor an expression"):
        ir_transform(lowered().body, None, lambda n: 3, ["tir.For"])


def test_modules_of_one_function_are_walked_as_their_body() -> None:
    f = lowered()
    module, of_module, of_body = tewb.IRModule({"main": f}), [], []  # type: ignore[var-annotated]
    post_order_visit(module, of_module.append)
    post_order_visit(f.body, of_body.append)
    assert of_module and len(of_module) == len(of_body)
    assert all(a is b for a, b in zip(of_module, of_body, strict=True))
