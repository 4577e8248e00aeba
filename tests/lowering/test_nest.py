"""Stages as loops: where each is computed, which memory holds its elements, and what is found again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lowering.passes import after
from tests.programs import add_one, chain, schedule_for, two_outputs
from tewb import te
from tewb.base import LowerError
from tewb.ir import Allocate, Buffer, Range, Seq, const, script
from tewb.lowering.nest import Key, Nests, loop_nests
from tewb.schedule import Schedule
from tewb.schedule.bounds import infer_bounds
from tewb.tensor import Tensor


def nests(s: Schedule, args: list[Tensor]) -> Nests:
    keys: dict[Key, Buffer] = {(s[t], t.value_index): Buffer(t.name, t.dtype, t.shape) for t in args}
    return Nests(s, infer_bounds(s, [stage for stage, _ in keys if not stage.is_placeholder]), keys)


def chained() -> tuple[Any, list[Tensor]]:
    inputs, outputs = chain(6, 4)
    return schedule_for(outputs), inputs + outputs


def test_stages_follow_each_other_each_in_its_memory() -> None:
    s, args = chained()
    lines = script(nests(s, args).root()).splitlines()
    assert [line.strip() for line in lines if "allocate" in line] == [
        'B = T.allocate((6, 4), "float32")',
        'C = T.allocate((6, 4), "float32")',
    ]
    assert sum(line.startswith("for") for line in lines) == 3


def test_a_stage_in_a_loop_holds_what_its_reader_needs_there() -> None:
    s, args = chained()
    s["C"].compute_at(s["D"], "i")
    s["B"].compute_at(s["D"], "i")
    assert after("simplify", s, args).splitlines() == [
        "for i in range(6):",
        '    B = T.allocate((1, 4), "float32")',
        "    for j in range(4):",
        "        B[0, j] = A[i, j] * T.float32(2.0) + T.float32(1.0)",
        '    C = T.allocate((1, 4), "float32")',
        "    for j in range(4):",
        "        C[0, j] = T.max(B[0, j], T.float32(0.0)) - A[i, j]",
        "    for j in range(4):",
        "        D[i, j] = C[0, j] * B[0, j]",
    ]


def test_outputs_of_one_stage_that_are_no_arguments_are_numbered() -> None:
    _, (P, Q) = two_outputs(3)
    R = te.compute((3, 4), lambda i, j: P[i, j] + Q[i, j], name="R")
    s = schedule_for([R])
    (A,) = [t.op.output(0) for t in s.stages if t.is_placeholder]
    allocated = [x.strip() for x in after("schedule_ops", s, [A, R]).splitlines() if "allocate" in x]
    assert allocated[1:] == ['PQ.v0 = T.allocate((3, 4), "int64")', 'PQ.v1 = T.allocate((3, 4), "int64")']


def test_a_nest_that_did_not_change_is_the_same_statement() -> None:
    s, args = chained()
    keys = nests(s, args).arguments
    stages = [stage for stage, _ in keys if not stage.is_placeholder]
    first = loop_nests(s, infer_bounds(s, stages), keys)
    s["D"].split("i", factor=2)
    second = loop_nests(s, infer_bounds(s, stages), keys)
    assert isinstance(first, Allocate) and isinstance(first.body, Seq)
    assert isinstance(second, Allocate) and isinstance(second.body, Seq)
    assert first.buffer is second.buffer
    assert first.body.stmts[0] is second.body.stmts[0]  # the loops of B
    assert first.body.stmts[-1] is not second.body.stmts[-1]


def test_an_input_that_is_no_argument_is_named() -> None:
    s, (_, D) = chained()
    with pytest.raises(LowerError, match="A is an input and is read, but it is not among the arguments") as e:
        nests(s, [D]).root()
    assert e.value.hint == "lower(s, [A, B, C])"


def test_a_view_of_all_elements_is_the_buffer_and_of_some_has_its_strides() -> None:
    s, args = chained()
    n, A = nests(s, args), args[0]
    whole = [Range(const(0), const(6)), Range(const(0), const(4))]
    assert n.view(A, whole) is n.buffer(A)[0]
    part = n.view(A, [Range(const(2), const(3)), Range(const(1), const(2))])
    assert [script(e) for e in (*part.shape, *part.strides, part.elem_offset)] == ["3", "2", "4", "1", "9"]
    assert part.data is n.buffer(A)[0].data and part.name == "A.tile"


def test_a_view_of_a_stage_that_holds_a_part_begins_there() -> None:
    s, args = chained()
    s["C"].compute_at(s["D"], "i")
    s["B"].compute_at(s["D"], "i")
    n, B = nests(s, args), s["B"].op.output(0)
    buffer, (row, column) = n.buffer(B)
    assert (script(row), script(column)) == ("i", "0")
    assert n.view(B, [Range(row, const(1)), Range(const(0), const(4))]) is buffer
    assert script(n.view(B, [Range(row, const(1)), Range(const(3), const(1))]).elem_offset) == "3"


def test_a_stage_in_the_loop_of_a_hybrid_function_is_computed_there() -> None:
    A = te.placeholder((5,), name="A")
    H = te.compute((5,), lambda i: A[i] * 2.0, name="H")
    B = add_one(H)
    s = te.create_schedule(B.op)
    s[H].compute_at(s[B], s[B].leaf_iter_vars[0])
    lines = [x.strip() for x in after("schedule_ops", s, [A, B]).splitlines()]
    assert lines.index("for i in range(5):") < lines.index('H = T.allocate((1,), "float32")')
    assert lines[-1].endswith("= H[0] + T.float32(1.0)") or lines[-1].endswith("= H[i - i] + T.float32(1.0)")
