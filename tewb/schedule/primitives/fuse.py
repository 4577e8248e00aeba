"""fuse: adjacent loops as one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from itertools import pairwise

from tewb.base import INT64
from tewb.ir import IterVar, const_int, script
from tewb.schedule.declare import AXES, Arguments, Refusal, Repair, Results, Selection, Values, primitive
from tewb.schedule.dependent_loops import fits_one_loop, keeps_ranges_known
from tewb.schedule.journal import Step
from tewb.schedule.questions import has_loops, hybrid_refusal, trying, untouched
from tewb.schedule.stage import Stage, fuse_loops
from tewb.tensor.hybrid import HybridOp


@primitive(AXES, results="axis")
def fuse(stage: Stage, *axes: IterVar | str) -> IterVar:
    """Fuse adjacent loops into one.

        for i in n:                       for i.j.fused in n*m:
            for j in m:  body(i, j)   ->      body(i.j.fused // m, i.j.fused % m)

    Returns the fused loop. It is int64 where it may have more iterations than int32 counts, as with symbolic sizes.
    """
    return stage.do("fuse", axes=list(axes))  # type: ignore[no-any-return]


@fuse.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
    axes: list[IterVar] = v["axes"]
    if len(axes) < 2:
        return Refusal("fuse takes at least two loops", "s[C].fuse(i, j)")
    refused = has_loops(stage)
    for iv in axes:
        refused = refused or untouched(stage, iv)
    if refused:
        return refused
    leaves = stage.leaf_iter_vars
    for a, b in pairwise(axes):
        at = leaves.index(a)
        if at + 1 >= len(leaves) or leaves[at + 1] is not b:
            return Refusal(
                f"{stage.axis_name(b)} is not the loop right inside {stage.axis_name(a)}",
                "reorder them next to each other first, the outer one first",
            )
        if a.kind is not b.kind:
            return Refusal(
                f"{stage.axis_name(a)} is a {a.kind.value} axis and {stage.axis_name(b)} a {b.kind.value} axis"
            )
    return fits_one_loop(stage, axes) or _passes_int64(stage, axes) or _fusion(stage, axes)


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
    fused = axes[0]
    with trying(stage):
        for inner in axes[1:]:
            relation = fuse_loops(stage, fused, inner)
            stage.relations.append(relation)
            stage.replace_leaves([fused, inner], [relation.fused])
            fused = relation.fused
        return hybrid_refusal(stage) if isinstance(stage.op, HybridOp) else keeps_ranges_known(stage)


@fuse.effect
def _effect(stage: Stage, v: Values, step: int) -> Results:
    fused = v["axes"][0]
    for inner in v["axes"][1:]:
        relation = stage.schedule.result_cache.once(
            ("fuse", id(fused), id(inner)), (fused, inner), partial(fuse_loops, stage, fused, inner)
        )
        stage.relations.append(relation)
        stage.replace_leaves([fused, inner], [relation.fused])
        stage.register(relation.fused, step, [fused, inner])
        fused = relation.fused
    return [fused]


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
