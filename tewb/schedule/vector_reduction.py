"""Reductions whose terms are the lanes of vectors: which loop that is, and how many partial results there are."""

from __future__ import annotations

from tewb.ir import AxisKind, Expr, ForKind, IterVar, const_int
from tewb.schedule.relation import Extents, unmixed
from tewb.schedule.stage import Stage


def lane_loop(stage: Stage, extents: Extents) -> IterVar | None:
    """The reduce loop of `stage` that is vectorized, or None. A loop of no iterations has no lanes to join."""
    marked = (iv for iv in stage.leaf_iter_vars if stage.loop_kind(iv) is ForKind.VECTORIZED)
    return next((iv for iv in marked if iv.kind is AxisKind.REDUCE and const_int(extents[iv]) != 0), None)


def loops_of_elements(stage: Stage) -> list[IterVar]:
    """The loops over data axes inside of the first reduce loop, or fused with it: their elements are reduced at the
    same time."""
    first = next(i for i, iv in enumerate(stage.leaf_iter_vars) if iv.kind is AxisKind.REDUCE)
    _, parts = unmixed(stage.relations)
    return [iv for iv in (*parts, *stage.leaf_iter_vars[first:]) if iv.kind is not AxisKind.REDUCE]


def lane_shape(stage: Stage, extents: Extents) -> tuple[Expr, ...] | None:
    """The shape of the partial results of each output of `stage`; None where it has none."""
    lane = lane_loop(stage, extents)
    return None if lane is None else tuple(extents[iv] for iv in (*loops_of_elements(stage), lane))
