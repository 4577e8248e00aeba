"""The loops around the place of a stage, and which of them are inside of the place of its memory.

for y:  for t:                    X is computed at x, and kept at t: x is between
    X = allocate(...)
    for x:  X = ...;  Y = f(X)
"""

from __future__ import annotations

from collections.abc import Sequence

from tewb.ir import IterVar
from tewb.schedule.hybrid_loops import loops_to
from tewb.schedule.stage import At, Stage

LoopOf = tuple[Stage, IterVar]


def loops_at(place: At) -> list[LoopOf]:
    """The loops of a stage around a place in it, innermost first."""
    return [(place.stage, iv) for iv in reversed(loops_to(place.stage, place.axis))]


def enclosing(stage: Stage) -> list[LoopOf]:
    """The loops around the place of `stage`, innermost first. Where stages are in a circle, those until it closes."""
    loops: list[LoopOf] = []
    at, seen = stage.loop_around, {stage}
    while at is not None and at.stage not in seen:
        seen.add(at.stage)
        loops += loops_at(at)
        at = at.stage.loop_around
    return loops


def inside_of(stored: At | str | None, around: Sequence[LoopOf]) -> Sequence[LoopOf] | None:
    """Those of the loops `around` the place of a stage that are inside of its memory at `stored`: none where it is kept where it
    is computed, all where it is kept at the root. None where its memory is at none of them."""
    if not isinstance(stored, At):
        return around[:0] if stored is None else around
    place = next((n for n, (s, iv) in enumerate(around) if s is stored.stage and iv is stored.axis), None)
    return None if place is None else around[:place]
