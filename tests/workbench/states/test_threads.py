"""The view of threads: what could be parallel, what was measured, and whether it still is of the schedule."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.workbench.measure.symbolic import symbolic_session
from tests.workbench.states.test_views import SCHEMA, fits
from tewb import te
from tewb.runtime import set_num_threads
from tewb.workbench.demos import demo_session
from tewb.workbench.notebook.panes import Pane
from tewb.workbench.requests import ask
from tewb.workbench.session import Session
from tewb.workbench.states.threads import MOST_ROWS, timeline_state
from tewb.workbench.states.views import VIEWS, look

pytestmark = pytest.mark.usefixtures("two_threads")


def step(primitive: str, stage: str, **args: Any) -> dict[str, Any]:
    return {"primitive": primitive, "stage": stage, "args": args}


PARALLEL = step("parallel", "Y", axis="i")


def test_without_a_parallel_loop_there_are_the_steps_that_make_one() -> None:
    session = demo_session("blur", n=32)
    state = look(session, "threads")
    assert not state["is_parallel"] and state["measured"] is None and state["problem"] is None
    assert "2 threads would share its iterations" in state["note"]
    assert [(c["text"], c["iterations"], c["runs"]) for c in state["choices"]] == [
        ("parallel(X, axis=i)", 32, 1), ("parallel(Y, axis=i)", 32, 1),
        ("parallel(X, axis=j)", 32, 32), ("parallel(Y, axis=j)", 32, 32),
    ]  # fmt: skip
    for choice in state["choices"]:
        other = session.copy()
        other.apply(*choice["steps"])
        assert look(other, "threads")["is_parallel"]


def test_only_legal_loops_are_offered_and_they_follow_the_schedule() -> None:
    session = demo_session("matmul", n=16)
    offered = [c["text"] for c in look(session, "threads")["choices"]]
    assert offered == ["parallel(C, axis=i)", "parallel(C, axis=j)"]  # k would race
    session.apply(step("split", "C", axis="i", factor=4))
    offered = [c["text"] for c in look(session, "threads")["choices"]]
    assert offered[0] == "parallel(C, axis=i.outer)" and "parallel(C, axis=i)" not in offered
    session.undo()
    assert look(session, "threads")["choices"][0]["text"] == "parallel(C, axis=i)"


def test_a_stage_in_a_loop_may_be_parallel_there() -> None:
    session = demo_session("blur", n=32)
    session.apply(step("compute_at", "X", parent="Y", axis="i"))
    found = {c["text"]: c["runs"] for c in look(session, "threads")["choices"]}
    assert found["parallel(Y, axis=i)"] == 1 and found["parallel(X, axis=j)"] >= 32


def test_symbolic_iterations_are_not_known() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    (choice,) = look(Session(te.create_schedule(B.op), [A, B]), "threads")["choices"]
    assert (choice["iterations"], choice["runs"]) == (None, None)


def test_one_thread_is_told_how_there_are_more() -> None:
    set_num_threads(1)
    assert "set_num_threads, TEWB_NUM_THREADS" in look(demo_session("blur", n=8), "threads")["note"]


def test_a_parallel_loop_of_one_iteration_is_none() -> None:
    session = demo_session("blur", n=32)
    session.apply(step("split", "Y", axis="i", nparts=1), step("parallel", "Y", axis="i.outer"))
    state = look(session, "threads")
    assert not state["is_parallel"] and "has one iteration" in state["note"]


def test_a_measurement_is_a_timeline_of_the_schedule_that_it_was_made_of() -> None:
    session = demo_session("blur", n=32)
    session.apply(PARALLEL)
    session.measure_threads(repeat=1)
    state = look(session, "threads")
    t = state["measured"]
    assert state["is_parallel"] and state["choices"] == [] and state["note"] == ""
    assert fits(state, VIEWS["threads"].schema()["state"]) and "ThreadTimeline" in SCHEMA["$defs"]
    json.dumps(state, allow_nan=False)
    assert t["is_current"] and t["steps"] == 1 and t["sentence"].startswith("2 threads were busy")
    assert [r["number"] for r in t["rows"]] == [0, 1] and t["others"] == t["dropped"] == 0
    (loop,) = t["loops"]
    assert (loop["stage"], loop["loop"], loop["iterations"]) == ("Y", "i", 32)
    assert loop["part"] == session.code_forms.loop_numbers.number("Y", "i")
    assert (
        sum(b["iterations"] for b in t["bars"]) == 32 and sum(b["tasks"] for b in t["bars"]) == loop["tasks"]
    )
    assert all(0 <= b["begin"] <= b["end"] <= t["seconds"] and b["loop"] == 0 for b in t["bars"])
    session.apply(step("vectorize", "Y", axis="j"))
    assert look(session, "threads")["measured"] == {**t, "is_current": False}
    session.undo()
    assert look(session, "threads")["measured"]["is_current"]


def test_loops_without_a_stage_have_no_part() -> None:
    @te.hybrid.script  # type: ignore[untyped-decorator]
    def twice(a: Any) -> Any:
        b = output_tensor((6,), "float32")  # type: ignore[name-defined]  # noqa: F821
        for row in parallel(6):  # type: ignore[name-defined]  # noqa: F821
            b[row] = a[row] * 2.0
        return b

    A = te.placeholder((6,), name="A")
    B = twice(A)
    session = Session(te.create_schedule(B.op), [A, B])
    assert look(session, "threads")["is_parallel"]
    session.measure_threads(repeat=1)
    (loop,) = look(session, "threads")["measured"]["loops"]
    assert (loop["stage"] is None) == (loop["part"] is None) and loop["iterations"] == 6


def test_many_threads_are_counted_beyond_those_that_are_shown() -> None:
    set_num_threads(MOST_ROWS + 6)
    session = demo_session("blur", n=8)
    session.apply(PARALLEL)
    session.measure_threads(repeat=1)
    t = look(session, "threads")["measured"]
    assert len(t["rows"]) == MOST_ROWS and t["others"] == 6


def test_a_schedule_that_cannot_be_lowered_is_a_problem() -> None:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: A[i] + 1.0, name="B")
    state = look(Session(te.create_schedule(B.op), [B]), "threads")
    assert state["problem"] and state["choices"] == [] and state["measured"] is None


def test_it_is_a_pane() -> None:
    assert Pane(demo_session("blur", n=8), "threads").pane == "threads"


def test_a_timeline_of_other_sizes_is_not_current() -> None:
    s = symbolic_session(64)
    times = s.measure_threads(repeat=1)
    assert timeline_state(s, times).is_current
    ask(s, "size", {"name": "n", "value": 128})
    assert not timeline_state(s, times).is_current
