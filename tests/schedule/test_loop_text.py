"""Loops and stages in words."""

from __future__ import annotations

from tests.programs import chain, matmul, schedule_for
from tewb import te
from tewb.ir import const
from tewb.schedule.loop_text import loop_marks, loop_text, loops_text, place_text, stage_marks


def test_a_stage_without_a_schedule() -> None:
    s = schedule_for(chain(6, 4)[1])
    assert s["D"].loops() == "i(6), j(4)" and s["A"].loops() == "no loops"
    assert (place_text(s["D"]), stage_marks(s["D"])) == ("root", [])


def test_places_of_stages() -> None:
    s = schedule_for(chain(6, 4)[1])
    outer, _ = s["D"].split("i", factor=2)
    s["C"].compute_at(s["D"], outer)
    s["B"].compute_inline()
    assert [place_text(s[name]) for name in "BCD"] == ["inline", "at D.i.outer", "root"]
    assert s["C"].loops() == "at D.i.outer: i(6), j(4)"
    assert s["B"].loops() == "inline, where it is read"


def test_marks_stand_with_their_loop_or_with_the_stage() -> None:
    inputs, outputs = matmul(8, 8, 8)
    s = schedule_for(outputs)
    s["C"].parallel("i")
    s["C"].prefetch(inputs[1], "k", 3)
    s["C"].pragma("k", "auto_unroll_max_step", 16)
    i, j, k = s["C"].leaf_iter_vars
    assert loop_marks(s["C"], i) == ["parallel"] and loop_marks(s["C"], j) == []
    assert sorted(loop_marks(s["C"], k)) == ["auto_unroll_max_step 16", "prefetch B 3 ahead"]
    assert loop_text(s["C"], i, const(8)) == "i(8, parallel)"


def test_marks_of_the_stage_come_after_its_loops() -> None:
    s = schedule_for(chain(6, 4)[1])
    s["C"].compute_at(s["D"], "i")
    s["C"].set_scope("local")
    s["C"].double_buffer()
    assert stage_marks(s["C"]) == ["in local memory", "double buffered"]
    assert s["C"].loops() == "at D.i: i(6), j(4); in local memory; double buffered"


def test_the_inside_of_an_extern_is_said() -> None:
    A = te.placeholder((8,), name="A")
    E = te.extern(
        (8,), [A], lambda i, o: te.call_packed("f", i[0], o[0]), name="E", access=te.access.elementwise
    )
    s = te.create_schedule(E.op)
    s[E].split("d0", 4)
    assert s[E].loops() == "d0.outer(2), d0.inner(4, inside)"


def test_symbolic_extents_are_expressions() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i], name="B")
    s = te.create_schedule(B.op)
    s[B].split("i", factor=4)
    assert s[B].loops() == "i.outer((n + 3) // 4), i.inner(4)"
    assert loops_text(s[B], {iv: const(9) for iv in s[B].leaf_iter_vars}) == "i.outer(9), i.inner(9)"
