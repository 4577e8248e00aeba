"""Windows that slide along loops: which elements are new, and where they are in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tewb import te
from tewb.arith import Analyzer, evaluate_integers
from tewb.ir import Expr, Range, Var, const, ops
from tewb.schedule import window_of
from tewb.schedule.bounds import infer_bounds
from tewb.schedule.shared_loops import runs_in_order
from tewb.schedule.sliding import APART, LoopBetween, Slide, Window, places_in, slide

V = Var("v", te.var("n").dtype)
W = Var("w", V.dtype)
LOOP = LoopBetween("v of C", V, const(9), False)
INNER = LoopBetween("w of C", W, const(4), False)


def box(*begins: Any, sizes: Sequence[int] = (3, 4)) -> list[Range]:
    return [
        Range(b if isinstance(b, Expr) else const(b), const(n)) for b, n in zip(begins, sizes, strict=False)
    ]


def analyzer() -> Analyzer:
    known = Analyzer()
    for loop in (LOOP, INNER):
        known.bind_extent(loop.var, const(0), loop.extent)
    return known


def along(part: Sequence[Range], *, inner: bool = False, guards: Sequence[Expr] = ()) -> Slide | str:
    return slide("B", part, [LOOP, INNER] if inner else [LOOP], 0, guards, analyzer())


def test_what_the_iteration_before_has_is_not_new() -> None:
    found = along(box(V * 2 + 1, 0))
    assert isinstance(found, Slide) and [d for d, _ in found.ends] == [0]
    seen: set[tuple[int, int]] = set()
    for v in range(6):
        part = [(i, j) for i in range(2 * v + 1, 2 * v + 4) for j in range(4)]
        place = [const(0), const(0)]
        new = set()
        for p in part:
            place = [const(p[0]), const(p[1])]
            if evaluate_integers(found.is_new(place, Analyzer()), {V: v}):
                new.add(p)
        assert new == set(part) - seen
        seen |= new


def test_a_diagonal_has_new_elements_in_both_dimensions() -> None:
    found = along(box(V, V * 2))
    assert isinstance(found, Slide)
    for p, new in (((5, 8), False), ((6, 8), True), ((5, 10), True), ((4, 9), False)):
        place = [const(p[0]), const(p[1])]
        assert bool(evaluate_integers(found.is_new(place, Analyzer()), {V: 4})) is new


def test_a_loop_inside_that_moves_along_is_at_its_end() -> None:
    found = along(box(V * 4 + W, 0), inner=True)
    assert isinstance(found, Slide)
    ((d, end),) = found.ends
    # The last iteration before 4*v needs 4*v - 1 and two more.
    assert d == 0 and evaluate_integers(end, {V: 5}) == 22
    found = along(box(W * 9 + V, 0), inner=True)  # it does not move along: where it is
    assert isinstance(found, Slide)
    assert evaluate_integers(found.ends[0][1], {V: 5, W: 2}) == 9 * 2 + 5 - 1 + 3


def test_all_elements_of_a_window_have_places_of_their_own() -> None:
    part = box(V * 2 + 1, V)
    places = tuple([places_in(r, [LOOP], [LOOP], analyzer()) for r in part])
    assert places == (3, 4)
    w = Window(None, tuple(part), (), places, {})  # type: ignore[arg-type]
    for v in range(9):
        at = set()
        for p in [(i, j) for i in range(2 * v + 1, 2 * v + 4) for j in range(v, v + 4)]:
            found = w.in_memory([const(p[0]), const(p[1])], [const(0), const(0)])
            at.add(tuple(int(evaluate_integers(e, {V: v})) for e in found))
        assert at == {(i, j) for i in range(3) for j in range(4)}


@pytest.mark.parametrize("begin", [ops.maximum(V - 1, 0), ops.minimum(V * 3, 20), ops.floordiv(V, 4), V - 5])
def test_windows_that_slide_forwards(begin: Any) -> None:
    part = box(begin, 0)
    assert places_in(part[0], [LOOP], [LOOP], analyzer()) == 3
    found = along(part)
    assert isinstance(found, Slide) or found == APART


@pytest.mark.parametrize("begin", [8 - V, ops.floormod(V, 4), V * -1, ops.maximum(7 - V, 0)])
def test_others_compute_the_whole_part(begin: Any) -> None:
    part = box(0, begin)
    found = along(part)
    assert isinstance(found, str)
    assert "that an iteration of v of C needs begins at" in found
    assert "in dimension 1, which does not slide forwards" in found
    assert places_in(part[1], [LOOP], [LOOP], analyzer()) is None
    assert places_in(part[1], [LOOP], [], analyzer()) == 4  # nothing is kept


def test_memory_does_not_go_round_where_a_loop_outside_comes_back() -> None:
    part = box(V, W)
    assert places_in(part[0], [LOOP, INNER], [LOOP, INNER], analyzer()) == 3
    assert places_in(part[1], [LOOP, INNER], [LOOP, INNER], analyzer()) is None
    assert places_in(part[1], [LOOP, INNER], [INNER], analyzer()) == 4


def test_a_size_that_is_not_constant_has_no_places() -> None:
    assert places_in(Range(V, te.var("m")), [LOOP], [LOOP], analyzer()) is None
    assert places_in(Range(V, W + 1), [LOOP, INNER], [LOOP], analyzer()) is None


def test_guards_may_leave_out_the_last_iterations_only() -> None:
    assert isinstance(along(box(V, 0), guards=[ops.less(V * 4 + 2, 30), ops.less(te.var("k"), 3)]), Slide)
    for g in (ops.greater_equal(V, 1), ops.less(ops.floormod(V, 3), 2), ops.less(2, V)):
        found = along(box(V, 0), guards=[g])
        assert isinstance(found, str) and "some iterations of v of C are left out before others" in found


def test_a_loop_inside_of_changing_length_is_refused() -> None:
    changing = LoopBetween("w of C", W, ops.minimum(9 - V, 4), False)
    found = slide("B", box(V, 0), [LOOP, changing], 0, [], analyzer())
    assert found == "how often w of C runs differs from one iteration of v of C to the next"


def stored(n: int, m: int, taps: int) -> Any:
    A = te.placeholder((n + taps, m), name="A")
    B = te.compute((n + taps, m), lambda i, j: A[i, j] * 2.0, name="B")
    C = te.compute((n, m), lambda i, j: B[i, j] + B[i + taps - 1, j], name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], "i")
    s[B].store_root()
    return s


@pytest.mark.parametrize(
    ("n", "m", "taps", "places"),
    [
        (64, 8, 3, 4),
        (64, 8, 4, 4),
        (64, 8, 5, 8),
        (64, 9000, 5, 5),  # three more rows of 36 kB are more than they are worth
        (4, 8, 5, None),  # all 8 rows that are needed are no more
    ],
)
def test_the_number_of_rows_is_a_power_of_two_where_that_is_cheap(
    n: int, m: int, taps: int, places: int
) -> None:
    s = stored(n, m, taps)
    window = window_of(s["B"], infer_bounds(s))
    assert window is not None and window.places == (places, None)
    assert window.goes_round is (places is not None) and not window.whole


def test_a_stage_that_is_kept_where_it_is_computed_has_no_window() -> None:
    s = stored(8, 3, 3)
    bounds = infer_bounds(s)
    assert window_of(s["C"], bounds) is None
    s = te.create_schedule(s.outputs[0])
    s["B"].compute_at(s["C"], "i")
    assert window_of(s["B"], infer_bounds(s)) is None
    s["B"].store_at(s["C"], "i")
    assert window_of(s["B"], infer_bounds(s)) is None


def test_loops_that_run_in_order() -> None:
    s = stored(8, 4, 3)
    i, j = s["C"].leaf_iter_vars
    assert runs_in_order(s["C"], j)
    s["C"].vectorize(j)
    assert not runs_in_order(s["C"], j)
    s["C"].unroll(i)
    assert runs_in_order(s["C"], i)
