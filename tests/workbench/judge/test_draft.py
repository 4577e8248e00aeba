"""Drafts: steps on a copy, and the loops of stages with what each access does along them."""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tewb import te
from tewb.base import ScheduleError
from tewb.ir import ForKind
from tewb.schedule import Step
from tewb.workbench.demos import demo_session
from tewb.workbench.judge.draft import Draft, StageLoops, stage_loops


def loops(session: Any) -> StageLoops:
    (found,) = stage_loops(session.schedule, session.passes[0][1], session.sizes)
    return found


def test_a_draft_leaves_the_schedule_as_it_is() -> None:
    session = demo_session("matmul", n=64)
    draft = Draft(session.schedule)
    i = loops(session).loops[0]
    outer, inner = draft.split("C", i, 8)
    assert (outer, inner) == ("i.outer", "i.inner") and draft.split("C", i, 64) == ("", "i")
    draft.order("C", ["", outer, "k", inner, "j"])
    assert draft.loops("C") == ["i.outer", "k", "i.inner", "j"]
    count = len(draft.steps)
    draft.order("C", [outer, "k"])
    assert len(draft.steps) == count, "they are in this order"
    assert session.journal == () and draft.body(session.args) is not None


def test_a_refused_step_raises() -> None:
    with pytest.raises(ScheduleError, match="k is a reduce axis"):
        Draft(demo_session("matmul", n=16).schedule).do("parallel", "C", axis="k")


def test_a_draft_without_loops_has_no_body() -> None:
    session = demo_session("matmul", n=16)
    assert Draft(session.schedule).body(session.args[:2]) is None


def test_loops_with_their_strides() -> None:
    session = demo_session("matmul", n=64)
    session.apply(Step("split", "C", {"axis": "j", "factor": 16}))
    session.apply(Step("vectorize", "C", {"axis": "j.inner"}))
    found = loops(session)
    assert found.name == "C" and found.reads == ("A", "B")
    assert [(n.name, n.trips, n.loads, n.store) for n in found.loops] == [
        ("i", 64, (64, 0), 64), ("j.outer", 4, (0, 16), 16), ("j.inner", 16, (0, 1), 1), ("k", 64, (1, 64), 0),
    ]  # fmt: skip
    assert found.vector is found.loops[2] and found.vector.kind is ForKind.VECTORIZED and found.vector.is_unit
    assert [n.name for n in found.sums] == ["k"] and [n.name for n in found.free_data] == ["i", "j.outer"]
    assert found.others(found.loops[0]) == ["j.outer", "j.inner"] and not found.is_unrolled


def test_a_loop_of_one_iteration_is_there_too() -> None:
    A = te.placeholder((1, 8), name="A")
    B = te.compute((1, 8), lambda i, j: A[i, j] + 1.0, name="B")
    found = loops(tewb.Session(te.create_schedule(B.op), [A, B]))
    assert [(n.name, n.trips) for n in found.loops] == [("i", 1), ("j", 8)]


def test_sizes_give_symbolic_loops_their_iterations() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    session = tewb.Session(te.create_schedule(B.op), [A, B], sizes={"n": 40})
    session.apply(Step("split", "B", {"axis": "i", "factor": 16}))
    assert [n.trips for n in loops(session).loops] == [3, 16]
