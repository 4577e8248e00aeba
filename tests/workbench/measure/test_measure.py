"""Measuring: counts, contestants in turn, and no time for a wrong result."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import tewb
from tests.workbench.measure.symbolic import symbolic_session
from tewb import te
from tewb.base import ScheduleError
from tewb.schedule import Step
from tewb.workbench import Measurement, Session
from tewb.workbench.demos import demo_session
from tewb.workbench.requests import ask

SPLIT = {"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 8}}


def session(n: int = 32) -> Any:
    return demo_session("matmul", n=n)


# ---- sampling


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


def test_without_cold_no_cache_is_flushed() -> None:
    m = session().measure(repeat=1, cold=False)
    assert m.kernel and m.cold is None and m.numpy_cold is None


# ---- a pinned schedule


@pytest.mark.slow
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


@pytest.mark.parametrize("when", ["building", "checking the result"])
def test_a_size_that_is_set_meanwhile_is_for_the_next_measurement(when: str) -> None:
    s = symbolic_session(64)

    def set_size(done: float, what: str) -> None:
        if what == when:
            ask(s, "size", {"name": "n", "value": 512})

    m = s.measure(repeat=1, progress=set_size)
    assert m.ok and (m.sizes, m.bytes) == ("n = 64", 2 * 64 * 64 * 4)
    m = s.measure(repeat=1)
    assert m.ok and (m.sizes, m.bytes) == ("n = 512", 2 * 512 * 512 * 4)


def test_sizes_that_are_told_by_others() -> None:
    """n is no size by itself: what it is follows from n + 2, in the definition by numpy too."""
    n = te.var("n")
    A = te.placeholder((n + 2,), name="A")
    B = te.compute((n,), lambda i: A[i] + A[i + 2], name="B")
    s = te.create_schedule(B.op)
    assert Session(s, [A, B]).measure(1).ok
    given = Session(s, [A, B], inputs=[np.ones(12, "float32")]).measure(1)
    assert given.ok and "n = 10" in str(given)
