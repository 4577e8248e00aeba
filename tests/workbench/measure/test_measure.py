"""Measuring: counts, contestants in turn, and no time for a wrong result."""

from __future__ import annotations

import threading
import time
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import tewb
from tests.programs import PROGRAMS, schedule_for
from tewb import te
from tewb.base import ScheduleError, Stopped
from tewb.runtime import Timing
from tewb.schedule import Step
from tewb.workbench import Measurement, Session
from tewb.workbench.demos import demo_session
from tewb.workbench.measure.counts import least_bytes, operations
from tewb.workbench.measure.trials import Timings, in_turn, last_cache_bytes
from tewb.workbench.views import times

SPLIT = {"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 8}}


def session(n: int = 32) -> Any:
    return demo_session("matmul", n=n)


# ---- counts


@pytest.mark.parametrize(
    ("program", "count", "moved"),
    [
        ("matmul", 2 * 17 * 13 * 11, 4 * (17 * 11 + 11 * 13 + 17 * 13)),  # a product and a sum
        ("chain", 19 * 10 * (2 + 2 + 1), 4 * 2 * 190),
        ("blur", 18 * 21 * (2 + 2), 4 * 2 * 378),  # the max and min of the indices are free
        ("padded", 23 * 5, 4 * 2 * 23),  # the padding only chooses
        ("rows", 84 + 2 * 84 + 84 + 84, 4 * 2 * 84),  # max, subtract and exp, sum, divide
        ("transposed", 126 + 126, 4 * 2 * 126),
        ("two_outputs", 60 * (1 + 2), 8 * 3 * 60),
        ("argmax", 78 * 2, 4 * (78 + 2 * 6)),  # two comparisons at a point
    ],
)
def test_counts_of_known_programs(program: str, count: int, moved: int) -> None:
    inputs, outputs = PROGRAMS[program]()
    assert operations(schedule_for(outputs).outputs, {}) == count
    assert least_bytes([*inputs, *outputs], {}) == moved


def test_symbolic_sizes_and_fma_are_counted() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A", dtype="float64")
    B = te.compute((n,), lambda i: te.fma(A[i], A[i], 1.0), name="B")
    assert operations([B.op], {"n": 10}) == 20
    assert least_bytes([A, B, n], {"n": 10}) == 160


def test_the_count_is_that_of_the_definition_whatever_the_schedule() -> None:
    s = session()
    s.apply({"primitive": "cache_write", "stage": "C", "args": {"scope": "local"}})
    assert s.measure(repeat=1, cold=False).operations == 2 * 32**3


def test_work_inside_an_extern_is_not_counted() -> None:
    m = demo_session("extern").measure(repeat=1)
    assert m.operations is None and m.gflops is None and m.gbytes


def test_rates_are_amounts_per_median() -> None:
    m = Measurement(True, "", Timing((2.0, 4.0, 1.0)), operations=6 * 10**9, bytes=10**9)
    assert (m.gflops, m.gbytes, m.ratio) == (3.0, 0.5, None)


# ---- sampling


def test_samples_are_taken_in_turn_warm_and_cold(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr("tewb.workbench.measure.trials.calls_for", lambda f, seconds: 2)
    monkeypatch.setattr("tewb.workbench.measure.trials.cache_flusher", lambda: lambda: calls.append("~"))
    trials = in_turn([lambda: calls.append("a"), lambda: calls.append("b")], 2)
    assert "".join(calls) == "aa~abb~b" * 2
    assert all(t.cold and len(t.cold.results) == len(t.warm.results) == 2 for t in trials)


def test_progress_goes_from_building_to_done() -> None:
    told: list[tuple[float, str]] = []
    session().measure(repeat=4, progress=lambda done, what: told.append((done, what)))
    assert [what for _, what in told[:2]] == ["building", "checking the result"]
    assert told[-1] == (1.0, "sample 4 of 4")
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_stop_ends_between_samples() -> None:
    rounds: list[float] = []
    m = session().measure(
        repeat=50, stop=lambda: len(rounds) > 4, progress=lambda done, what: rounds.append(done), pinned=[]
    )
    assert m.kernel and m.numpy and m.pinned and m.cold
    assert {len(t.results) for t in (m.kernel, m.numpy, m.pinned, m.cold)} == {3}
    assert "stopped early" in m.message


def stopped_after(seconds: float, s: Session) -> Measurement:
    """A measurement whose stop is asked for after some seconds."""
    stop = threading.Event()
    timer = threading.Timer(seconds, stop.set)
    timer.start()
    found: list[Measurement] = []
    thread = threading.Thread(target=lambda: found.append(s.measure(stop=stop.is_set)))
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    timer.cancel()
    return found[0]


def endless() -> tuple[Any, list[Any]]:
    """A program of a year or so, with small arrays."""
    k = te.reduce_axis((0, 1 << 50), name="k")
    A = te.placeholder((4,), name="A", dtype="int64")
    C = te.compute((1,), lambda i: te.sum((A[k // 3 % 4] + k) % 7, axis=k), name="C")
    return te.create_schedule(C.op), [A, C]


def test_stop_ends_a_call_that_runs_for_ever() -> None:
    s = Session(*endless(), reference=lambda a: np.zeros(1, "int64"))
    m = stopped_after(0.5, s)
    assert not m.ok and m.kernel is None and m.message == "stopped before it was timed"
    assert not s.timings  # nothing was measured


def test_stop_ends_a_reference_in_python() -> None:
    def reference(*arrays: Any) -> Any:
        while True:
            pass

    s = session()
    s.reference = reference
    assert stopped_after(0.5, s).message == "stopped before it was timed"


def test_a_reference_that_nothing_ends_is_given_up_and_waited_for_by_the_next_measurement() -> None:
    ended: list[float] = []

    def slow(*arrays: Any) -> Any:
        time.sleep(4)  # as numpy does, it does not look at anything meanwhile
        ended.append(1)

    s = session()
    s.reference = slow
    assert stopped_after(0.5, s).message == "stopped before it was timed"
    assert not ended
    told: list[str] = []
    m = session().measure(repeat=1, progress=lambda done, what: told.append(what))
    assert m.ok and told[0] == "numpy is still at work on what was stopped"


def test_what_a_reference_raises_comes_out() -> None:
    def reference(*arrays: Any) -> Any:
        raise ZeroDivisionError("mine")

    s = session()
    s.reference = reference
    with pytest.raises(ZeroDivisionError, match="mine"):
        s.measure(repeat=1)


def test_rounds_that_were_finished_count_when_one_is_stopped() -> None:
    calls: list[int] = []

    def contestant() -> None:
        calls.append(1)
        time.sleep(0.03)  # so that a sample is one call
        if len(calls) > 8:
            raise Stopped

    (trial,) = in_turn([contestant], 50, lambda: False, cold=False)
    assert trial.warm.results
    with pytest.raises(Stopped):
        in_turn([contestant], 50, cold=False)


def test_without_cold_no_cache_is_flushed() -> None:
    m = session().measure(repeat=1, cold=False)
    assert m.kernel and m.cold is None and m.numpy_cold is None


def test_the_last_cache_has_a_size() -> None:
    assert last_cache_bytes() >= 2**18


# ---- a pinned schedule


def test_a_pinned_schedule_is_timed_beside() -> None:
    s = session()
    pinned = s.schedule.copy()
    s.apply(SPLIT)
    m = s.measure(repeat=2, pinned=pinned)
    assert m.pinned and m.pinned_ratio and m.pinned_message == "result equals numpy's"
    assert [r.name for r in m.rows] == ["tewb", "numpy", "pinned"]
    assert s.measure(repeat=2, pinned=[SPLIT]).pinned
    assert s.measure(repeat=2, pinned=s.journal).pinned
    with pytest.raises(ScheduleError, match="step 1.* no axis z"):
        s.measure(repeat=2, pinned=[Step("unroll", "C", {"axis": "z"})])


def test_threads_are_alike_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tewb.workbench.measure.measure.get_num_threads", lambda: 2)
    s = session()
    assert s.measure(repeat=1, cold=False).threads == "one thread each"
    s.apply({"primitive": "parallel", "stage": "C", "args": {"axis": "i"}})
    m = s.measure(repeat=1, cold=False, pinned=[])
    assert (m.threads, m.workers) == ("2 threads each", 2)
    assert m.pinned_message == "result equals numpy's, on one thread"
    s.undo()
    m = s.measure(
        repeat=1, cold=False, pinned=[{"primitive": "parallel", "stage": "C", "args": {"axis": "i"}}]
    )
    assert (m.threads, m.pinned_message) == ("one thread each", "result equals numpy's, on 2 threads")


def test_a_wrong_pinned_schedule_has_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    s = session()
    kernel = s.build()

    def spoilt(a: Any, b: Any, c: Any) -> None:
        kernel(a, b, c)
        c[0, 5] += 1

    monkeypatch.setattr("tewb.workbench.measure.measure._pinned_kernel", lambda session, pinned: spoilt)
    spoilt.signature = kernel.signature  # type: ignore[attr-defined]
    m = s.measure(repeat=1, pinned=[])
    assert m.ok and m.kernel and m.pinned is None
    assert "C differs from numpy: first at (0, 5)" in m.pinned_message
    assert m.rows[2].warm is None and not m.rows[2].ok


# ---- the check


def test_no_time_for_a_wrong_result_and_the_first_index_is_named() -> None:
    s = session()

    def reference(a: Any, b: Any) -> Any:
        c = a @ b
        c[3, 7] += 1
        return c

    s.reference = reference
    m = s.measure(repeat=1)
    assert not m.ok and [t for t in (m.kernel, m.numpy, m.cold, m.ratio, m.gflops) if t is not None] == []
    assert "C differs from numpy: first at (3, 7)" in m.message and "(1 of 1024 elements)" in m.message
    assert s.timings[()] is m


def test_the_tolerance_is_that_of_the_dtype() -> None:
    A = te.placeholder((8,), name="A", dtype="int32")
    B = te.compute((8,), lambda i: A[i] + 1, name="B")
    s = tewb.Session(te.create_schedule(B.op), [A, B], reference=lambda a: a + 2)
    s.inputs = [np.full(8, 2**30, "int32")]  # a float comparison would take the difference for rounding
    assert "first at (0,)" in s.measure(repeat=1).message


# ---- what is kept


def test_times_are_kept_for_every_journal() -> None:
    s = session()
    first = s.measure(repeat=1)
    s.apply(SPLIT)
    second = s.measure(repeat=1)
    assert list(s.timings.values()) == [first, second]
    s.undo()
    assert s.timings[s.journal] is first and second.journal[0].primitive == "split"
    again = s.measure(repeat=1)
    assert list(s.timings.values()) == [second, again]


def test_timings_go_by_what_the_steps_do() -> None:
    kept = Timings()
    kept[(Step("split", "C", {"axis": "i", "factor": 8}, results=("i.outer", "i.inner")),)] = Measurement(
        True, ""
    )
    assert kept.get((Step("split", "C", {"factor": 8, "axis": "i"}),)) is not None
    assert kept.get((Step("split", "C", {"factor": 4, "axis": "i"}),)) is None


# ---- the views


SVG = "{http://www.w3.org/2000/svg}"


def history(s: Any) -> Any:
    return ElementTree.fromstring(times.history_plot(s))


def test_the_table_has_the_check_beside_every_number() -> None:
    s = session()
    table = times.times_panel(s.measure(repeat=2, pinned=[]), "after 0 steps")
    rows = ElementTree.fromstring(table).findall(".//tr")
    assert [row[0].text for row in rows[1:]] == ["tewb", "numpy", "pinned"]
    assert all("✓" in "".join(row[1].itertext()) for row in rows[1:])
    assert all(cell.text for row in rows[1:] for cell in row[2:])
    assert "one thread each" in table and "pinned / tewb" in table


def test_the_table_of_a_wrong_result_has_no_numbers() -> None:
    s = session()
    s.reference = lambda a, b: a @ b + 1
    rows = ElementTree.fromstring(times.times_panel(s.measure(repeat=1))).findall(".//tr")
    assert len(rows) == 2 and "✗ C differs from numpy: first at (0, 0)" in "".join(rows[1][1].itertext())
    assert not any(cell.text for cell in rows[1][2:])


def test_before_a_measurement_the_panel_says_what_to_do() -> None:
    assert "press Measure" in times.times_panel(None)
    assert 'value="0.500"' in times.progress_bar(0.5, "sample 4 of 8")


def test_the_history_has_a_point_for_every_measured_step_and_numpys_line() -> None:
    s = session()
    s.measure(repeat=1, cold=False)
    s.apply(SPLIT)
    s.apply({"primitive": "unroll", "stage": "C", "args": {"axis": "i.inner"}})
    s.measure(repeat=1, cold=False)
    assert [m.steps for m in times.history(s)] == [0, 2]
    root = history(s)
    circles = list(root.iter(f"{SVG}circle"))
    assert [c.get("class") for c in circles] == ["tw-point", "tw-newest"]
    assert "after step 2, unroll(C, axis=i.inner)" in circles[1][0].text
    assert "tw-reference" in [e.get("class") for e in root.iter(f"{SVG}polyline")]
    assert root.find(f"{SVG}desc").text.startswith("After 0 steps ")
    s.undo()
    assert len(list(history(s).iter(f"{SVG}circle"))) == 1


def test_a_wrong_result_is_a_cross_in_the_history() -> None:
    s = session()
    assert "no times yet" in times.history_plot(s)
    reference, s.reference = s.reference, lambda a, b: a @ b + 1
    s.measure(repeat=1)
    root = history(s)
    assert [e.get("class") for e in root.iter(f"{SVG}text")][-1] == "tw-wrong"
    assert not list(root.iter(f"{SVG}circle")) and "a wrong result" in root.find(f"{SVG}desc").text
    s.reference = reference
    s.apply(SPLIT)
    s.measure(repeat=1, cold=False)
    root = history(s)
    assert (
        "tw-wrong" in [e.get("class") for e in root.iter(f"{SVG}text")]
        and len(list(root.iter(f"{SVG}circle"))) == 1
    )
