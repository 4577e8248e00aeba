"""What primitives said of loops and stages, in words: the one place that does, for errors, trees, graphs and palette."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tewb.ir import AxisKind, Expr, IterVar, script

if TYPE_CHECKING:
    from tewb.schedule.stage import Stage


def loop_marks(stage: Stage, iv: IterVar) -> list[str]:
    """What was said of a loop: `vectorize`, `prefetch A 8 ahead`, `auto_unroll_max_step 16`."""
    marks = ["inside"] if iv.kind is AxisKind.OPAQUE else []
    marks += [stage.annotations[iv]] if iv in stage.annotations else []
    marks += [f"prefetch {p.source.name} {p.offset} ahead" for p in stage.prefetches if p.axis is iv]
    marks += [f"{key} {value}" for (own, key), value in stage.pragmas.items() if own is iv]
    return marks


def place_text(stage: Stage) -> str:
    """Where a stage is computed: `root`, `inline`, or `at C.i.outer`."""
    if stage.is_inlined:
        return "inline"
    at = stage.attached
    return "root" if at is None else f"at {at.stage.name}.{at.stage.axis_name(at.axis)}"


def stage_marks(stage: Stage) -> list[str]:
    """What was said of a stage, besides its place: `in local memory`, `double buffered`, `non-temporal stores`."""
    marks = [] if stage.scope == "global" else [f"in {stage.scope} memory"]
    marks += [
        f"stride of {stage.axis_name(iv)} {offset} (mod {factor})"
        for iv, (factor, offset) in stage.alignments.items()
    ]
    marks += ["double buffered"] if stage.is_double else []
    marks += ["non-temporal stores"] if stage.is_nontemporal else []
    return marks


def loop_text(stage: Stage, iv: IterVar, extent: Expr) -> str:
    """A loop with its extent and marks: `i.outer(32, parallel)`."""
    return f"{stage.axis_name(iv)}({', '.join([script(extent), *loop_marks(stage, iv)])})"


def loops_text(stage: Stage, extents: Mapping[IterVar, Expr]) -> str:
    """A stage where it stands: `at Y.i: i(1), j(512, vectorize); in local memory; double buffered`."""
    if stage.is_inlined:
        return "inline, where it is read"
    place = "" if stage.attached is None else f"{place_text(stage)}: "
    loops = ", ".join(loop_text(stage, iv, extents[iv]) for iv in stage.leaf_iter_vars) or "no loops"
    return place + "; ".join([loops, *stage_marks(stage)])
