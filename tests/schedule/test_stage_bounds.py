"""The loops and the memory of one stage, from what is needed of it."""

from __future__ import annotations

from typing import Any

from tewb import te, tir
from tewb.arith import Analyzer
from tewb.ir import Range, const, const_int
from tewb.schedule.stage_bounds import kept_around_calls, makes_whole_parts, stage_bounds


def program() -> tuple[Any, Any]:
    A = te.placeholder((16,), "int32", name="A")
    B = te.compute((16,), lambda i: A[i] + 1, name="B")
    C = te.compute((16,), lambda i: B[i] * 2, name="C")
    s = te.create_schedule(C.op)
    return s, s[B]


def part(begin: int, extent: int) -> list[Range]:
    return [Range(const(begin), const(extent))]


def test_loops_run_over_what_is_needed_and_memory_holds_what_is_kept() -> None:
    _, stage = program()
    stage.split("i", 4)
    own = stage_bounds(stage, part(8, 6), part(4, 10), False, Analyzer())
    assert [const_int(own.extents[iv]) for iv in stage.leaf_iter_vars] == [2, 4]
    assert [(const_int(r.min), const_int(r.extent)) for r in own.regions[0]] == [(4, 10)]


def test_all_is_computed_and_kept_where_nothing_says_less_and_kept_for_the_caller() -> None:
    _, stage = program()
    everything = stage_bounds(stage, None, None, False, Analyzer())
    assert const_int(everything.extents[stage.leaf_iter_vars[0]]) == 16
    of_caller = stage_bounds(stage, part(8, 6), part(8, 6), True, Analyzer())
    assert const_int(of_caller.regions[0][0].extent) == 16


def test_the_same_needs_have_the_same_bounds() -> None:
    _, stage = program()
    first = stage_bounds(stage, part(0, 4), None, False, Analyzer())
    assert stage_bounds(stage, part(0, 4), None, False, Analyzer()) is first
    assert stage_bounds(stage, part(0, 5), None, False, Analyzer()) is not first
    stage.split("i", 2)
    assert stage_bounds(stage, part(0, 4), None, False, Analyzer()) is not first


def test_code_of_its_own_stores_all_of_a_part() -> None:
    A = te.placeholder((16,), "int32", name="A")
    E = te.extern(
        (16,),
        [A],
        lambda ins, outs: tir.call_packed("tests.bounds", ins[0], outs[0]),
        name="E",
        access=te.access.elementwise,
    )
    C = te.compute((16,), lambda i: E[i] * 2, name="C")
    s = te.create_schedule(C.op)
    assert makes_whole_parts(s[E]) and not makes_whole_parts(s[C])
    (inside,) = kept_around_calls(s[E], part(4, 4), part(4, 8), Analyzer()) or ()
    (beyond,) = kept_around_calls(s[E], part(4, 4), part(5, 8), Analyzer()) or ()
    assert (const_int(inside.extent), const_int(beyond.extent)) == (8, 16)
