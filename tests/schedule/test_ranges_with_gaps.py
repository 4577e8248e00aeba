"""Ranges with gaps: only what is read in steps is computed and kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tewb
from tests.programs import assert_same_result
from tests.regions import KINDS, random_reading
from tewb import te, tir
from tewb.arith import Analyzer
from tewb.arith.intset import Interval, point
from tewb.ir import Expr, Range, Var, const, const_int, script
from tewb.schedule.bounds import infer_bounds
from tewb.schedule.ranges_with_gaps import RangeWithGaps, element_at, elements_of, place_in, steps_in


def number(e: Expr) -> int:
    value = const_int(Analyzer().simplify(e))
    assert value is not None, e
    return value


def test_an_axis_that_does_not_start_at_0_is_moved() -> None:
    part = Interval(const(1), const(3), 3)
    assert elements_of(Range(const(0), const(9)), part) is part
    moved = elements_of(Range(const(5), const(9)), part)
    assert [number(moved.lo), number(moved.hi), moved.width] == [6, 8, 3]
    assert elements_of(Range(const(5), const(9)), point(const(2))).is_point


ROWS = RangeWithGaps(const(7), const(12), ((3, 1), (4, 16)))  # 7 8 9, 23 24 25, 39 ..., 55 ...


def test_elements_of_a_range_with_gaps_have_places_in_order() -> None:
    values = [7 + 16 * i + j for i in range(4) for j in range(3)]
    assert [number(element_at(ROWS, const(q))) for q in range(12)] == values
    assert [number(place_in(ROWS, const(v))) for v in values] == list(range(12))
    assert steps_in(ROWS) == ((3, 1), (4, 16)) and steps_in(Range(const(0), const(4))) is None


def test_intervals_of_places_are_intervals_of_elements() -> None:
    everything = elements_of(ROWS, Interval(const(0), const(11), 11, ((12, 1),)))
    assert (number(everything.lo), number(everything.hi), everything.steps) == (7, 57, ROWS.steps)
    part = elements_of(ROWS, Interval(const(2), const(4), 2))
    assert (number(part.lo), number(part.hi), part.steps) == (9, 24, None)
    assert number(elements_of(ROWS, point(const(5))).lo) == 25
    fifths = RangeWithGaps(const(1), const(4), ((4, 5),))
    some = elements_of(fifths, Interval(const(1), const(2), 1, ((2, 1),)))
    assert (number(some.lo), number(some.hi), some.width, some.steps) == (6, 11, 5, ((2, 5),))


def test_a_range_with_gaps_keeps_them_when_it_is_rewritten() -> None:
    v = Var("v", const(0).dtype)
    moved = RangeWithGaps(v, const(4), ((4, 5),)).map_children(lambda e: const(2) if e is v else e)
    assert isinstance(moved, RangeWithGaps) and moved.steps == ((4, 5),) and script(moved.min) == "2"


# ---------------------------------------------------------------- schedules


def program(read: Callable[..., Any], shape: tuple[int, ...], size: int = 80) -> tuple[Any, Any, Any, Any]:
    A = te.placeholder((size,), "int32", name="A")
    B = te.compute((size,), lambda i: A[i] * 2 + 1, name="B")
    C = te.compute(shape, lambda *at: read(B, *at), name="C")
    return te.create_schedule(C.op), A, B, C


def region(s: Any, B: Any) -> tuple[int | None, Any]:
    (r,) = infer_bounds(s).stages[s[B]].regions[0]
    return const_int(r.extent), steps_in(r)


READ: dict[str, tuple[Callable[..., Any], tuple[int, ...], int, int, Any]] = {
    # reader, its shape, the loop at which B is computed (-1: the root), elements that are kept, their steps
    "steps of 5": (lambda B, j, i: B[i * 5 + j], (2, 3), 0, 3, ((3, 5),)),
    "rows of 16": (lambda B, i, j: B[i * 16 + j], (4, 3), -1, 12, ((3, 1), (4, 16))),
    "backwards": (lambda B, j, i: B[70 - i * 7 - j], (2, 4), 0, 4, ((4, 7),)),
    "two of ten": (lambda B, j, i: B[i * 10 + j] + B[i * 10 + 4 + j], (3, 5), 0, 10, ((2, 4), (5, 10))),
    "three in a row of steps": (lambda B, j, i: B[i * 5] + B[i * 5 + 10] + B[i * 5 + 5], (1, 3), 0, 5, ((5, 5),)),
    "all": (lambda B, j, i: B[i * 2 + j], (2, 8), -1, 16, None),
    "more than half": (lambda B, i, j: B[i * 3 + j], (4, 2), -1, 11, None),
    "side by side": (lambda B, i, j: B[i * 16 + j], (4, 16), -1, 64, None),
    "overlapping": (lambda B, i, j: B[i * 3 + j * 2], (4, 4), -1, 16, None),
    "with a common step": (lambda B, i, j: B[i * 6 + j * 4], (4, 4), -1, 16, ((16, 2),)),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_what_is_read_in_steps_is_kept_in_steps(name: str) -> None:
    read, shape, place, kept, steps = READ[name]
    s, A, B, C = program(read, shape)
    if place >= 0:
        s[B].compute_at(s[C], s[C].op.axis[place])
    assert region(s, B) == (kept, steps)
    assert_same_result(s, [A], [C])


def test_the_loops_run_over_what_is_kept_and_the_reader_finds_it() -> None:
    s, A, B, C = program(lambda B, j, i: B[i * 5 + j], (2, 3))
    s[B].compute_at(s[C], s[C].op.axis[0])
    lines = [line.strip() for line in script(tewb.lower(s, [A, C])["main"]).splitlines()]
    assert lines[-5:] == [
        'B = T.allocate((3,), "int32")',
        "for i in range(3):",
        "B[i] = A[i0 + i * 5] * 2 + 1",
        "for i1 in range(3):",
        "C[i0, i1] = B[i1]",
    ]


def test_loops_of_the_reader_that_run_in_steps_count_too() -> None:
    """The inner loop of a split outside of the outer one: one iteration of it reads every eighth element."""
    s, A, B, C = program(lambda B, i: B[i], (64,))
    o, i = s[C].split(s[C].op.axis[0], factor=8)
    s[C].reorder(i, o)
    s[B].compute_at(s[C], i)
    assert region(s, B) == (8, ((8, 8),))
    s[B].vectorize(s[B].op.axis[0])
    assert_same_result(s, [A], [C])


def test_a_symbolic_reader_in_steps() -> None:
    n = te.var("n")
    A = te.placeholder((n * 5,), "int32", name="A")
    B = te.compute((n * 5,), lambda i: A[i] * 2 + 1, name="B")
    C = te.compute((n,), lambda i: B[i * 5], name="C")
    s = te.create_schedule(C.op)
    (r,) = infer_bounds(s).stages[s[B]].regions[0]
    assert steps_in(r) is not None and script(r.extent) == "n"


def test_a_chain_of_stages_that_read_in_steps() -> None:
    A = te.placeholder((400,), "int32", name="A")
    B = te.compute((400,), lambda i: A[i] * 2 + 1, name="B")
    D = te.compute((90,), lambda i: B[i * 4] + i, name="D")
    C = te.compute((8, 3), lambda i, j: D[i * 11 + j], name="C")
    s = te.create_schedule(C.op)
    assert [region(s, t)[0] for t in (D, B)] == [24, 24]
    assert region(s, B)[1] == ((3, 4), (8, 44))
    assert_same_result(s, [A], [C])


def test_a_reduction_is_kept_in_steps_too() -> None:
    A = te.placeholder((80, 6), "int32", name="A")
    k = te.reduce_axis((0, 6), name="k")
    B = te.compute((80,), lambda i: te.sum(A[i, k], axis=k), name="B")
    C = te.compute((5, 4), lambda i, j: B[i * 16 + j], name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], s[C].op.axis[0])
    assert region(s, B) == (4, None)
    s[B].compute_root()
    s[B].split(s[B].op.axis[0], factor=3)
    assert region(s, B) == (20, ((4, 1), (5, 16)))
    assert_same_result(s, [A], [C])


def test_guards_hold_what_lies_outside_of_the_tensor() -> None:
    s, A, B, C = program(lambda B, j, i: te.if_then_else(i * 9 + j < 80, B[i * 9 + j], 0), (9, 12))
    s[B].compute_at(s[C], s[C].op.axis[0])
    assert region(s, B) == (12, ((12, 9),))
    assert_same_result(s, [A], [C])


def test_what_the_caller_keeps_is_whole() -> None:
    s, A, B, C = program(lambda B, j, i: B[i * 5 + j], (2, 3))
    own = infer_bounds(s, [s[B]]).stages[s[B]]
    assert const_int(own.regions[0][0].extent) == 80
    assert all(steps_in(r) is None for r in own.ranges.values())


def test_what_is_prefetched_or_rolls_has_no_gaps() -> None:
    s, A, B, C = program(lambda B, i: B[i * 5], (8,))
    assert region(s, B) == (8, ((8, 5),))
    s[C].prefetch(s[B], s[C].op.axis[0], 1)
    assert region(s, B) == (36, None)
    s, A, B, C = program(lambda B, i, j: B[i * 20 + j * 5], (4, 4))
    s[B].compute_at(s[C], s[C].op.axis[0])
    assert region(s, B) == (4, ((4, 5),))
    s[B].rolling_buffer()
    assert region(s, B) == (16, None)
    assert_same_result(s, [A], [C])


def test_an_extern_gets_no_gaps() -> None:
    s, A, B, C = program(lambda B, i: B[i * 5], (8,))
    E = te.extern(
        (8,), [B], lambda ins, outs: tir.call_packed("steps", ins[0], outs[0]), dtype="int32", name="E"
    )
    s = te.create_schedule([C.op, E.op])
    assert region(s, B) == (80, None)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(6))
def test_random_readers_find_what_they_read(kind: str, seed: int) -> None:
    """And no more is kept than the smallest box around what affine readers read."""
    p = random_reading(f"{kind}{seed}", kind)
    kept = p.run()
    if kept is not None and kept.kept is not None and kind in ("affine", "rows", "blocked"):
        box = 1
        for n in kept.box:
            box *= max(n, 1)
        assert kept.kept <= max(box, kept.read), p.text
