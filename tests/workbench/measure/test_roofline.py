"""The roofline: peaks, points, and the drawing."""

from __future__ import annotations

import pytest

import tewb
from tewb import te
from tewb.runtime import Timing
from tewb.schedule import Step
from tewb.workbench import Measurement
from tewb.workbench.demos import demo_session
from tewb.workbench.measure.roofline import Peaks, Point, machine_peaks, roofline

PEAKS = Peaks(gflops=100.0, gbytes=20.0)


def took(seconds: float, *steps: Step, numpy: float = 1.0) -> Measurement:
    """A measurement of 10 GFLOP on 4 GB: intensity 2.5."""
    return Measurement(
        True, "", Timing((seconds,)), Timing((numpy,)), cold=Timing((2 * seconds,)), operations=10**10,
        bytes=4 * 10**9, journal=steps,
    )  # fmt: skip


def test_the_roof_is_memory_and_then_arithmetic() -> None:
    assert PEAKS.ridge == 5.0
    assert [PEAKS.roof(i) for i in (0.5, 5.0, 50.0)] == [10.0, 100.0, 100.0]


def test_points_are_rates_over_intensity_and_the_last_is_newest() -> None:
    s = demo_session("matmul", n=16)
    r = roofline(s, [took(4.0), took(0.5, Step("unroll", "C", {"axis": "i"}))], PEAKS)
    assert [(p.intensity, p.gflops) for p in r.points] == [(2.5, 2.5), (2.5, 20.0)]
    assert r.newest == Point("step 1, unroll(C, axis=i)", 2.5, 20.0)
    assert r.numpy and r.numpy.gflops == 10.0
    assert r.cold and r.cold.gflops == 10.0
    assert r.share == 20.0 / 50.0


def test_a_wrong_result_has_no_point() -> None:
    s = demo_session("matmul", n=16)
    r = roofline(s, [took(4.0), Measurement(False, "C differs", operations=10, bytes=10)], PEAKS)
    assert len(r.points) == 1


def test_the_measurements_of_a_session_are_its_history() -> None:
    s = demo_session("matmul", n=16)
    s.measure(repeat=1, cold=False)
    s.apply({"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 8}})
    s.measure(repeat=1, cold=False)
    r = roofline(s, peaks=PEAKS)
    assert [p.label for p in r.points] == ["no steps", "step 1, split(C, axis=i, factor=8)"]
    assert r.points[0].intensity == 2 * 16**3 / (3 * 4 * 16**2)


def test_without_points_the_reason_is_given() -> None:
    assert "nothing measured yet" in roofline(demo_session("matmul", n=16), peaks=PEAKS).note
    s = demo_session("extern")
    s.measure(repeat=1, cold=False)
    assert "cannot be counted" in roofline(s, peaks=PEAKS).note


@pytest.mark.one_in(4)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("threads", [1, 2])
def test_peaks_are_measured_once(dtype: str, threads: int) -> None:
    p = machine_peaks(dtype, threads)
    assert p.gflops > 0 and p.gbytes > 0 and (p.dtype, p.threads) == (dtype, threads)
    assert machine_peaks(dtype, threads) is p


def test_a_session_asks_for_the_peaks_of_its_dtype() -> None:
    A = te.placeholder((8,), name="A", dtype="float64")
    B = te.compute((8,), lambda i: A[i] * 2.0, name="B")
    assert tewb.Session(te.create_schedule(B.op), [A, B]).roofline().peaks is machine_peaks("float64", 1)
