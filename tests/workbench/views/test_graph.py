"""The stage graph: stages, places, and text where nothing draws it."""

from __future__ import annotations

import pytest

from tests.scan_programs import cumulative_sum
from tewb import te
from tewb.workbench.demos import demo_session
from tewb.workbench.views.graph import Arrow, Box, arrows, dot, dot_text, svg, tree


def test_graph_names_stages_and_places() -> None:
    s = demo_session("blur", n=16)
    s.apply({"primitive": "compute_at", "stage": "X", "args": {"parent": "Y", "axis": "i"}})
    source = dot(s.schedule)
    assert '"A" -> "X"' in source and 'label="at i"' in source and 'fontname="Courier"' in source
    assert tree(s.schedule) == "Y: float32[16, 16]\n  X: float32[16, 16]\n    A: float32[16, 16]"


def test_an_edge_leads_to_where_a_stage_is_computed() -> None:
    s = demo_session("blur", n=16)
    s.apply({"primitive": "compute_at", "stage": "X", "args": {"parent": "Y", "axis": "i"}})
    assert arrows(s.schedule) == [Arrow("A", "X"), Arrow("X", "Y"), Arrow("X", "Y", "i")]


def test_names_are_quoted_and_boxes_numbered() -> None:
    text = dot_text([Box('a"b', ('a"b', "two"), True)], [])
    assert 'id="node-0"' in text and r'label="a\"b\ntwo"' in text and "shape=ellipse" in text


def test_nothing_is_drawn_where_nothing_can_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tewb.workbench.views.graph._draw", lambda graphviz, source: None)
    assert svg("digraph {}") is None


def test_the_state_of_a_scan_is_no_input() -> None:
    X, _, _, _, result = cumulative_sum(8, 4)
    text = dot(te.create_schedule(result.op))
    assert (
        text.count("shape=ellipse") == 1 and "the steps before, of res" in text and f'"{X.op.name}" [' in text
    )
