"""The three graphs that classic TVM's TEDD drew: data flow, the tree of stages, and where loops came from.

Labels are records, which every program that draws graphs knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tewb.base import printable
from tewb.ir import Expr, IterVar, script
from tewb.schedule import At, Fuse, Schedule, Split, Stage, With, loop_marks, place_text, stage_marks
from tewb.tensor import Tensor
from tewb.workbench.looks.sizes import memory_shown
from tewb.workbench.views.graph import quoted

_HEAD = (
    '  graph [bgcolor="transparent", fontname="Courier", fontsize=11, color="#010203", fontcolor="#010203"];',
    '  node [fontname="Courier", fontsize=11, color="#010203", fontcolor="#010203"];',
    '  edge [fontname="Courier", fontsize=10, color="#010203", fontcolor="#010203"];',
)


def dataflow_graph(schedule: Schedule) -> str:
    """Stages (boxes) and the tensors between them (ellipses, with shape and bytes), in the DOT language."""
    stages = {s: f"Stage_{i}" for i, s in enumerate(schedule.stages)}
    lines = [f"  {node} [shape=box, label={quoted(_stage_name(s))}];" for s, node in stages.items()]
    for s, node in stages.items():
        for t in s.op.outputs:
            lines.append(f"  {_tensor(node, t)} [shape=ellipse, label={quoted(t.name, *_size(t))}];")
            lines.append(f"  {node} -> {_tensor(node, t)};")
        for t in dict.fromkeys(s.op.inputs):
            lines.append(f"  {_tensor(stages[schedule.stage_of(t)], t)} -> {node};")
    return _digraph("dataflow", lines)


def schedule_tree(schedule: Schedule) -> str:
    """Each stage with its loops, outermost first; an edge leads from a stage to the loop that it is computed
    at, or to the root."""
    stages = {s: f"Stage_{i}" for i, s in enumerate(schedule.stages)}
    lines = ["  rankdir=BT;", "  ROOT [shape=ellipse];"]
    for s, node in stages.items():
        extents = schedule.extents(s)
        rows = [_row(iv, s, extents[iv]) for iv in s.leaf_iter_vars if not s.is_inlined]
        heading = _field(f"{_stage_name(s)} {_place(s)}".rstrip(), *stage_marks(s), *_size(s.op.output(0)))
        lines.append(f'  {node} [shape=record, label="{{{"|".join([heading, *rows])}}}"];')
    for s, node in stages.items():
        match s.attach:
            case At(parent, axis) | With(parent, axis):
                word = place_text(s).split()[0]
                target = f"{stages[parent]}:{_port(parent, axis)}"
                lines.append(f"  {node} -> {target} [label={quoted(f'{word} {parent.axis_name(axis)}')}];")
            case None:
                lines.append(f"  {node} -> ROOT;")
            case _:
                readers = ", ".join(stages[r] for r in s.readers())
                lines.append(f"  {node} -> {{{readers}}} [style=dashed, label=inline];")
    return _digraph("schedule_tree", lines)


def itervar_relationship_graph(schedule: Schedule) -> str:
    """For each stage, how its loops came from its axes by splits and fuses; loops that run are drawn bold."""
    lines = ["  compound=true;"]
    for i, s in enumerate(schedule.stages):
        if s.is_placeholder:
            continue
        lines += [f"  subgraph cluster_{i} {{", f"    label={quoted(s.name)};"]
        lines += [f"    {line}" for line in _relations(s, f"Stage_{i}", schedule.extents(s))]
        lines.append("  }")
    return _digraph("itervar_relationship", lines)


def _relations(s: Stage, node: str, extents: dict[IterVar, Expr]) -> Iterable[str]:
    names = {iv: f"{node}_{_port(s, iv)}" for iv in extents}
    for iv, name in names.items():
        style = ", style=bold" if any(iv is leaf for leaf in s.leaf_iter_vars) else ""
        yield f'{name} [shape=record, label="{_axis_text(iv, s, extents[iv])}"{style}];'
    for n, r in enumerate(s.relations):
        relation = f"{node}_rel_{n}"
        if isinstance(r, Split):
            size = f"factor {r.factor}" if r.factor is not None else f"nparts {r.nparts}"
            above, below, text = [r.parent], [r.outer, r.inner], f"split, {size}"
        elif isinstance(r, Fuse):
            above, below, text = [r.outer, r.inner], [r.fused], "fuse"
        else:
            above, below, text = [], [r.iter], "singleton"
        yield f"{relation} [shape=ellipse, label={quoted(text)}];"
        yield from (f"{names[iv]} -> {relation};" for iv in above)
        yield from (f"{relation} -> {names[iv]};" for iv in below)


# ---------------------------------------------------------------- parts


def _digraph(name: str, lines: Iterable[str]) -> str:
    return "\n".join([f"digraph {name} {{", *_HEAD, *lines, "}"])


def _stage_name(s: Stage) -> str:
    return f"{s.name} ({type(s.op).__name__.removesuffix('Op').lower()})"


def _place(s: Stage) -> str:
    return "inline" if s.is_inlined else ""


def _tensor(node: str, t: Tensor) -> str:
    return f"{node}_T{t.value_index}"


def _size(t: Tensor) -> tuple[str, str]:
    """Shape with dtype, and bytes."""
    shape = " x ".join(script(n) for n in t.shape) or "scalar"
    return f"{shape} {t.dtype}", memory_shown(t)


def _axis_text(iv: IterVar, s: Stage, extent: Expr) -> str:
    marks = ", ".join(loop_marks(s, iv))
    return _field(f"{s.axis_name(iv)} in {script(extent)} {iv.kind.value} {marks}".rstrip())


def _row(iv: IterVar, s: Stage, extent: Expr) -> str:
    return f"<{_port(s, iv)}> {_axis_text(iv, s, extent)}"


def _port(s: Stage, iv: IterVar) -> str:
    """A name for an axis that DOT can read: its place among all axes of the stage."""
    return f"iv{next(n for n, own in enumerate(s.all_iter_vars) if own is iv)}"


def _field(*lines: str) -> str:
    """Text inside of a record, where braces, bars and spaces mean something."""
    return "\\n".join(re.sub(r'([\\{}|<>" ])', r"\\\1", printable(line)) for line in lines)
