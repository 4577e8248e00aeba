"""The stage graph: drawn by graphviz where it can be, its nodes with the numbers of the loop tree."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from tewb.ir import script
from tewb.schedule import At, Stage
from tewb.workbench.session import Session
from tewb.workbench.states.loops import LoopNode, loops_state
from tewb.workbench.views.graph import quoted, svg, tree

_INK = "#010203"


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A stage or an input, with lines of text as they are drawn."""

    stage: str
    lines: tuple[str, ...]
    is_input: bool
    part: int


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """From a stage to one that reads it; or, with the name of a loop in `at`, to the stage in which it is computed."""

    source: str
    target: str
    at: str


@dataclass(frozen=True, slots=True)
class Graph:
    """The graph. `svg` is None where nothing can draw it; then `text` is shown. In the drawing, node i has the id
    `node-i` and edge i `edge-i`."""

    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    svg: str | None
    text: str


def graph_state(session: Session) -> Graph:
    """The stage graph of a session."""
    known = {n.stage: n for root in loops_state(session).roots for n in _stages(root)}
    stages = session.schedule.stages
    nodes = tuple([_node(s, known[s.name]) for s in stages])
    edges = [GraphEdge(producer.name, s.name, "") for s in stages for producer in s.reads()]
    edges += [
        GraphEdge(s.name, s.attach.stage.name, s.attach.stage.axis_name(s.attach.axis))
        for s in stages
        if isinstance(s.attach, At)
    ]
    return Graph(nodes, tuple(edges), _drawn(_dot(nodes, edges)), tree(session.schedule))


def _stages(n: LoopNode) -> list[LoopNode]:
    own = [] if n.kind == "loop" else [n]
    return own + [found for inner in n.inside for found in _stages(inner)]


def _node(s: Stage, n: LoopNode) -> GraphNode:
    t = s.op.output(0)
    shape = " x ".join(script(x) for x in t.shape) or "scalar"
    lines = [s.name, f"{shape} {t.dtype}"]
    if n.memory:
        lines.append(n.memory)
    loops = _own_loops(n)
    if loops:
        lines.append(", ".join(f"{loop.loop}({loop.extent})" for loop in loops))
    return GraphNode(s.name, tuple(lines), n.kind == "input", n.part)


def _own_loops(n: LoopNode) -> list[LoopNode]:
    """The loops of a stage, outermost first, without those of the stages inside of them."""
    loops = []
    inner: LoopNode | None = n
    while inner is not None:
        inner = next((x for x in inner.inside if x.kind == "loop" and x.stage == n.stage), None)
        if inner is not None:
            loops.append(inner)
    return loops


def _dot(nodes: tuple[GraphNode, ...], edges: list[GraphEdge]) -> str:
    """The graph in the DOT language: data flows down, dashed edges lead to where a stage is computed."""
    ink = f'color="{_INK}", fontname="Courier", fontcolor="{_INK}"'
    lines = [
        "digraph stages {",
        f'  graph [bgcolor="transparent", fontname="Courier", color="{_INK}", ranksep=0.35, nodesep=0.3];',
        f"  node [{ink}, fontsize=11, shape=box, style=rounded];",
        f"  edge [{ink}, fontsize=10];",
    ]
    for i, n in enumerate(nodes):
        shape = ", shape=ellipse" if n.is_input else ""
        lines.append(f'  {quoted(n.stage)} [id="node-{i}", label={quoted(*n.lines)}{shape}];')
    for i, e in enumerate(edges):
        how = f', style=dashed, constraint=false, label={quoted("at " + e.at)}' if e.at else ""
        lines.append(f'  {quoted(e.source)} -> {quoted(e.target)} [id="edge-{i}"{how}];')
    return "\n".join([*lines, "}"])


@lru_cache(maxsize=64)
def _drawn(source: str) -> str | None:
    return svg(source)
