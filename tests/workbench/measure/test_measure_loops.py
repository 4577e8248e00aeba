"""Measuring loops: timers within a budget, results that are checked, limits of time, a stop."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

import tewb
from tests.workbench.measure.symbolic import symbolic_session
from tewb import te
from tewb.base import ArgumentError, InternalError
from tewb.lowering import LoopPart, Share
from tewb.workbench.demos import demo_session
from tewb.workbench.measure.measure_loops import chosen_parts, measure_loops
from tewb.workbench.requests import ask


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few short samples: what they say does not matter here."""
    for name, value in (("ROUNDS", 2), ("FEW", 1), ("SAMPLE", 0.001)):
        monkeypatch.setattr(f"tewb.workbench.measure.measure_loops.{name}", value)


def seconds_of(session: tewb.Session, slowdown: float = 1e9) -> dict[str, Any]:
    return {line.name: line for line in measure_loops(session, slowdown=slowdown).lines}


def test_every_loop_has_a_line_and_times_add_up() -> None:
    session = demo_session("blur", n=64)
    session.apply({"primitive": "parallel", "stage": "Y", "args": {"axis": "i"}})
    lines = seconds_of(session)
    assert list(lines) == ["the kernel", "X", "X/i", "X/j", "Y", "Y/i", "Y/j"]
    assert all(line.known == "timed" for line in lines.values())
    inside = lines["X"].seconds + lines["Y"].seconds
    assert lines["the kernel"].own == pytest.approx(max(lines["the kernel"].seconds - inside, 0.0))
    assert lines["X/j"].entries == lines["Y/j"].entries == 64 and lines["Y/i"].entries == 1
    assert lines["Y/i"].tasks > 0 and lines["X/i"].tasks is None


def test_an_extern_has_the_time_of_its_call() -> None:
    @tewb.register_func("tests.sleeps", override=True)
    def sleeps(a: Any, b: Any) -> None:
        time.sleep(0.001)

    A = te.placeholder((4,), name="A")
    E = te.extern((4,), [A], lambda i, o: tewb.tir.call_packed("tests.sleeps", i[0], o[0]), name="E")
    lines = seconds_of(tewb.Session(te.create_schedule(E.op), [A, E]))
    assert lines["E, the call"].entries == 1 and lines["E, the call"].seconds > 0.0009


def test_seconds_of_calls_on_several_threads_are_those_that_pass() -> None:
    @tewb.register_func("tests.sleeps_too", override=True)
    def sleeps(a: Any, b: Any) -> None:
        time.sleep(0.002)

    A = te.placeholder((4, 2), name="A")
    access = te.access.elementwise
    E = te.extern(
        A.shape,
        [A],
        lambda i, o: tewb.tir.call_packed("tests.sleeps_too", i[0], o[0]),
        name="E",
        access=access,
    )
    C = te.compute(A.shape, lambda i, j: E[i, j] + 1.0, name="C")
    s = te.create_schedule(C.op)
    s[E].compute_at(s[C], C.op.axis[0])
    s[C].parallel(C.op.axis[0])
    lines = seconds_of(tewb.Session(s, [A, C]))
    assert lines["C/i"].tasks > 0.0079 and lines["E, the call"].entries == 4
    assert lines["E, the call"].seconds <= lines["C/i"].seconds and lines["E"].seconds <= lines["C/i"].seconds


def test_other_results_with_timers_are_a_fault_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tewb.workbench.measure.measure_loops.difference", lambda t, got, want: "at (0, 0)")
    with pytest.raises(InternalError, match="computes another C: at"):
        measure_loops(demo_session("matmul", n=4))


def test_symbolic_sizes_are_those_of_the_session() -> None:
    n = te.var("n")
    A = te.placeholder((n, 4), name="A")
    B = te.compute((n, 4), lambda i, j: A[i, j] * 2.0, name="B")
    session = tewb.Session(te.create_schedule(B.op), [A, B], sizes={"n": 37})
    assert seconds_of(session)["B/j"].entries == 37
    given = tewb.Session(te.create_schedule(B.op), [A, B], inputs=[np.ones((21, 4), "float32")])
    assert seconds_of(given)["B/j"].entries == 21


