"""What `tvm.ir_pass` did with statements and expressions."""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tewb import te, tir
from tewb.base import LowerError
from tewb.ir import Range
from tewb.lowering import scheduled_loops

tvm: Any = tewb
passes: Any = tvm.ir_pass


def loops() -> Any:
    A = te.placeholder((10,), name="A")
    B = te.compute((10,), lambda i: A[i] * 2.0, name="B")
    s = te.create_schedule(B.op)
    s[B].unroll(s[B].split("i", 4)[1])
    return scheduled_loops(s, [A, B]).body


def test_expressions_are_simplified_and_compared() -> None:
    x = te.var("x")
    assert str(passes.Simplify(x + 0 - x + x)) == "x" and int(passes.CanonicalSimplify(x - x)) == 0
    assert int(passes.Simplify(x // 8, {x: Range.from_min_extent(0, 8)})) == 0
    assert passes.Equal(x + 1, x + 1) and not passes.Equal(x + 1, x + 2) and passes.ExprUseVar(x + 1, x)
    assert not passes.ExprUseVar(te.var("y") + 1, x)


def test_statements_are_rewritten() -> None:
    body = loops()
    cut = passes.LoopPartition(body, True)
    assert "likely" in str(body) and "likely" not in str(passes.Simplify(cut))
    assert "likely" in str(passes.LoopPartition(body, False))
    assert "T.unroll" not in str(passes.UnrollLoop(cut)) and "T.unroll" in str(passes.VectorizeLoop(body))
    small = tir.For(te.var("i"), 0, 2, 0, tir.Evaluate(te.call_packed("f")))
    assert str(passes.UnrollLoop(small, 2, 8, 0)).count("packed") == 2
    assert passes.VerifySSA(body) and passes.ConvertSSA(body) is body
    seen: list[Any] = []
    passes.PostOrderVisit(passes.RemoveNoOp(body), seen.append)
    assert any(isinstance(n, tir.BufferStore) for n in seen)
    x = te.var("x")
    assert str(passes.Substitute(tir.Evaluate(x), {x: 3})) == "T.evaluate(3)"
    assert passes.IRTransform(body, None, lambda n: None, ["For"]) is body


def test_arguments_of_functions_are_buffers_and_variables() -> None:
    with pytest.raises(LowerError, match="MakeAPI takes buffers and variables, not Tensor"):
        passes.MakeAPI(tir.Evaluate(0), "f", [te.placeholder((2,), name="A")], 0)
