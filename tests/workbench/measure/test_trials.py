"""Trials: contestants in turn, warm and cold, until somebody stops them; and the times that are kept."""

from __future__ import annotations

import sys
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tewb.base import Stopped, stopped_by, stopping
from tewb.schedule import Step
from tewb.workbench import Measurement
from tewb.workbench.demos import demo_session
from tewb.workbench.measure import trials as module
from tewb.workbench.measure.trials import Timings, in_turn, last_cache_bytes, numpy_threads


def test_samples_are_taken_in_turn_warm_and_cold(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr("tewb.workbench.measure.trials.calls_for", lambda f, seconds: 2)
    monkeypatch.setattr("tewb.workbench.measure.trials.cache_flusher", lambda: lambda: calls.append("~"))
    trials = in_turn([lambda: calls.append("a"), lambda: calls.append("b")], 2)
    assert "".join(calls) == "aa~abb~b" * 2
    assert all(t.cold and len(t.cold.results) == len(t.warm.results) == 2 for t in trials)


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


def test_the_last_cache_has_a_size() -> None:
    assert last_cache_bytes() >= 2**18


def test_timings_go_by_what_the_steps_do() -> None:
    kept = Timings()
    kept[(Step("split", "C", {"axis": "i", "factor": 8}, results=("i.outer", "i.inner")),)] = Measurement(
        True, ""
    )
    assert kept.get((Step("split", "C", {"factor": 8, "axis": "i"}),)) is not None
    assert kept.get((Step("split", "C", {"factor": 4, "axis": "i"}),)) is None


def test_progress_and_stop_are_asked_after_each_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "calls_for", lambda f, seconds: 1)
    told: list[tuple[float, str]] = []
    (trial,) = in_turn([int], 4, lambda: len(told) == 2, lambda *what: told.append(what), cold=False)
    assert told == [(0.25, "sample 1 of 4"), (0.5, "sample 2 of 4")] and len(trial.warm.results) == 2
    assert trial.cold is None


def test_work_that_was_stopped_before_is_sampled_once() -> None:
    calls: list[int] = []
    (trial,) = in_turn([lambda: calls.append(1)], 9, lambda: True, cold=False)
    assert len(calls) == len(trial.warm.results) == 1


def test_the_flusher_writes_more_than_a_cache_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    empty = np.empty
    monkeypatch.setattr(module, "last_cache_bytes", lambda: 1000)
    monkeypatch.setattr(module.np, "empty", lambda n, d: made.append(n) or empty(n, d))
    module.cache_flusher()()
    assert made == [2000]


def test_the_flusher_writes_little_more_than_a_large_cache_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    monkeypatch.setattr(module, "last_cache_bytes", lambda: 260 * 2**20)
    monkeypatch.setattr(module.np, "empty", lambda n, d: made.append(n))
    module.cache_flusher()
    assert made == [324 * 2**20]


def test_a_flush_writes_all_and_is_stopped_between_its_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = np.zeros(100, np.uint8)
    monkeypatch.setattr(module, "last_cache_bytes", lambda: 50)
    monkeypatch.setattr(module, "PIECE", 8)
    monkeypatch.setattr(module.np, "empty", lambda n, d: buffer)
    module.cache_flusher()()
    assert buffer.all()
    buffer[:] = 0
    monkeypatch.setattr(stopping, "MOMENT", -1.0)
    with stopped_by(lambda: True), pytest.raises(Stopped):
        module.cache_flusher()()
    assert buffer.sum() == 8


@pytest.mark.parametrize("samples", [1, 2, 3, 4])
def test_a_stop_is_asked_between_samples_and_the_round_does_not_count(
    monkeypatch: pytest.MonkeyPatch, samples: int
) -> None:
    calls: list[int] = []
    monkeypatch.setattr(module, "calls_for", lambda f, seconds: 1)
    monkeypatch.setattr(module, "cache_flusher", lambda: lambda: None)
    contestants = [lambda: calls.append(1)] * 2  # four samples in a round

    def stop() -> bool:
        return len(calls) >= 4 + samples

    assert [len(t.warm.results) for t in in_turn(contestants, 9, stop)] == [1 + samples // 4] * 2
    assert len(calls) == 4 + samples
    calls.clear()
    if samples < 4:
        with pytest.raises(Stopped):
            in_turn(contestants, 9, lambda: len(calls) >= samples)


@pytest.mark.parametrize("threads", [False, True])
def test_threads_come_to_rest_before_each_sample(monkeypatch: pytest.MonkeyPatch, threads: bool) -> None:
    calls: list[str] = []
    monkeypatch.setattr(module, "calls_for", lambda f, seconds: 1)
    monkeypatch.setattr(module, "cache_flusher", lambda: lambda: calls.append("~"))
    monkeypatch.setattr(module, "rest", lambda: calls.append("z"))
    in_turn([lambda: calls.append("a"), lambda: calls.append("b")], 2, threads=threads)
    assert "".join(calls) == ("zz" + "za~zazb~zb" * 2 if threads else "a~ab~b" * 2)


@pytest.mark.parametrize(("busy", "sleeps"), [(0, 1), (5, 6), (1000, 30)])
def test_rest_ends_when_no_thread_works_or_after_a_while(
    monkeypatch: pytest.MonkeyPatch, busy: int, sleeps: int
) -> None:
    slept: list[float] = []
    clock = SimpleNamespace(
        monotonic=lambda: 1e-9 + sum(slept), process_time=lambda: sum(slept[:busy]), sleep=slept.append
    )
    monkeypatch.setattr(module, "time", clock)
    module.rest()
    assert abs(len(slept) - sleeps) <= (busy > 100)


@pytest.mark.parametrize("parallel", [False, True])
def test_only_contests_with_several_threads_rest(monkeypatch: pytest.MonkeyPatch, parallel: bool) -> None:
    rests: list[int] = []
    monkeypatch.setattr(module, "rest", lambda: rests.append(1))
    monkeypatch.setattr("tewb.workbench.measure.measure.get_num_threads", lambda: 2)
    session = demo_session("matmul", n=8)
    pinned = [Step("parallel", "C", {"axis": "i"})] if parallel else None
    assert session.measure(1, pinned=pinned, cold=False).ok and bool(rests) == parallel
    rests.clear()
    session.try_steps([Step("parallel" if parallel else "unroll", "C", {"axis": "i"})])
    assert bool(rests) == parallel


@pytest.mark.parametrize(("count", "said"), [(1, "one thread each"), (3, "3 threads each")])
def test_numpy_is_held_to_as_many_threads(count: int, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []

    class Limits:
        def __init__(self, n: int) -> None:
            held.append(n)

        def __enter__(self) -> None: ...
        def __exit__(self, *error: Any) -> None:
            held.append(0)

    monkeypatch.setitem(sys.modules, "threadpoolctl", SimpleNamespace(threadpool_limits=Limits))  # type: ignore[arg-type]
    with numpy_threads(count) as text:
        assert text == said and held == [count]
    assert held == [count, 0]
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)  # type: ignore[arg-type]
    with numpy_threads(count) as text:
        assert "threadpoolctl is not installed" in text


def test_timings_are_in_the_order_of_measuring() -> None:
    kept = Timings()
    a, b = (Step("unroll", "C", {"axis": "i"}),), (Step("unroll", "C", {"axis": "j"}),)
    first, second, third = (Measurement(True, text) for text in "123")
    kept[a], kept[b], kept[a] = first, second, third
    assert list(kept.values()) == [second, third] and list(kept) == [b, a] and len(kept) == 2
    del kept[b]
    assert b not in kept and kept[a] is third
    with pytest.raises(KeyError):
        kept[()]
