"""The roofline as a drawing: its scales, its words, and the points."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from tests.workbench.measure.test_roofline import PEAKS, took
from tewb.schedule import Step
from tewb.workbench.demos import demo_session
from tewb.workbench.measure.roofline import Peaks, Roofline, roofline
from tewb.workbench.views import roofline as view

SVG = "{http://www.w3.org/2000/svg}"


def drawn(r: Roofline) -> Any:
    return ElementTree.fromstring(view.roofline_svg(r))


def classes(root: Any, tag: str) -> list[str]:
    return [e.get("class") for e in root.iter(SVG + tag)]


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


def test_a_log_scale_takes_the_ends_to_the_ends_and_the_geometric_middle_to_the_middle() -> None:
    scale = view.log_scale(1.0, 100.0, 50.0, 10.0)
    assert [round(scale(v), 6) for v in (1.0, 10.0, 100.0)] == [50.0, 30.0, 10.0]


def test_words_say_what_the_machine_reaches() -> None:
    r = Roofline(Peaks(gflops=100.0, gbytes=20.0, threads=2), note="nothing yet")
    assert view.describe(r) == (
        "On 2 threads this machine reaches 100 GFLOP/s of float32 and 20 GB/s from memory. No point: nothing yet."
    )


def test_drawings_of_other_words_have_other_names() -> None:
    a, b = (view.svg("t", words, "<g/>", 99) for words in ("one", "two <&>"))
    names = [ElementTree.fromstring(text)[0].get("id") for text in (a, b)]
    assert names[0] != names[1] and 'viewBox="0 0 460 99"' in a and "two &lt;&amp;&gt;" in b
    assert "Roofline" in view.roofline_panel(Roofline(PEAKS)) and "tw-panel-roofline" in view.roofline_panel(
        Roofline(PEAKS)
    )
