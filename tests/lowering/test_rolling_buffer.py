"""Windows that slide along a loop: which elements are new, and where they are in memory."""

from __future__ import annotations

from typing import Any

import pytest

from tewb import te
from tewb.arith import Analyzer, evaluate_integers
from tewb.base import LowerError
from tewb.ir import Expr, Var, const, ops
from tewb.lowering.rolling_buffer import Window, check_guards, window
from tewb.schedule import Stage


def stage() -> Stage:
    A = te.placeholder((40, 9), name="A")
    B = te.compute((40, 9), lambda i, j: A[i, j] * 2.0, name="B")
    C = te.compute((9,), lambda i: B[i, 0], name="C")
    return te.create_schedule(C.op)[B]


V = Var("v", te.var("n").dtype)


def of(*begins: Expr, sizes: tuple[int, ...] = (3, 4)) -> Window:
    return window(stage(), V, begins, [const(n) for n in sizes], Analyzer())


def test_what_the_iteration_before_has_is_not_new() -> None:
    w = of(V * 2 + 1, const(0))
    assert w.moving == (0,) and w.sizes == (3, 4)
    seen: set[tuple[int, int]] = set()
    for v in range(6):
        box = [(i, j) for i in range(2 * v + 1, 2 * v + 4) for j in range(4)]
        new = {p for p in box if evaluate_integers(w.is_new([const(p[0]), const(p[1])]), {V: v})}
        assert new == set(box) - seen
        seen |= new


def test_all_elements_of_a_window_have_places_of_their_own() -> None:
    w = of(V * 2 + 1, V)
    for v in range(9):
        places = set()
        for p in [(i, j) for i in range(3) for j in range(4)]:
            at = w.around([const(p[0]), const(p[1])])
            places.add(tuple(int(evaluate_integers(e, {V: v})) for e in at))  # type: ignore[arg-type]
        assert places == {(i, j) for i in range(3) for j in range(4)}


@pytest.mark.parametrize("begin", [ops.maximum(V - 1, 0), ops.minimum(V * 3, 20), ops.floordiv(V, 4), V - 5])
def test_windows_that_slide_forwards(begin: Any) -> None:
    assert of(begin, const(0)).moving == (0,)


@pytest.mark.parametrize("begin", [8 - V, ops.floormod(V, 4), V * -1, ops.maximum(7 - V, 0)])
def test_others_are_refused(begin: Any) -> None:
    with pytest.raises(
        LowerError, match="rolling_buffer on stage B: .* in dimension 1, which does not slide forwards"
    ):
        of(const(0), begin)


def test_a_size_that_is_not_constant_is_refused() -> None:
    with pytest.raises(LowerError, match="how much of B an iteration of v needs is not a constant"):
        window(stage(), V, [V, const(0)], [te.var("m"), const(4)], Analyzer())


def test_guards_may_leave_out_the_last_iterations_only() -> None:
    w, analyzer = of(V, const(0)), Analyzer()
    check_guards(w, [ops.less(V * 4 + 2, 30), ops.less(te.var("k"), 3)], analyzer)
    for g in (ops.greater_equal(V, 1), ops.less(ops.floormod(V, 3), 2), ops.less(2, V)):
        with pytest.raises(LowerError, match="some iterations of v are left out before others"):
            check_guards(w, [g], analyzer)
