"""The roofline: peaks, points, and the drawing."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

import tewb
from tewb import te
from tewb.runtime import Timing
from tewb.schedule import Step
from tewb.workbench import Measurement
from tewb.workbench.demos import demo_session
from tewb.workbench.measure.roofline import Peaks, Point, Roofline, machine_peaks, roofline
from tewb.workbench.views import roofline as view

PEAKS = Peaks(gflops=100.0, gbytes=20.0)
SVG = "{http://www.w3.org/2000/svg}"


def took(seconds: float, *steps: Step, numpy: float = 1.0) -> Measurement:
    """A measurement of 10 GFLOP on 4 GB: intensity 2.5."""
    return Measurement(
        True, "", Timing((seconds,)), Timing((numpy,)), cold=Timing((2 * seconds,)), operations=10**10,
        bytes=4 * 10**9, journal=steps,
    )  # fmt: skip


def drawn(r: Roofline) -> Any:
    return ElementTree.fromstring(view.roofline_svg(r))


def classes(root: Any, tag: str) -> list[str]:
    return [e.get("class") for e in root.iter(SVG + tag)]


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
    assert "nothing measured yet" in view.describe(roofline(demo_session("matmul", n=16), peaks=PEAKS))
    s = demo_session("extern")
    s.measure(repeat=1, cold=False)
    assert "cannot be counted" in view.describe(roofline(s, peaks=PEAKS))


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


def test_the_drawing_is_well_formed_and_has_a_name_and_words() -> None:
    strange = Step("cache_read", "A<&>", {"scope": '"'})
    root = drawn(roofline(demo_session("matmul", n=16), [took(4.0), took(2.0, strange)], PEAKS))
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == "Roofline"
    said = root.find(f"{SVG}desc").text
    assert (
        "The newest of 2 points" in said and 'cache_read(A<&>, scope=")' in said and "10% of the roof" in said
    )
    assert root.get("aria-describedby") == root.find(f"{SVG}desc").get("id")


def test_the_points_are_joined_and_the_newest_stands_out() -> None:
    r = roofline(demo_session("matmul", n=16), [took(4.0), took(2.0), took(0.5)], PEAKS)
    root = drawn(r)
    assert classes(root, "circle") == ["tw-point", "tw-point", "tw-numpy", "tw-cold", "tw-newest"]
    (way,) = [e for e in root.iter(f"{SVG}polyline") if e.get("class") == "tw-way"]
    heights = [float(p.split(",")[1]) for p in way.get("points").split()]
    assert heights == sorted(heights, reverse=True)  # faster is higher
    for c in root.iter(f"{SVG}circle"):
        assert 0 < float(c.get("cx")) < view.WIDTH and 0 < float(c.get("cy")) < view.HEIGHT


def test_without_points_the_roof_is_drawn() -> None:
    root = drawn(Roofline(PEAKS, note="nothing measured yet"))
    assert "tw-roof" in classes(root, "polyline") and classes(root, "circle") == []


def test_colours_come_from_the_theme() -> None:
    for line in view.CSS.splitlines():
        if "fill:" in line or "stroke:" in line:
            assert "var(--jp-" in line or "none" in line or "stroke-width" in line


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0.5, 40, [0.5, 1, 2, 5, 10, 20]), (0.001, 10, [0.001, 0.01, 0.1, 1, 10])]
)
def test_ticks(low: float, high: float, expected: list[float]) -> None:
    assert view.ticks(low, high) == expected
