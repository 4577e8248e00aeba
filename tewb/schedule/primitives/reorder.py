"""reorder: loops in another order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tewb.ir import AxisKind, IterVar
from tewb.schedule.declare import AXES, Arguments, Refusal, Results, Selection, Values, primitive
from tewb.schedule.dependent_loops import keeps_ranges_known
from tewb.schedule.extern_tiles import opaque_last
from tewb.schedule.questions import (
    for_now,
    has_loops,
    hybrid_refusal,
    in_given_order,
    independent,
    misplaced,
    not_inline,
    reordered,
    trying,
    untouched,
)
from tewb.schedule.stage import Stage, flat
from tewb.tensor.hybrid import HybridOp


@primitive(AXES)
def reorder(stage: Stage, *axes: IterVar | str | Sequence[IterVar | str]) -> None:
    """Put loops in the given order, in the places that they take now. They may be given in lists.

    for i: for j: for k: body    -- reorder(k, i) -->    for k: for j: for i: body
    """
    stage.do("reorder", axes=flat(axes))


@reorder.legal
def reorder_refusal(stage: Stage, v: Values) -> Refusal | None:
    axes: list[IterVar] = v["axes"]
    if len(set(axes)) < len(axes):
        return Refusal("an axis is named twice", "name each loop once")
    refused = has_loops(stage)
    if refused:
        return refused
    if isinstance(stage.op, HybridOp):
        return hybrid_order(stage, axes)
    after = reordered(stage.leaf_iter_vars, axes)
    if not after.same_as(opaque_last(after)):
        return untouched(stage, next(iv for iv in axes if iv.kind is AxisKind.OPAQUE))
    if not after.same_as(stage.leaf_iter_vars):
        refused = in_given_order(stage, "reorder")
        if refused:
            return refused
    for iv in after:
        if iv.kind is AxisKind.ORDERED and after.index(iv) != stage.leaf_iter_vars.index(iv):
            return independent(stage, iv, "reorder")
    with trying(stage):
        stage.leaf_iter_vars = after
        refused = keeps_ranges_known(stage)
        return refused or not_inline(stage) or for_now(misplaced(stage.schedule))


def hybrid_order(stage: Stage, axes: list[IterVar]) -> Refusal | None:
    """The loops of a hybrid function move within perfect nests, and only if no iteration depends on another."""
    before = stage.leaf_iter_vars
    after = reordered(before, axes)
    for iv in axes:
        if iv.kind is AxisKind.ORDERED and after.index(iv) != before.index(iv):
            return independent(stage, iv, "reorder")
    with trying(stage):
        stage.leaf_iter_vars = after
        return hybrid_refusal(stage) or for_now(misplaced(stage.schedule))


@reorder.effect
def _effect(stage: Stage, v: Values, step: int) -> Results:
    stage.leaf_iter_vars = reordered(stage.leaf_iter_vars, v["axes"])
    for iv in v["axes"]:
        stage.shape(iv, step)
    return []


@reorder.suggest
def _suggest(at: Selection) -> Iterator[Arguments]:
    loops, position = at.loops, at.position
    before, after = loops[:position], loops[position + 1 :]
    if after:
        yield {"axes": [after[0], at.loop]}
    if before:
        yield {"axes": [at.loop, before[-1]]}
    if len(after) > 1:
        yield {"axes": [*after, at.loop]}
    if len(before) > 1:
        yield {"axes": [at.loop, *before]}
    if not before and not after:
        yield {"axes": loops}
