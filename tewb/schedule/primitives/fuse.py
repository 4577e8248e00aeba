"""fuse: adjacent loops as one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from tewb.base import INT64
from tewb.ir import AxisKind, ForKind, IterVar, const_int, script
from tewb.schedule.declare import (
    AXES,
    Arguments,
    Refusal,
    Repair,
    Results,
    Selection,
    Values,
    loop_of,
    primitive,
)
from tewb.schedule.dependent_loops import fits_one_loop, keeps_ranges_known
from tewb.schedule.journal import Step
from tewb.schedule.questions import has_loops, hybrid_refusal, not_inline, trying, untouched
from tewb.schedule.relation import Fuse, Singleton, mixed_loops
from tewb.schedule.stage import LoopList, Stage, flat, fuse_loops
from tewb.tensor import ComputeOp
from tewb.tensor.hybrid import HybridOp


@primitive(AXES, results="axis")
def fuse(stage: Stage, *axes: IterVar | str | Sequence[IterVar | str]) -> IterVar:
    """Fuse adjacent loops into one, from left to right. Neighbours are taken in the order of the loops.

        for i in n:                       for i.j.fused in n*m:
            for j in m:  body(i, j)   ->      body(i.j.fused // m, i.j.fused % m)

    Returns the fused loop. It is int64 where it may have more iterations than int32 counts, as with symbolic sizes.
    One of a data and a reduce axis is a reduce loop. Stages that are computed at one of them are computed at it. No axis at all makes a loop of one iteration around all others.
    """
    given = flat(axes)
    fused = stage.do("fuse", axes=given)
    return loop_of(stage, given[0]) if fused is None else fused  # one loop stays what it is


@fuse.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
    axes: list[IterVar] = v["axes"]
    refused = has_loops(stage)
    for iv in axes if len(axes) > 1 else []:
        refused = refused or untouched(stage, iv)
    if refused or len(axes) < 2:
        return refused or not_inline(stage)
    leaves = stage.leaf_iter_vars
    first = last = leaves.index(axes[0])
    for a, b in pairwise(axes):
        at = leaves.index(b)
        if at not in (first - 1, last + 1):
            return Refusal(
                f"{stage.axis_name(b)} is not the loop right inside {stage.axis_name(a)}",
                "reorder them next to each other first, the outer one first",
            )
        first, last = min(first, at), max(last, at)
    return (
        _kinds(stage, axes)
        or fits_one_loop(stage, axes)
        or _passes_int64(stage, axes)
        or _fusion(stage, axes)
        or not_inline(stage)
    )


def _kinds(stage: Stage, axes: list[IterVar]) -> Refusal | None:
    """Loops of one kind can be fused, and data with reduce axes where no lanes are joined."""
    other = next((iv for iv in axes if iv.kind is not axes[0].kind), None)
    mixed = mixed_loops(stage.relations)
    if other is None and not any(iv in mixed for iv in axes):
        return None
    first, second = axes[0], axes[-1] if other is None else other
    a, b = stage.axis_name(first), stage.axis_name(second)
    kinds = f"{a} is a {first.kind.value} axis and {b} a {second.kind.value} axis"
    if not isinstance(stage.op, ComputeOp) or {iv.kind for iv in axes} - {AxisKind.DATA, AxisKind.REDUCE}:
        return Refusal(kinds)
    if stage.op.domains:
        return Refusal(f"{kinds}, whose range is not the same for all elements", "leave them apart")
    lanes = next(
        (iv for iv in stage.leaf_iter_vars if iv.kind is AxisKind.REDUCE and _joins_lanes(stage, iv)), None
    )
    if lanes is not None:
        return Refusal(
            f"{kinds}, and reduce loop {stage.axis_name(lanes)} is marked {stage.annotations[lanes]}: each lane adds up "
            "for one element",
            "leave them apart",
        )
    return None


def _joins_lanes(stage: Stage, iv: IterVar) -> bool:
    return stage.loop_kind(iv) in (ForKind.VECTORIZED, ForKind.DOT)


def _passes_int64(stage: Stage, axes: list[IterVar]) -> Refusal | None:
    """Whether nothing counts the iterations of the loops as one, as far as their sizes are known."""
    extents = stage.schedule.extents(stage)
    sizes = [const_int(extents[iv]) for iv in axes]
    if math.prod(max(1 if n is None else n, 0) for n in sizes) <= INT64.max_value():
        return None
    product = " x ".join(
        script(extents[iv]) if n is None else str(n) for iv, n in zip(axes, sizes, strict=True)
    )
    return Refusal(
        f"{product} iterations are more than int64 counts", "fuse fewer loops, the inner ones first"
    )


def _fusion(stage: Stage, axes: list[IterVar]) -> Refusal | None:
    """Why the loops cannot be one, of a hybrid function or where their ranges depend on each other."""
    with trying(stage):
        _merge(stage, axes, fuse_loops)
        return hybrid_refusal(stage) if isinstance(stage.op, HybridOp) else keeps_ranges_known(stage)


def _merge(
    stage: Stage, axes: list[IterVar], fusion: Callable[[Stage, IterVar, IterVar], Fuse]
) -> list[Fuse]:
    """Put one loop in the place of neighbours, two by two."""
    relations = []
    fused = axes[0]
    for iv in axes[1:]:
        outer, inner = sorted((fused, iv), key=stage.leaf_iter_vars.index)
        relation = fusion(stage, outer, inner)
        stage.relations.append(relation)
        stage.replace_leaves([outer, inner], [relation.fused])
        relations.append(relation)
        fused = relation.fused
    return relations


@fuse.effect
def _effect(stage: Stage, v: Values, step: int) -> Results:
    def known(stage: Stage, outer: IterVar, inner: IterVar) -> Fuse:
        key = ("fuse", id(outer), id(inner))
        return stage.schedule.result_cache.once(key, (outer, inner), lambda: fuse_loops(stage, outer, inner))

    if not v["axes"]:
        return [_singleton(stage, step)]
    relations = _merge(stage, v["axes"], known)
    for relation in relations:
        stage.register(relation.fused, step, [relation.outer, relation.inner])
        stage.carry([relation.outer, relation.inner], relation.fused)
    if not relations:
        stage.shape(v["axes"][0], step)
    return [r.fused for r in relations[-1:]]


def _singleton(stage: Stage, step: int) -> IterVar:
    """A loop of one iteration around all others."""
    relation = stage.schedule.result_cache.once(("singleton", stage.name, step), (), Singleton.make)
    stage.relations.append(relation)
    stage.leaf_iter_vars = LoopList([relation.iter, *stage.leaf_iter_vars])
    stage.register(relation.iter, step)
    return relation.iter


@fuse.suggest
def _suggest(at: Selection) -> Iterator[Arguments]:
    loops, leaves, position = at.loops, at.stage.leaf_iter_vars, at.position
    if position > 0:
        yield {"axes": [loops[position - 1], at.loop]}
    if position + 1 < len(loops):
        yield {"axes": [at.loop, loops[position + 1]]}
    far = [p for p, iv in enumerate(leaves) if abs(p - position) > 1 and iv.kind is leaves[position].kind]
    if far:
        yield {"axes": [at.loop, loops[far[0]]] if far[0] > position else [loops[far[0]], at.loop]}
    if len(loops) < 2:
        yield {"axes": loops}


@fuse.repairs
def _bring_together(at: Selection, args: Arguments) -> Iterator[Repair]:
    """Loops that are apart are put next to each other."""
    axes = args["axes"]
    if isinstance(axes, list | tuple) and len(axes) > 1:
        first, *others = axes
        rest = [n for n in at.loops if n not in others]
        end = rest.index(first) + 1 if first in rest else 0
        yield Repair(Step("reorder", at.stage.name, {"axes": [*rest[:end], *others, *rest[end:]]}))
