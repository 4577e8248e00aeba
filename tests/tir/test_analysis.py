"""Questions about IR by the classic names."""

from __future__ import annotations

import pytest

import tewb
from tests.programs import lower_all, matmul, schedule_for
from tewb import te, tir
from tewb.base import TewbError
from tewb.tir.analysis import (
    calculate_workspace_bytes,
    estimate_tir_flops,
    expr_deep_equal,
    undefined_vars,
    verify_memory,
    verify_ssa,
)


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


def test_operations_are_counted_without_those_of_indices() -> None:
    s = schedule_for(matmul(4, 8, 16)[1])
    module = lower_all(s)
    assert estimate_tir_flops(module) == estimate_tir_flops(module["main"]) == 2 * 4 * 8 * 16
    s["C"].vectorize("j")
    assert estimate_tir_flops(lower_all(s)["main"].body) == 2 * 4 * 8 * 16
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: te.select(A[i] > 0.0, te.exp(A[i] * 2.0 + 1.0), A[i]), name="B")
    assert estimate_tir_flops(lower_all(te.create_schedule(B.op))) == 8 * 3


def test_bytes_of_intermediates_are_those_alive_at_once() -> None:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: A[i] + 1.0, name="B")
    C = te.compute((8,), lambda i: B[i] * 2.0, name="C")
    module = lower_all(te.create_schedule(C.op))
    assert calculate_workspace_bytes(module["main"]) == 32
    assert calculate_workspace_bytes(module, 48) == 48


def test_symbolic_sizes_are_refused() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    C = te.compute((n,), lambda i: B[i] + 1.0, name="C")
    module = tewb.lower(te.create_schedule(C.op), [A, C])
    with pytest.raises(TewbError, match="loop i runs n times, which is not a constant"):
        estimate_tir_flops(module)
    with pytest.raises(TewbError, match="the size of an intermediate of main is not a constant"):
        calculate_workspace_bytes(module["main"])
