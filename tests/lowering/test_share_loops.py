"""Two loop nests as one: loops are shared, guards move inwards, memory and checks stand around."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tewb.arith import Analyzer
from tewb.base import INT32
from tewb.ir import (
    Allocate,
    Buffer,
    BufferStore,
    Expr,
    For,
    ForKind,
    IfThenElse,
    Stmt,
    Var,
    const,
    load,
    ops,
    script,
    seq,
    walk,
)
from tewb.lowering.share_loops import CannotShare, share_loops
from tewb.workbench.trace.interpreter import IRInterpreter

V, J, W, L, N = (Var(name, INT32) for name in "ijkln")
A, B = (Buffer(name, INT32, (const(8), const(8))) for name in "AB")


def loop(v: Var, n: Any, body: Stmt) -> For:
    return For(v, const(0), n if isinstance(n, Expr) else const(n), ForKind.SERIAL, body)


def store(b: Buffer, *at: Expr) -> BufferStore:
    return BufferStore(b, ops.add(load(b, at), ops.add(ops.mul(at[0], 10), at[1])), at)


def run(s: Stmt) -> tuple[Any, Any]:
    memory = {b.data: np.zeros(64, "int32") for b in (A, B)}
    IRInterpreter(memory, {N: 5}, lambda *_: None).run(s)
    return memory[A.data], memory[B.data]


def same(a: Stmt, b: Stmt, pairs: list[tuple[Var, Var]]) -> Stmt:
    shared = share_loops(a, b, pairs, Analyzer())
    for got, want in zip(run(shared), run(seq(a, b)), strict=True):
        np.testing.assert_array_equal(got, want)
    assert sum(isinstance(n, For) for n in walk(shared)) == sum(
        isinstance(n, For) for s in (a, b) for n in walk(s)
    ) - len(pairs)
    return shared


@pytest.mark.parametrize("sizes", [(4, 4), (4, 7), (7, 4), (N, 7), (4, N)])
def test_loops_run_as_often_as_the_longer_one(sizes: Any) -> None:
    a = loop(V, sizes[0], loop(J, 3, store(A, V, J)))
    b = loop(W, sizes[1], loop(L, 5, store(B, W, L)))
    same(a, b, [(V, W)])
    shared = same(a, b, [(V, W), (J, L)])
    if all(type(x) is int for x in sizes) and sizes == (4, 4):
        assert "i < 4" not in script(shared) and "j < 3" in script(shared)


def test_what_stands_beside_a_loop_comes_in_turn() -> None:
    a = loop(V, 4, seq(store(A, V, const(0)), loop(J, 3, store(A, V, J)), store(A, V, const(7))))
    b = loop(W, 6, seq(store(B, W, const(1)), loop(L, 2, store(B, W, L))))
    same(a, b, [(V, W), (J, L)])


def test_guards_move_inwards_or_stand_around_both() -> None:
    def guarded(v: Var, w: Var, x: Buffer, most: int) -> Stmt:
        return loop(v, 6, IfThenElse(ops.less(v, most), loop(w, 3, store(x, v, w))))

    other = same(guarded(V, J, A, 4), guarded(W, L, B, 2), [(V, W), (J, L)])
    assert sum(isinstance(n, IfThenElse) for n in walk(other)) == 2
    common = same(guarded(V, J, A, 4), guarded(W, L, B, 4), [(V, W), (J, L)])
    assert sum(isinstance(n, IfThenElse) for n in walk(common)) == 1


def test_memory_that_both_use_is_around_both() -> None:
    x = Buffer("x", INT32, (const(1),))
    made = BufferStore(x, ops.mul(V, 3), (const(0),))
    a = loop(V, 4, Allocate(x, seq(made, BufferStore(A, load(x, (const(0),)), (V, const(0))))))
    b = loop(W, 4, BufferStore(B, load(x, (const(0),)), (W, const(0))))
    shared = share_loops(a, b, [(V, W)], Analyzer())
    got_a, got_b = run(shared)
    np.testing.assert_array_equal(got_a, got_b)
    with pytest.raises(CannotShare, match="x is made in the shared loops under other conditions"):
        share_loops(a, loop(W, 5, b.body), [(V, W)], Analyzer())


def test_what_cannot_move_is_refused() -> None:
    a = loop(V, 4, store(A, V, const(0)))
    two = seq(loop(W, 4, store(B, W, const(0))), loop(W, 4, store(B, W, const(1))))
    with pytest.raises(CannotShare, match="no one loop k"):
        share_loops(a, two, [(V, W)], Analyzer())
    with pytest.raises(CannotShare, match="no one loop l"):
        share_loops(a, loop(W, 4, store(B, W, const(0))), [(V, L)], Analyzer())
    read = loop(W, load(B, (const(0), const(0))), store(B, W, const(0)))
    with pytest.raises(CannotShare, match="read from memory"):
        share_loops(a, read, [(V, W)], Analyzer())
    late = For(W, const(1), const(3), ForKind.SERIAL, store(B, W, const(0)))
    with pytest.raises(CannotShare, match="does not begin at 0"):
        share_loops(a, late, [(V, W)], Analyzer())
