"""The stage graph: stages, places, and text where nothing draws it."""

from __future__ import annotations

import pytest

from tests.workbench.test_session import session
from tewb.workbench.demos import demo_session
from tewb.workbench.views.graph import dot, graph_panel, tree


def test_graph_names_stages_and_places() -> None:
    s = demo_session("blur", n=16)
    s.apply({"primitive": "compute_at", "stage": "X", "args": {"parent": "Y", "axis": "i"}})
    source = dot(s.schedule)
    assert '"A" -> "X"' in source and 'label="at i"' in source and 'fontname="Courier"' in source
    assert tree(s.schedule) == "Y: float32[16, 16]\n  X: float32[16, 16]\n    A: float32[16, 16]"


def test_without_dot_the_graph_is_text_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tewb.workbench.views.graph._draw", lambda graphviz, source: None)
    assert "pip install tewb[dot]" in graph_panel(session().schedule)
