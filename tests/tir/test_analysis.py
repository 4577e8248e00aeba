"""Questions about IR by the classic names."""

from __future__ import annotations

import tewb
from tewb import te, tir
from tewb.tir.analysis import expr_deep_equal, undefined_vars, verify_memory, verify_ssa


def test_questions() -> None:
    x, y = te.var("x"), te.var("y")
    assert expr_deep_equal(x + 1, x + 1) and not expr_deep_equal(x + 1, y + 1)
    assert undefined_vars(x + y, [y]) == [x]
    A = te.placeholder((4,), name="A")
    B = te.compute((4,), lambda i: A[i] + 1.0, name="B")
    module = tewb.lower(te.create_schedule(B.op), [A, B])
    f = module["main"]
    assert verify_ssa(f) and verify_memory(f) and verify_memory(module)
    assert not verify_ssa(f.with_body(tir.SeqStmt([f.body, f.body])))
    assert not verify_memory(tir.PrimFunc("main", f.params[:1], f.body, outputs=()))
