"""The classic functions that draw a schedule: as text, to a file, into a notebook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.workbench.views.test_tedd import GRAPHS, blur, text
from tewb.base import TewbError
from tewb.contrib import tedd


def test_the_text_goes_to_a_file(tmp_path: Path) -> None:
    path = tmp_path / "tree.dot"
    assert tedd.viz_schedule_tree(blur(), dot_file_path=str(path)) is None
    assert path.read_text() == text(tedd.viz_schedule_tree, blur())


def test_show_svg_shows_an_image_or_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    from IPython.utils.capture import capture_output

    monkeypatch.setattr("tewb.workbench.views.graph._draw", lambda graphviz, source: "<svg></svg>")
    with capture_output() as got:
        tedd.viz_dataflow_graph(blur(), show_svg=True)
    assert "IPython.core.display.HTML" in got.stdout or got.outputs
    monkeypatch.setattr("tewb.workbench.views.graph._draw", lambda graphviz, source: None)
    with pytest.raises(TewbError, match="dot is not installed"):
        tedd.viz_dataflow_graph(blur(), show_svg=True)


@pytest.mark.parametrize("graph", GRAPHS)
def test_each_graph_is_text_only_where_that_is_wanted(graph: Any) -> None:
    assert graph(blur()) is None
    assert text(graph, blur()).startswith("digraph")


def test_the_three_graphs_differ() -> None:
    assert len({text(graph, blur()) for graph in GRAPHS}) == 3
