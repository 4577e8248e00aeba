"""Timings: what they say of their samples, and how many calls a sample is. Time itself is made by the tests."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tewb.runtime import Timing, calls_for, sample, shown, time_call


@pytest.fixture
def takes(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], Callable[[], None]]:
    """Makes functions that take some seconds of a clock that only they move."""
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    return lambda seconds: lambda: now.__setitem__(0, now[0] + seconds)


def test_statistics_of_samples() -> None:
    t = Timing((4.0, 1.0, 2.0, 9.0))
    assert (t.median, t.mean, t.min, t.max) == (3.0, 4.0, 1.0, 9.0)
    assert t.std == pytest.approx(9.5**0.5)
    assert t.spread == pytest.approx((7.75 - 1.25) / 2)
    assert str(Timing((0.002, 0.003, 0.004))) == "3 ms ± 1 ms"


def test_few_samples_have_half_their_range_as_spread() -> None:
    assert Timing((1.0,)).spread == 0.0 and Timing((1.0, 2.0, 4.0)).spread == 1.5


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (90.0, "90 s"),
        (1.0, "1 s"),
        (0.9999, "1,000 ms"),
        (0.00123456, "1.23 ms"),
        (4.5e-6, "4.5 µs"),
        (3.1e-8, "31 ns"),
        (0.0, "0 ns"),
    ],
)
def test_seconds_have_a_readable_unit(seconds: float, text: str) -> None:
    assert shown(seconds) == text


def test_the_number_of_calls_fills_the_time(takes: Callable[[float], Callable[[], None]]) -> None:
    assert calls_for(takes(0.25), 1.0) == 4
    assert calls_for(takes(30.0), 1.0) == 1
    assert calls_for(takes(0.0), 1.0) == 10**8  # faster than the clock


def test_a_sample_is_the_mean_of_its_calls(takes: Callable[[float], Callable[[], None]]) -> None:
    calls: list[float] = []
    work = takes(0.5)
    assert sample(lambda: (work(), calls.append(1))[0], 8) == 0.5 and len(calls) == 8


def test_samples_of_a_call(takes: Callable[[float], Callable[[], None]]) -> None:
    calls: list[int] = []
    work = takes(0.0078125)
    assert time_call(lambda: (calls.append(1), work())[1], number=3, repeat=2).results == (0.0078125,) * 2
    assert len(calls) == 6
    calls.clear()
    assert len(time_call(lambda: (calls.append(1), work())[1]).results) == 7
    assert len(calls) == 2 + 7 * 2  # 20 ms a sample
    calls.clear()
    time_call(lambda: (calls.append(1), work())[1], number=3, repeat=2, min_seconds=0.0625)
    assert len(calls) == 2 + 2 * 8
