"""The loops of a hybrid function as axes of its operation."""

from __future__ import annotations

import ast

from tewb.ir import AxisKind, Expr, For, IterVar, Range, Var, const
from tewb.tensor.hybrid.loop_order import why_ordered
from tewb.tensor.hybrid.translation import Translation


def add_axis(translation: Translation, v: Var, extent: Expr) -> int:
    """Add the axis of a loop over `extent`; returns its position. Axes stand in order of appearance."""
    axis = translation.result.axis
    translation.analyzer.bind_extent(v, const(0, v.dtype), extent)
    axis.append(IterVar(Range(const(0, v.dtype), extent), v, AxisKind.DATA))
    return len(axis) - 1


def note_order(translation: Translation, node: ast.AST, loop: For, position: int) -> str | None:
    """Record why the iterations of a loop must run in order, if they must."""
    why = why_ordered(loop)
    if why is not None:
        result = translation.result
        iv = result.axis[position]
        ordered = IterVar(iv.dom, iv.var, AxisKind.ORDERED)
        result.axis[position] = ordered
        result.dependence[ordered] = f"{why} (line {translation.span(node).line})"
    return why
