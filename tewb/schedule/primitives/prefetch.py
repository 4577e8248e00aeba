"""prefetch: ask for the memory that a later iteration will read, before it is needed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from tewb.ir import IterVar, const_int
from tewb.schedule.bounds import infer_bounds, region_read
from tewb.schedule.declare import AXIS, Arguments, Param, Refusal, Selection, Values, primitive
from tewb.schedule.hybrid_loops import loops_to
from tewb.schedule.questions import has_loops, inside, not_inline, unsettled
from tewb.schedule.stage import Mark, Stage
from tewb.tensor import ComputeOp, Tensor

FARTHEST = 1 << 16  # iterations ahead
MOST_BYTES = 1 << 18  # of one iteration; caches near the core hold about so much


@dataclass(frozen=True, slots=True, eq=False)
class Prefetch:
    """At each iteration of `axis`: ask for what the one `offset` later reads of `source`."""

    source: Stage
    axis: IterVar
    offset: int


def _read(stage: Stage) -> list[str]:
    return [s.name for s in stage.reads()]


@primitive(
    Param("tensor", "stage", "what will be read", choices=_read),
    AXIS,
    Param("offset", "int", "iterations ahead", 1),
)
def prefetch(stage: Stage, tensor: Stage | Tensor, axis: IterVar | str, offset: int = 1) -> None:
    """At each iteration of loop `axis`, ask the memory for what the iteration `offset` later reads of `tensor`:
    one request for each line of the cache that the box holds.

    for i in n: B[i] = f(A[i, 0:16])    ->    for i in n: prefetch(A[i + offset, 0]); B[i] = f(A[i, 0:16])

    Results never change: a request past the end of an array reads nothing and cannot fail. What this stage
    does not read any more (a copy took its place), or computes in the same iteration, is not asked for.
    """
    stage.do("prefetch", tensor=tensor, axis=axis, offset=offset)


@prefetch.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
    """Why the memory that `stage` will read of `tensor` cannot be asked for at loop `axis`."""
    source, axis, offset = v["tensor"], v["axis"], v["offset"]
    refused = has_loops(stage)
    if refused:
        return refused
    if not isinstance(stage.op, ComputeOp):
        return Refusal(f"{stage.name} is not a compute: what its code reads next, it knows itself")
    if source not in stage.reads():
        reads = ", ".join(s.name for s in stage.reads())
        return Refusal(
            f"{stage.name} does not read {source.name}", f"it reads {reads}" if reads else "it reads nothing"
        )
    if source.is_inlined:
        return Refusal(f"{source.name} is computed inline, so it is never in memory")
    name = stage.axis_name(axis)
    if inside(source, stage, axis):
        return Refusal(
            f"{source.name} is computed inside of loop {name}, so it is not in memory before its iteration",
            "prefetch what it reads",
        )
    if _is_in_vector(stage, axis):
        return Refusal(
            f"loop {name} is vectorized, or inside of one that is: its iterations run at once",
            "prefetch at a loop around it",
        )
    if not 0 <= offset <= FARTHEST:
        return Refusal(f"offset={offset} must be from 0 to {FARTHEST} iterations ahead")
    if any(p.source is source and p.axis is axis for p in prefetches(stage)):
        return Refusal(f"{source.name} is prefetched at loop {name} already")
    return not_inline(stage) or unsettled(stage.schedule) or _worth_asking(stage, source, axis)


def _is_in_vector(stage: Stage, axis: IterVar) -> bool:
    around = loops_to(stage, axis)
    return any(m.axis is iv for m in stage.marks_of("vectorize") for iv in around)


def _worth_asking(stage: Stage, source: Stage, axis: IterVar) -> Refusal | None:
    name, bounds = stage.axis_name(axis), infer_bounds(stage.schedule)
    total = 0
    for t in (t for t in stage.op.inputs if stage.schedule.stage_of(t) is source):
        box = region_read(stage, t, axis, bounds)
        if box is None:
            return Refusal(
                f"which elements of {t.name} an iteration of {name} reads is known only when it runs"
            )
        sizes = [const_int(r.extent) for r in box]
        total += math.prod(n for n in sizes if n is not None) * t.dtype.nbytes
    if total > MOST_BYTES:
        return Refusal(
            f"an iteration of {name} reads {total:,} bytes of {source.name}: they would push each other out",
            "prefetch at a loop further in",
        )
    return None


@prefetch.invariant
def _is_done_once(stage: Stage) -> Refusal | None:
    for p in prefetches(stage):
        if _is_in_vector(stage, p.axis):
            return Refusal(
                f"loop {stage.axis_name(p.axis)} prefetches, which is done once and not by lanes",
                "prefetch at a loop around the vectorized one",
            )
    return None


@prefetch.stage_property
def prefetches(stage: Stage) -> list[Prefetch]:
    """What its loops ask the memory for."""
    marks = stage.marks_of("prefetch")
    return [Prefetch(m.values[0], m.axis, m.values[1]) for m in marks if m.axis is not None]


@prefetch.mark_text
def _text(stage: Stage, mark: Mark) -> str:
    source, offset = mark.values
    return f"prefetch {source.name} {offset} ahead"


@prefetch.mark_phrase
def _phrase(stage: Stage, mark: Mark) -> str:
    return "prefetches for its later iterations"


@prefetch.suggest
def _suggest(at: Selection) -> Iterator[Arguments]:
    yield from ({"tensor": name, "axis": at.loop, "offset": 8} for name in _read(at.stage))
    if not at.stage.reads():
        yield {"tensor": at.stage.name, "axis": at.loop}
