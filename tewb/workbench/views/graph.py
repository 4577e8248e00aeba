"""The stage graph: drawn by graphviz where it can be, else written as a tree."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tewb.base import printable
from tewb.ir import script
from tewb.schedule import At, Schedule, Stage, With
from tewb.workbench.looks.loop_tree import scan_of_state
from tewb.workbench.looks.sizes import memory_shown

# Graphviz knows no currentColor; this ink is put in and taken out again, so that themes can colour the graph.
_INK = "#010203"


@dataclass(frozen=True, slots=True)
class Box:
    """A stage as it is drawn: its name, and lines of text."""

    stage: str
    lines: tuple[str, ...]
    is_input: bool


@dataclass(frozen=True, slots=True)
class Arrow:
    """From a stage to one that reads it; or, with the name of a loop in `at`, to the stage in which it is computed."""

    source: str
    target: str
    at: str = ""


def dot(schedule: Schedule) -> str:
    """The stages as a graph in the DOT language: data flows down, dashed edges lead to where a stage is computed."""
    return dot_text(
        [Box(s.name, _lines(s), s.is_placeholder and scan_of_state(s) is None) for s in schedule.stages],
        arrows(schedule),
    )


def arrows(schedule: Schedule) -> list[Arrow]:
    """The edges of the stage graph."""
    reads = [Arrow(producer.name, s.name) for s in schedule.stages for producer in s.reads()]
    placed = [(s, s.attach) for s in schedule.stages if isinstance(s.attach, At | With)]
    return reads + [Arrow(s.name, at.stage.name, at.stage.axis_name(at.axis)) for s, at in placed]


def dot_text(boxes: Sequence[Box], edges: Sequence[Arrow]) -> str:
    """A stage graph in the DOT language; box i has the id `node-i` and edge i `edge-i`."""
    ink = f'color="{_INK}", fontname="Courier", fontcolor="{_INK}"'
    lines = [
        "digraph stages {",
        f'  graph [bgcolor="transparent", fontname="Courier", color="{_INK}", ranksep=0.35, nodesep=0.3];',
        f"  node [{ink}, fontsize=11, shape=box, style=rounded];",
        f"  edge [{ink}, fontsize=10];",
    ]
    for i, b in enumerate(boxes):
        shape = ", shape=ellipse" if b.is_input else ""
        lines.append(f'  {quoted(b.stage)} [id="node-{i}", label={quoted(*b.lines)}{shape}];')
    for i, e in enumerate(edges):
        how = f", style=dashed, constraint=false, label={quoted('at ' + e.at)}" if e.at else ""
        lines.append(f'  {quoted(e.source)} -> {quoted(e.target)} [id="edge-{i}"{how}];')
    return "\n".join([*lines, "}"])


def quoted(*lines: str) -> str:
    """Lines as one string of the DOT language, whatever is in them."""
    shown = [printable(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines]
    return '"' + "\\n".join(shown) + '"'


def _lines(s: Stage) -> tuple[str, ...]:
    t = s.op.output(0)
    shape = " x ".join(script(n) for n in t.shape) or "scalar"
    scan = scan_of_state(s)
    memory = memory_shown(t) if scan is None else f"the steps before, of {scan.name}"
    words = [s.name, f"{shape} {t.dtype}, {memory}"]
    if s.is_inlined:
        words.append("inline")
    elif s.leaf_iter_vars and not s.is_placeholder:
        words.append(s.loops())
    return tuple(words)


def svg(source: str) -> str | None:
    """The graph as SVG that takes the colour of the text around it; None where nothing can draw it."""
    try:
        import graphviz  # an extra: the core does not need it
    except ImportError:
        return None
    drawn = _draw(graphviz, source)
    if drawn is None:
        return None
    body = drawn[drawn.index("<svg") :]
    return re.sub(_INK, "currentColor", body)


def _draw(graphviz: Any, source: str) -> str | None:
    try:
        return str(graphviz.Source(source).pipe(format="svg", encoding="utf-8"))
    except (graphviz.ExecutableNotFound, graphviz.CalledProcessError):
        pass
    binary = _pure_binary()
    if binary is None:
        return None
    from graphviz.backend import dot_command

    before = dot_command.DOT_BINARY
    dot_command.DOT_BINARY = binary
    try:
        return str(graphviz.Source(source).pipe(format="svg", encoding="utf-8"))
    except (graphviz.ExecutableNotFound, graphviz.CalledProcessError):
        return None
    finally:
        dot_command.DOT_BINARY = before


def _pure_binary() -> Path | None:
    """The program that the graphviz-pure wheel brings, if it is installed."""
    import shutil
    import sysconfig

    path = shutil.which("graphviz-pure") or shutil.which("graphviz-pure", path=sysconfig.get_path("scripts"))
    return Path(path) if path else None


def tree(schedule: Schedule) -> str:
    """The stages as indented text, from the outputs back, for where no graph can be drawn."""
    lines: list[str] = []

    def show(s: Stage, depth: int) -> None:
        t = s.op.output(0)
        lines.append(f"{'  ' * depth}{s.name}: {t.dtype}[{', '.join(script(n) for n in t.shape)}]")
        for producer in s.reads():
            show(producer, depth + 1)

    for s in schedule.output_stages:
        show(s, 0)
    return "\n".join(lines)
