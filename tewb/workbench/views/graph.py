"""The stage graph: drawn by graphviz where it can be, else written as a tree."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Any

from tewb.base import printable
from tewb.ir import script
from tewb.schedule import At, Schedule, Stage
from tewb.workbench.looks.sizes import memory_shown
from tewb.workbench.views.html import panel

# Graphviz knows no currentColor; this ink is put in and taken out again, so that themes can colour the graph.
_INK = "#010203"


def dot(schedule: Schedule) -> str:
    """The stages as a graph in the DOT language: data flows down, dashed edges lead to where a stage is computed."""
    lines = [
        "digraph stages {",
        f'  graph [bgcolor="transparent", fontname="Courier", color="{_INK}", ranksep=0.35, nodesep=0.3];',
        f'  node [fontname="Courier", fontsize=11, shape=box, style=rounded, color="{_INK}", fontcolor="{_INK}"];',
        f'  edge [color="{_INK}", fontname="Courier", fontsize=10, fontcolor="{_INK}"];',
    ]
    for s in schedule.stages:
        lines.append(f"  {_id(s)} [label={_label(s)}{', shape=ellipse' if s.is_placeholder else ''}];")
    for s in schedule.stages:
        lines += [f"  {_id(producer)} -> {_id(s)};" for producer in s.reads()]
        if isinstance(s.attach, At):
            at = s.attach.stage.axis_name(s.attach.axis)
            lines.append(
                f"  {_id(s)} -> {_id(s.attach.stage)} [style=dashed, constraint=false, label={quoted('at ' + at)}];"
            )
    return "\n".join([*lines, "}"])


def quoted(*lines: str) -> str:
    """Lines as one string of the DOT language, whatever is in them."""
    shown = [printable(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines]
    return '"' + "\\n".join(shown) + '"'


def _id(s: Stage) -> str:
    return quoted(s.name)


def _label(s: Stage) -> str:
    t = s.op.output(0)
    shape = " x ".join(script(n) for n in t.shape) or "scalar"
    words = [s.name, f"{shape} {t.dtype}, {memory_shown(t)}"]
    if s.is_inlined:
        words.append("inline")
    elif s.leaf_iter_vars and not s.is_placeholder:
        words.append(s.loops())
    return quoted(*words)


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


def graph_panel(schedule: Schedule) -> str:
    """The graph as a panel: a drawing, or a tree and how to get the drawing."""
    drawn = svg(dot(schedule))
    if drawn is not None:
        return panel("Stage graph", drawn, "graph")
    hint = "graphviz's program dot is not installed, so this is text; pip install tewb[dot] draws it"
    return panel(
        "Stage graph",
        f'<div class="tw-code">{escape(tree(schedule))}</div><div class="tw-dim">{hint}</div>',
        "graph",
    )
