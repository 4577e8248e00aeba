"""Loops and stages in words, with the marks that primitives set on them: used by errors, trees, graphs and palette."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tewb.ir import AxisKind, Expr, IterVar, script
from tewb.schedule.declare import PRIMITIVES

if TYPE_CHECKING:
    from tewb.schedule.schedule import Schedule
    from tewb.schedule.stage import Stage


def loop_marks(stage: Stage, iv: IterVar) -> list[str]:
    """The marks of a loop: `vectorize`, `prefetch A 8 ahead`, `auto_unroll_max_step 16`."""
    marks = ["inside"] if iv.kind is AxisKind.OPAQUE else []
    shared = len(stage.shared_loops)
    if shared and any(iv is own for own in stage.leaf_iter_vars[:shared]):
        marks.append("shared")
    return marks + _marks(stage, iv)


def stage_marks(stage: Stage) -> list[str]:
    """The marks of a stage, without its place: `in local memory`, `double buffered`, `non-temporal stores`. Outputs say which
    calls these loops are for, where others have other loops: `for calls with n % 16 == 0`."""
    calls = [calls_text(stage.schedule)] if stage.schedule.bodies and stage.is_output else []
    return [*_marks(stage, None), *calls]


def calls_text(schedule: Schedule) -> str:
    """Which calls the loops are for that the stages show: `for calls with n % 16 == 0`, or `for all other calls`."""
    return "for all other calls" if schedule.within is None else f"for calls with {schedule.within}"


def _marks(stage: Stage, iv: IterVar | None) -> list[str]:
    """The marks on a loop, or on the stage, in the order of the primitives."""
    marks = [m for m in stage.marks if m.axis is iv]
    return [p.mark_text(stage, m) for p in PRIMITIVES.values() for m in marks if m.primitive == p.name]


def place_text(stage: Stage) -> str:
    """Where a stage is computed: `root`, `inline`, or `at C.i.outer`."""
    if stage.is_inlined:
        return "inline"
    at = stage.attach
    if at is None or isinstance(at, str):
        return "root"
    word = "after" if stage.is_after else "at" if at is stage.attached else "with"
    return f"{word} {at.stage.name}.{at.stage.axis_name(at.axis)}"


def loop_text(stage: Stage, iv: IterVar, extent: Expr) -> str:
    """A loop with its extent and marks: `i.outer(32, parallel)`."""
    return f"{stage.axis_name(iv)}({', '.join([script(extent), *loop_marks(stage, iv)])})"


def loops_text(stage: Stage, extents: Mapping[IterVar, Expr]) -> str:
    """A stage where it stands: `at Y.i: i(1), j(512, vectorize); in local memory; double buffered`."""
    if stage.is_inlined:
        return "inline, where it is read"
    place = "" if stage.attach is None else f"{place_text(stage)}: "
    loops = ", ".join(loop_text(stage, iv, extents[iv]) for iv in stage.leaf_iter_vars) or "no loops"
    return place + "; ".join([loops, *stage_marks(stage)])
