"""The graph has the numbers of the loop tree, and ids for what is drawn."""

from __future__ import annotations

from html import unescape

import pytest

from tewb.workbench.demos import demo_session
from tewb.workbench.states import graph
from tewb.workbench.states.graph import GraphEdge, graph_state


def test_a_node_has_the_numbers_of_the_tree() -> None:
    s = demo_session("blur", n=64)
    s.apply({"primitive": "compute_at", "stage": "X", "args": {"parent": "Y", "axis": "i"}})
    g = graph_state(s)
    x = next(n for n in g.nodes if n.stage == "X")
    assert x.lines == ("X", "64 x 64 float32", "768 B, of 16 KiB", "i(3), j(64)")
    assert g.edges == (GraphEdge("A", "X", ""), GraphEdge("X", "Y", ""), GraphEdge("X", "Y", "i"))
    assert g.svg is None or (
        'id="node-1"' in unescape(g.svg) and 'id="edge-2"' in unescape(g.svg) and "currentColor" in g.svg
    )


def test_the_loops_of_a_node_are_its_own() -> None:
    s = demo_session("blur", n=64)
    s.apply({"primitive": "compute_at", "stage": "X", "args": {"parent": "Y", "axis": "i"}})
    y = next(n for n in graph_state(s).nodes if n.stage == "Y")
    assert y.lines[-1] == "i(64), j(64)"


def test_without_a_drawing_there_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "svg", lambda source: None)
    graph._drawn.cache_clear()
    g = graph_state(demo_session("blur", n=48))
    assert g.svg is None and g.text.startswith("Y: float32[48, 48]")
    graph._drawn.cache_clear()
