"""The stage graph: drawn by graphviz where it can be, its nodes with the numbers of the loop tree."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from tewb.ir import script
from tewb.schedule import Stage
from tewb.workbench.looks.short_names import short_names
from tewb.workbench.session import Session
from tewb.workbench.states.loops import LoopNode, loops_state
from tewb.workbench.views.graph import Box, arrows, dot_text, svg, tree


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
    short = short_names(s.name for s in stages)
    nodes = tuple([_node(s, known[s.name], short[s.name]) for s in stages])
    edges = arrows(session.schedule)
    source = dot_text([Box(n.stage, n.lines, n.is_input) for n in nodes], edges)
    shown = tuple([GraphEdge(e.source, e.target, e.at) for e in edges])
    return Graph(nodes, shown, _drawn(source), tree(session.schedule))


def _stages(n: LoopNode) -> list[LoopNode]:
    own = [] if n.kind == "loop" else [n]
    return own + [found for inner in n.inside for found in _stages(inner)]


def _node(s: Stage, n: LoopNode, name: str) -> GraphNode:
    t = s.op.output(0)
    shape = " x ".join(script(x) for x in t.shape) or "scalar"
    lines = [name, f"{shape} {t.dtype}"]
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


@lru_cache(maxsize=64)
def _drawn(source: str) -> str | None:
    return svg(source)
