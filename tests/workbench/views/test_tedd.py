"""The graphs of classic TEDD: what they hold, and that graphviz reads them."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

import pytest

from tests.programs import PROGRAMS, random_schedule
from tewb import te
from tewb.contrib import tedd
from tewb.schedule import Schedule
from tewb.workbench.demos import demo_session

GRAPHS = (tedd.viz_dataflow_graph, tedd.viz_schedule_tree, tedd.viz_itervar_relationship_graph)


def blur() -> Schedule:
    """X at rows of Y; Y split and fused."""
    s = demo_session("blur", n=16).schedule
    Y, X = s["Y"], s["X"]
    outer, inner = Y.split("i", factor=4)
    X.compute_at(Y, outer)
    Y.fuse(inner, "j")
    Y.parallel(outer)
    return s


def text(graph: Any, s: Schedule) -> str:
    made = graph(s, output_dot_string=True)
    assert made is not None
    return str(made)


def test_the_dataflow_graph_has_stages_and_tensors_with_shapes_and_bytes() -> None:
    made = text(tedd.viz_dataflow_graph, blur())
    assert 'Stage_1 [shape=box, label="X (compute)"];' in made
    assert 'Stage_1_T0 [shape=ellipse, label="X\\n16 x 16 float32\\n1 KiB"];' in made
    for edge in (
        "Stage_0 -> Stage_0_T0",
        "Stage_0_T0 -> Stage_1",
        "Stage_1 -> Stage_1_T0",
        "Stage_1_T0 -> Stage_2",
    ):
        assert f"  {edge};" in made


def test_the_schedule_tree_has_loops_and_places() -> None:
    made = text(tedd.viz_schedule_tree, blur())
    assert "i.outer\\ in\\ 4\\ data\\ parallel" in made and "i.inner.j.fused\\ in\\ 64\\ data" in made
    target = re.search(r"Stage_1 -> Stage_2:(\w+) \[label=\"at i.outer\"\];", made)
    assert target and f"<{target[1]}> i.outer" in made
    assert "Stage_2 -> ROOT;" in made and "X\\ (compute)\\n16\\ x\\ 16\\ float32\\n1\\ KiB" in made


def test_an_inlined_stage_has_no_loops_and_leads_to_its_readers() -> None:
    s = demo_session("blur", n=16).schedule
    s["X"].compute_inline()
    made = text(tedd.viz_schedule_tree, s)
    assert "Stage_1 -> {Stage_2} [style=dashed, label=inline];" in made
    assert 'Stage_1 [shape=record, label="{X\\ (compute)\\ inline' in made and "Stage_1 -> ROOT" not in made


def test_the_relations_of_loops() -> None:
    made = text(tedd.viz_itervar_relationship_graph, blur())
    y = made[made.index('label="Y"') :]
    assert 'label="split, factor 4"' in y and 'label="fuse"' in y
    names = {
        name: node for node, name in re.findall(r'(Stage_2_iv\d+) \[shape=record, label="([\w.]+)\\ in', y)
    }
    split, fuse = "Stage_2_rel_0", "Stage_2_rel_1"
    for above, below in [
        (names["i"], split), (split, names["i.outer"]), (split, names["i.inner"]), (names["i.inner"], fuse),
        (names["j"], fuse), (fuse, names["i.inner.j.fused"]),
    ]:  # fmt: skip
        assert f"{above} -> {below};" in y
    bold = set(re.findall(r"(Stage_2_iv\d+) \[[^\]]*style=bold", y))
    assert bold == {names["i.outer"], names["i.inner.j.fused"]}


@pytest.mark.skipif(shutil.which("dot") is None, reason="dot is not installed")
@pytest.mark.parametrize("name", PROGRAMS)
def test_graphviz_reads_all_graphs(name: str) -> None:
    import random

    _, outputs = PROGRAMS[name]()
    s = random_schedule(outputs, random.Random(f"tedd{name}"), 6)
    for graph in GRAPHS:
        source = text(graph, s)
        done = subprocess.run(["dot", "-Tsvg"], input=source, capture_output=True, text=True, check=True)
        assert done.stderr == "" and "</svg>" in done.stdout


@pytest.mark.skipif(shutil.which("dot") is None, reason="dot is not installed")
def test_odd_names_are_quoted() -> None:
    A = te.placeholder((4,), name='a|{b}<c> "d" \\n')
    B = te.compute((4,), lambda i: A[i] + 1.0, name="B|{}")
    for graph in GRAPHS:
        source = text(graph, te.create_schedule(B.op))
        done = subprocess.run(["dot", "-Tsvg"], input=source, capture_output=True, text=True, check=True)
        assert done.stderr == "" and "B|{}" in done.stdout


def test_the_font_is_exactly_courier() -> None:
    for graph in GRAPHS:
        assert set(re.findall(r'fontname="([^"]*)"', text(graph, blur()))) == {"Courier"}


def test_the_stage_graph_has_bytes() -> None:
    from tewb.workbench.views.graph import dot

    assert "16 x 16 float32, 1 KiB" in dot(blur())
