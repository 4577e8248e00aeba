"""What stages and axes allow at all: questions that the legality of several primitives asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tewb.ir import AxisKind, IterVar
from tewb.schedule.primitive import Refusal
from tewb.schedule.relation import Split
from tewb.schedule.stage import At, Stage
from tewb.tensor import PlaceholderOp

if TYPE_CHECKING:
    pass


def has_loops(stage: Stage) -> Refusal | None:
    if isinstance(stage.op, PlaceholderOp):
        return Refusal(
            f"{stage.name} is an input and has no loops", "schedule a stage that computes something"
        )
    if stage.is_inlined:
        return Refusal(f"{stage.name} is computed inline and has no loops", "call compute_root first")
    return None


def untouched(stage: Stage, iv: IterVar) -> Refusal | None:
    """An axis may be changed when it is not opaque, not annotated, and nothing is computed at it."""
    name = stage.axis_name(iv)
    if iv.kind is AxisKind.OPAQUE:
        return Refusal(
            f"axis {name} is the inside of extern {stage.name}, which only its own code knows",
            f"split {name}: its outer loop makes one call for each iteration",
        )
    if iv in stage.annotations:
        return Refusal(
            f"loop {name} is marked {stage.annotations[iv]}", f"split or fuse before {stage.annotations[iv]}"
        )
    if any(p.axis is iv for p in stage.prefetches):
        return Refusal(f"loop {name} prefetches for its later iterations", "split or fuse before prefetch")
    key = next((key for own, key in stage.pragmas if own is iv), None)
    if key is not None:
        return Refusal(f"loop {name} has the pragma {key}", "split or fuse before pragma")
    here = attached_at(stage, iv)
    if here:
        return Refusal(
            f"{here[0].name} is computed at loop {name}", f"move {here[0].name} first, or change other loops"
        )
    return None


def unmarked(stage: Stage, iv: IterVar) -> Refusal | None:
    """A loop may be marked once, and not when it is opaque."""
    if iv in stage.annotations:
        return Refusal(f"loop {stage.axis_name(iv)} is already marked {stage.annotations[iv]}")
    return untouched(stage, iv) if iv.kind is AxisKind.OPAQUE else None


def attached_at(stage: Stage, iv: IterVar) -> list[Stage]:
    """The stages that are computed at loop `iv` of `stage`."""
    return [
        s
        for s in stage.schedule.stages
        if isinstance(s.attach, At) and s.attach.stage is stage and s.attach.axis is iv
    ]


def independent(stage: Stage, iv: IterVar, verb: str) -> Refusal | None:
    name = stage.axis_name(iv)
    if iv.kind is AxisKind.REDUCE:
        return Refusal(
            f"{name} is a reduce axis: its iterations all add to the same elements, so they would race",
            f"{verb} a data axis ({', '.join(data_axes(stage)) or 'there is none'}), or make partial results: "
            f"s.rfactor({stage.name}, {name})",
        )
    if iv.kind is AxisKind.ORDERED:
        why = getattr(stage.op, "dependence", {}).get(
            root_of(stage, iv), "an iteration may need one before it"
        )
        return Refusal(f"the iterations of {name} must run in order: {why}")
    return None


def data_axes(stage: Stage) -> list[str]:
    return [stage.axis_name(iv) for iv in stage.leaf_iter_vars if iv.kind is AxisKind.DATA]


def root_of(stage: Stage, iv: IterVar) -> IterVar:
    for r in reversed(stage.relations):
        if isinstance(r, Split) and (iv is r.outer or iv is r.inner):
            iv = r.parent
    return iv


def not_nontemporal(stage: Stage, verb: str) -> Refusal | None:
    """Results that go past the caches belong to a stage at the root, in global memory, with stores of its own."""
    if not stage.is_nontemporal:
        return None
    return Refusal(
        "its stores are non-temporal, which is for results at the root that are not read soon",
        f"take nontemporal back to {verb}",
    )
