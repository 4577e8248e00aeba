"""The loops of one stage: guards stand at the loop they depend on, and inner stages before what reads them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lowering.passes import after
from tests.programs import chain, matmul, schedule_for
from tewb import te


def loops(s: Any, args: Any) -> list[str]:
    return after("schedule_ops", s, args).splitlines()


def test_a_guard_stands_inside_of_the_innermost_loop_it_uses() -> None:
    inputs, outputs = matmul(10, 4, 3)
    s = schedule_for(outputs)
    s["C"].split("i", factor=4)
    assert loops(s, inputs + outputs)[:4] == [
        "for i.outer in range(3):",
        "    for i.inner in range(4):",
        "        if T.likely(i.outer * 4 + i.inner < 10):",
        "            for j in range(4):",
    ]


def test_guards_of_one_loop_are_one_condition_and_of_two_are_nested() -> None:
    A = te.placeholder((10, 7), name="A")
    B = te.compute((10, 7), lambda i, j: A[i, j], name="B")
    s = te.create_schedule(B.op)
    s[B].tile("i", "j", 4, 2)
    conditions = [x.strip() for x in loops(s, [A, B]) if "if" in x]
    assert conditions == [
        "if T.likely(i.outer * 4 + i.inner < 10):",
        "if T.likely(j.outer * 2 + j.inner < 7):",
    ]
    s[B].reorder("i.inner", "j.inner", "i.outer", "j.outer")
    assert [x.strip() for x in loops(s, [A, B]) if "if" in x] == conditions
    s = te.create_schedule(B.op)
    s[B].split(s[B].fuse("i", "j"), factor=8)
    s[B].split("i.j.fused.inner", factor=3)
    (both,) = [x.strip() for x in loops(s, [A, B]) if "if" in x]
    assert both.count("T.likely") == 2 and " and " in both


def test_a_split_that_divides_and_one_iteration_need_no_guard() -> None:
    for n, factor in ((8, 4), (1, 1), (4, 9)):
        A = te.placeholder((n,), name="A")
        B = te.compute((n,), lambda i, A=A: A[i], name="B")
        s = te.create_schedule(B.op)
        s[B].split("i", factor=factor)
        assert not [x for x in loops(s, [A, B]) if "if" in x]


@pytest.mark.parametrize(("mark", "loop"), [("parallel", "T.parallel(19)"), ("unroll", "T.unroll(19)")])
def test_a_loop_runs_as_it_is_marked(mark: str, loop: str) -> None:
    inputs, outputs = chain()
    s = schedule_for(outputs)
    getattr(s["D"], mark)("i")
    assert [x for x in loops(s, inputs + outputs) if x.startswith("for")][-1] == f"for i in {loop}:"


def test_inner_stages_come_before_what_reads_them_in_their_order() -> None:
    inputs, outputs = chain(6, 4)
    s = schedule_for(outputs)
    for name in ("C", "B"):
        s[name].compute_at(s["D"], "i")
    stores = [x.strip()[0] for x in loops(s, inputs + outputs) if " = " in x and "allocate" not in x]
    assert stores == ["B", "C", "D"]


def test_a_guard_around_an_inner_stage_is_outside_of_it() -> None:
    inputs, outputs = chain(6, 4)
    s = schedule_for(outputs)
    inner = s["D"].split("i", factor=4)[1]
    s["C"].compute_at(s["D"], inner)
    lines = [x.strip() for x in loops(s, inputs + outputs)]
    assert lines.index("if T.likely(i.outer * 4 + i.inner < 6):") < lines.index(
        'C = T.allocate((1, 4), "float32")'
    )


def test_requests_come_first_in_an_iteration_and_not_for_what_is_computed_in_it() -> None:
    inputs, outputs = chain(6, 4)
    s = schedule_for(outputs)
    s["D"].prefetch(s["C"].op.output(0), "i", 2)
    lines = [x.strip() for x in loops(s, inputs + outputs)]
    assert lines[lines.index("T.evaluate(T.prefetch(C[i + 2, 0]))") - 1] == "for i in range(6):"
    s["C"].compute_at(s["D"], "i")
    assert not [x for x in loops(s, inputs + outputs) if "prefetch" in x]


def test_a_double_buffered_stage_is_computed_one_iteration_ahead() -> None:
    inputs, outputs = chain(6, 4)
    s = schedule_for(outputs)
    s["C"].compute_at(s["D"], "i")
    s["C"].double_buffer()
    lines = [x.strip() for x in loops(s, inputs + outputs)]
    assert 'C = T.allocate((2, 1, 4), "float32")' in lines
    ahead = lines.index("if T.likely(i + 1 < 6):")
    assert lines[ahead - 1] == "for i in range(6):"
    assert lines[-1] == "D[i, j] = C[i % 2, i - i, j] * B[i, j]"
