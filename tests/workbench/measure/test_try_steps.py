"""Trying steps: on copies, checked, timed beside the program as it is, and done only if they help."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest

from tewb.base import ArgumentError, ScheduleError, Stopped, TewbError
from tewb.runtime import Timing, register_func
from tewb.schedule import Step
from tewb.workbench.demos import demo_session
from tewb.workbench.measure import try_steps as module
from tewb.workbench.measure.try_steps import Checked, Tried, faster, measured_by_trial, timed, try_steps
from tewb.workbench.session import Session

REORDER = Step("reorder", "C", {"axes": ["k", "j"]})
SPLIT = Step("split", "C", {"axis": "j", "factor": 8})


def gains(monkeypatch: pytest.MonkeyPatch, *wanted: float) -> None:
    """The trials of a contest come out like this, whatever the clock says."""
    left = list(wanted)
    monkeypatch.setattr(module, "faster", lambda old, new: left.pop(0))


def test_the_session_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    session = demo_session("matmul", n=32)
    version = session.schedule.version
    gains(monkeypatch, 2.0)
    tried = try_steps(session, [REORDER])
    assert tried.is_faster and tried.gain == 2.0 and tried.journal == () and tried.timing is not None
    assert session.schedule.version == version and session.tried == [] and session.journal == ()


def test_what_helps_is_done_and_its_time_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    session = demo_session("matmul", n=32)
    gains(monkeypatch, 2.0)
    tried = session.try_steps([REORDER.to_json()])
    assert session.journal == (REORDER,) and session.tried == [tried]
    kept = session.timings[session.journal]
    assert kept.kernel is tried.timing and kept.operations == 2 * 32**3 and kept.gflops is not None
    assert str(tried) == "2 times as fast, kept: reorder(C, axes=[k, j])"


def test_what_does_not_help_is_taken_back_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    session = demo_session("matmul", n=32)
    gains(monkeypatch, 0.5)
    tried = session.try_steps([REORDER])
    assert session.journal == () and session.tried == [tried] and not tried.is_faster
    assert str(tried) == "2 times as slow, taken back: reorder(C, axes=[k, j])"


def test_a_gain_within_the_noise_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    session = demo_session("matmul", n=32)
    gains(monkeypatch, 1.01)
    assert (
        str(session.try_steps([SPLIT])).startswith("1.01 times as fast, taken back: ")
        and session.journal == ()
    )


def test_the_best_of_several_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    session = demo_session("matmul", n=32)
    gains(monkeypatch, 1.5, 3.0)
    tried = session.try_steps([SPLIT], [[REORDER]])
    assert session.journal == (REORDER,) and tried.others == ((SPLIT,),)
    assert tried.all_steps == ((REORDER,), (SPLIT,))


def test_between_equals_the_first_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    session = demo_session("matmul", n=32)
    gains(monkeypatch, 2.0, 2.02)
    session.try_steps([SPLIT], [[REORDER]])
    assert session.journal[0].primitive == "split"


def test_a_wrong_result_is_never_kept() -> None:
    session = demo_session("matmul", n=32)
    session.reference = lambda a, b: a @ b + 1
    tried = session.try_steps([REORDER])
    assert tried.gain is None and "the result is wrong: C differs from numpy" in tried.message
    assert session.journal == () and "taken back" in str(tried)
    assert str(tried).startswith("taken back (the result is wrong: C differs from numpy: first at (0, 0)")


def test_refused_steps_raise_and_refused_others_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    session = demo_session("matmul", n=32)
    wrong = Step("parallel", "C", {"axis": "k"})
    with pytest.raises(ScheduleError, match="k is a reduce axis"):
        session.try_steps([SPLIT, wrong])
    assert session.journal == () and session.tried == []
    gains(monkeypatch, 2.0)
    session.try_steps([REORDER], [[wrong]])
    assert session.journal == (REORDER,)


def test_what_was_edited_meanwhile_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    session = demo_session("matmul", n=32)
    gains(monkeypatch, 2.0)
    tried = try_steps(session, [REORDER])
    session.apply(SPLIT)
    settled = session.settle(tried)
    assert [s.primitive for s in session.journal] == ["split"] and session.tried == [tried]
    said = "2 times as fast, but not done, as the schedule was edited meanwhile: reorder(C, axes=[k, j])"
    assert str(settled) == str(session.tried[0]) == said and not settled.is_kept


def slow(seconds: float) -> Any:
    def run(a: Any, b: Any) -> Any:
        time.sleep(seconds)
        return a @ b

    return run


def test_time_is_limited() -> None:
    session = demo_session("matmul", n=32)
    session.reference = slow(5.0)
    began = time.monotonic()
    tried = session.try_steps([REORDER], seconds=0.3)
    assert time.monotonic() - began < 4 and tried.gain is None and tried.message == "not timed within 0.3 s"
    assert session.journal == ()


def test_it_can_be_stopped() -> None:
    session, stop = demo_session("matmul", n=32), threading.Event()
    session.reference = slow(5.0)
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(Stopped):
        try_steps(session, [REORDER], stop=stop.is_set)


def test_progress_is_told() -> None:
    told: list[tuple[float, str]] = []
    try_steps(demo_session("matmul", n=16), [REORDER], progress=lambda done, what: told.append((done, what)))
    shares = [done for done, _ in told]
    assert shares == sorted(shares) and told[0][0] == 0.0 and shares[-1] == 1.0


def test_callbacks_run_when_it_is_asked_for() -> None:
    session = demo_session("extern")
    tried = try_steps(session, [Step("compute_at", "E", {"parent": "C", "axis": "i"})])
    assert tried.gain is not None and tried.gain > 0


def test_ratios_are_of_samples_in_turn() -> None:
    assert faster(Timing((2.0, 4.0, 100.0)), Timing((1.0, 2.0, 10.0))) == 2.0


def test_a_trial_as_a_measurement() -> None:
    session = demo_session("matmul", n=16)
    m = measured_by_trial(session, Tried((), (), 1.5, timing=Timing((1e-6,)), workers=2))
    assert (
        m.ok and m.workers == 2 and m.bytes == 3 * 16 * 16 * 4 and m.gflops == pytest.approx(2 * 16**3 / 1e3)
    )
    assert np.isfinite(m.gflops or 0)


@pytest.mark.parametrize("seconds", [0, -1, "20", None, True])
def test_misuse(seconds: Any) -> None:
    with pytest.raises(ArgumentError, match="is no time"):
        try_steps(demo_session("matmul", n=8), [REORDER], seconds=seconds)


def test_a_schedule_without_loops_is_not_tried() -> None:
    whole = demo_session("matmul", n=8)
    with pytest.raises(TewbError, match="C is an output and is not among the arguments"):
        try_steps(Session(whole.schedule, whole.args[:2]), [REORDER])


def test_a_slow_callback_ends_in_time() -> None:
    session = demo_session("extern", n=40)
    register_func("tewb.demo.triple", lambda a, b: time.sleep(0.1), override=True)
    began = time.monotonic()
    tried = try_steps(session, [Step("compute_at", "E", {"parent": "C", "axis": "i"})], seconds=0.5)
    assert time.monotonic() - began < 6 and tried.gain is None
    assert "not timed within 0.5 s" in tried.message or "the result is wrong" in tried.message


def test_advice_and_its_steps_run_no_callback_by_themselves() -> None:
    called = []
    session = demo_session("extern")
    register_func("tewb.demo.triple", lambda a, b: called.append(1), override=True)
    found = session.advise()
    session.copy().apply(*found.next[0].steps)
    assert called == []


def test_what_takes_long_is_not_called_again_where_once_is_enough() -> None:
    calls: list[str] = []

    def kernel(name: str, seconds: float) -> Checked:
        return Checked(None, lambda: calls.append(name), seconds, 1)

    never = lambda: False  # noqa: E731
    assert timed([kernel("a", 3.0), kernel("b", 0.1)], 5, never) == [Timing((3.0,)), Timing((0.1,))]
    assert calls == []
    alike = timed([kernel("a", 3.0), kernel("b", 2.5)], 5, never)
    assert [len(t.results) for t in alike] == [1, 1] and {"a", "b"} == set(calls)
    assert [len(t.results) for t in timed([kernel("a", 0.01), kernel("b", 0.001)], 5, never)] == [5, 5]


def test_when_the_time_is_over_the_first_calls_count() -> None:
    def late() -> None:
        raise Stopped

    kernels = [Checked(None, late, 0.2, 1), Checked(None, late, 0.1, 1)]
    assert timed(kernels, 5, lambda: True) == [Timing((0.2,)), Timing((0.1,))]
    with pytest.raises(Stopped):
        timed(kernels, 5, lambda: False)


def test_half_of_the_time_is_for_other_factors(monkeypatch: pytest.MonkeyPatch) -> None:
    session = demo_session("matmul", n=16)
    gains(monkeypatch, 2.0)
    contest = module._Contest(session, [(REORDER,), (SPLIT,)], lambda done, what: None)
    tried = contest.result(lambda: False, lambda: True)
    assert tried.steps == (REORDER,) and tried.others == ((SPLIT,),) and tried.is_faster
