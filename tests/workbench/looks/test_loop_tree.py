"""The loop tree: stages in the order of computation, their loops, and what was said of both."""

from __future__ import annotations

import pytest

from tests.scan_programs import cumulative_sum
from tewb import te
from tewb.schedule import Schedule
from tewb.workbench.demos import demo_session
from tewb.workbench.looks.loop_tree import LoopInfo, StageInfo, loop_tree, scan_of_state


def stage(s: Schedule, name: str) -> StageInfo:
    (found,) = [info for info in loop_tree(s) if info.name == name]
    return found


def test_a_product_has_inputs_and_loops() -> None:
    a, b, c = loop_tree(demo_session("matmul", n=32).schedule)
    assert (a.name, a.kind, a.loops, b.kind) == ("A", "input", (), "input")
    assert (c.name, c.kind, c.place, c.step, c.computed, c.marks) == ("C", "compute", "root", None, 1.0, ())
    assert c.loops[0] == LoopInfo("i", "32", "spatial", (), None) or c.loops[0].extent == "32"
    assert [(loop.name, loop.extent) for loop in c.loops] == [("i", "32"), ("j", "32"), ("k", "32")]
    assert len({loop.kind for loop in c.loops}) == 2


def test_loops_know_their_marks_and_the_step_that_made_them() -> None:
    s = demo_session("matmul", n=32).schedule
    s["C"].split("j", factor=8)
    s["C"].vectorize("j.inner")
    s["C"].parallel("i")
    loops = {loop.name: loop for loop in stage(s, "C").loops}
    assert list(loops) == ["i", "j.outer", "j.inner", "k"]
    assert [loop.step for loop in loops.values()] == [2, 0, 1, None]  # the last step about it
    assert [loop.marks for loop in loops.values()] == [("parallel",), (), ("vectorize",), ()]


def test_places() -> None:
    s = demo_session("blur", n=16).schedule
    s["X"].compute_at(s["Y"], "i")
    x = stage(s, "X")
    assert x.place == "at Y.i" and x.step == 0 and x.computed is not None and x.computed > 2
    s["X"].compute_inline()
    assert stage(s, "X").place == "inline"


def test_symbolic_extents_are_text() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].split("i", factor=4)
    assert [loop.extent for loop in stage(s, "B").loops] == ["(n + 3) // 4", "4"]


@pytest.mark.parametrize(("n", "extents"), [(0, ["0"]), (1, ["1"])])
def test_extents_of_nothing_and_one(n: int, extents: list[str]) -> None:
    B = te.compute((n,), lambda i: te.const(1.0), name="B")
    assert [loop.extent for loop in stage(te.create_schedule(B.op), "B").loops] == extents


def test_memory_of_a_stage_is_a_mark() -> None:
    s = demo_session("matmul", n=32).schedule
    s.cache_write(s["C"].op.output(0), "local")
    assert any("local" in mark for mark in stage(s, "C.local").marks)


def test_the_state_of_a_scan_is_no_input() -> None:
    _, _, _, _, result = cumulative_sum(8, 4)
    s = te.create_schedule(result.op)
    assert [i.kind for i in loop_tree(s)].count("state") == 1 and [
        i.name for i in loop_tree(s) if i.kind == "input"
    ] == ["X"]
    assert [scan_of_state(stage) is not None for stage in s.stages].count(True) == 1