def test_lengths_that_data_tells_are_counted() -> None:
    ends = te.placeholder((5,), "int32", name="ends")
    A = te.placeholder((8,), name="A")
    k = te.reduce_axis((0, ends[4]), name="k")
    B = te.compute((3, 2), lambda i, j: te.sum(A[k], axis=k), name="B")
    inputs = [np.array([0, 1, 2, 3, 6], "int32"), np.ones(8, "float32")]
    session = tewb.Session(te.create_schedule(B.op), [ends, A, B], inputs=inputs)
    assert seconds_of(session)["B/k"].entries == 6


def test_what_was_found_is_said() -> None:
    session = demo_session("matmul", n=32)
    times = session.measure_loops()
    assert session.loop_times is times and times.journal == session.journal
    assert times.plain and times.timed and times.timers is not None and times.slowdown is not None
    assert "a call; with" in times.message and "they themselves take about" in str(times)
    assert "C/k" in repr(times)


def test_a_stop_ends_it_and_what_was_found_stays() -> None:
    session = demo_session("matmul", n=16)
    before = session.measure_loops()
    stopped = session.measure_loops(stop=lambda: True, progress=lambda done, what: time.sleep(0.1))
    assert stopped.lines == () and "stopped" in stopped.message and session.loop_times is before


def test_no_sample_begins_after_the_limit() -> None:
    session = demo_session("matmul", n=16)
    told: list[str] = []
    times = session.measure_loops(seconds=1e-9, progress=lambda done, what: told.append(what))
    assert times.lines and told.count("timing loops") == 1


@pytest.mark.parametrize(
    "wrong", [{"seconds": 0}, {"slowdown": -1.0}, {"seconds": "5"}, {"slowdown": True}, {"stop": 3}]
)
def test_misuse_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match=f"{next(iter(wrong))}"):
        measure_loops(demo_session("matmul", n=4), **wrong)


def test_what_cannot_be_lowered_says_why() -> None:
    session = demo_session("matmul", n=16)
    session.args = session.args[:1]
    session.schedule.version += 1
    with pytest.raises(tewb.TewbError, match="not among the arguments"):
        session.measure_loops()


def nest(*entries: float, share: Share = Share.SOME) -> list[LoopPart]:
    """A kernel, and parts inside of each other that are entered so often."""
    parts = [LoopPart("kernel", entries=1, statements=64, runs=True)]
    for n, count in enumerate(entries):
        around = parts[-1]
        p = LoopPart("loop", "A", f"i{n}", around, count, around.statements // 2, share, True)
        around.inside["loop", ("A", f"i{n}")] = p
        parts.append(p)
    return parts


def test_timers_are_chosen_from_the_outside_in() -> None:
    kernel, a, b, c = nest(1, 10, 100)
    assert chosen_parts(kernel, 0) == [kernel]
    assert chosen_parts(kernel, 11) == [kernel, a, b]
    assert chosen_parts(kernel, 111) == [kernel, a, b, c]


def test_what_stands_in_tasks_costs_what_tasks_hand_over() -> None:
    kernel, tasks, inner = nest(100, 10)
    tasks.kind = "tasks"
    assert chosen_parts(kernel, 150) == [kernel, tasks]
    assert chosen_parts(kernel, 210) == [kernel, tasks, inner]


def test_what_is_all_of_its_parent_or_has_no_loop_gets_no_timer() -> None:
    kernel, a, b = nest(1, 10)
    a.share, a.statements = Share.ALL, kernel.statements
    assert chosen_parts(kernel, 100) == [kernel, b]
    b.runs = False
    assert chosen_parts(kernel, 100) == [kernel]


@pytest.mark.parametrize("when", ["building", "timing the kernel as it is", "timing loops"])
def test_a_size_that_is_set_meanwhile_is_for_the_next_measurement(when: str) -> None:
    s = symbolic_session(64)

    def set_size(done: float, what: str) -> None:
        if what == when:
            ask(s, "size", {"name": "n", "value": 512})

    measured = measure_loops(s, slowdown=1e9, progress=set_size)
    assert {line.name: line.entries for line in measured.lines}["D/i"] == 1
    assert {line.name: line.entries for line in measured.lines}["D/j"] == 64
