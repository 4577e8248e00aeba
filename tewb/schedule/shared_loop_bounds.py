"""Bounds of stages in the loops of others, computed with these or after them.

    for t: P[8t .. 8t+8] = ...;  C[8t .. 8t+8] = f(P)        P keeps 8 elements, where nothing else reads it

Which part a stage that comes after another one computes, and that what it reads is made by then, `made_so_far.py` finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tewb.ir import Range, const, const_int
from tewb.schedule.check_schedule import fault_error
from tewb.schedule.declare import Refusal
from tewb.schedule.hybrid_loops import loops_to
from tewb.schedule.made_so_far import begins_before, fixed_loops, made, part_after, read_in_nest, unmade
from tewb.schedule.needed_ranges import range_without_gaps
from tewb.schedule.questions import Fault, join_fault
from tewb.schedule.schedule import Schedule
from tewb.schedule.shared_loops import nest_of
from tewb.schedule.shifted_tails import refused_again_after
from tewb.schedule.stage import At, Stage, With
from tewb.schedule.stage_bounds import makes_whole_parts
from tewb.schedule.touched import touched

if TYPE_CHECKING:
    from tewb.schedule.bounds import Bounds


def from_outputs(schedule: Schedule, hosts: Iterable[Stage]) -> list[Stage]:
    """The stages in an order in which each comes after its readers; those of which all is computed, with what comes after them
    in their loops, come first."""
    first = [
        s
        for host in hosts
        for s in (host, *[x for x in schedule.stages if x.is_after and nest_of(x) is host])
    ]
    rest = [s for s in reversed(schedule.stages) if s not in first]
    if any(isinstance(s.attach, With) for s in rest):
        rest = _after_their_places(rest)
    return [*first, *rest]


def _after_their_places(stages: Sequence[Stage]) -> list[Stage]:
    """Stages in an order in which each comes after its readers and after the stage in whose loops it is computed, which need
    not depend on it where it is for one that is computed with that one."""
    order: dict[Stage, None] = {}
    pending, left = list(reversed(stages)), set(stages)
    while pending:
        s = pending[-1]
        before = [x for x in (*s.readers(), *_place(s)) if x in left and x is not s] if s in left else []
        left.discard(s)
        pending += before
        if not before:
            order[pending.pop()] = None
    return list(order)


def _place(stage: Stage) -> list[Stage]:
    """The stage in whose loops a stage is computed, in a list."""
    at = stage.loop_around
    return [] if at is None else [at.stage]


def check_joined(schedule: Schedule) -> None:
    """Raise ScheduleError where a stage cannot be computed with another one, or after it in its loops."""
    fault = join_fault(schedule)
    if fault is not None:
        raise fault_error(schedule, fault)


def needed_after(stage: Stage, bounds: Bounds) -> list[Range]:
    """The range of each axis of a stage that comes after another one. Raises ScheduleError where it is not known."""
    at = stage.own_place
    assert isinstance(at, At)
    extents = bounds.stages[at.stage].extents
    found = refused_again_after(stage, at.stage, loops_to(at.stage, at.axis), extents) or part_after(
        stage, bounds
    )
    if isinstance(found, Refusal):
        raise fault_error(stage.schedule, Fault(stage, "reverse_compute_at", found))
    return found


def check_made(stage: Stage, bounds: Bounds) -> None:
    """Raise ScheduleError where a stage that comes after another one, or one that is computed in its loops, may read what is
    not made yet."""
    schedule, host, fixed = stage.schedule, nest_of(stage), fixed_loops(stage)
    inner = [s for s in bounds.stages if s is stage or any(x is stage for x, _ in bounds.around(s))]
    for reader in inner:
        for read in read_in_nest(reader, host):
            for t in [t for t in bounds.operations[reader].inputs if schedule.stage_of(t) is read]:
                of = made(read, t.value_index, fixed, bounds)
                boxes = touched(reader, read, fixed, bounds, t)
                refused = (
                    Refusal(of) if isinstance(of, str) else unmade(reader, boxes, read, of, bounds.analyzer)
                )
                if refused is not None:
                    raise fault_error(schedule, Fault(stage, "reverse_compute_at", refused))


def keep_part(stage: Stage, after: Sequence[Stage], bounds: Bounds) -> None:
    """Keep of a stage no more than the part that an iteration makes, where that is all that is read of it in the iteration."""
    schedule, cache = stage.schedule, stage.schedule.result_cache
    readers = bounds.readers_of(stage)
    inside = {
        r: next((s for s in (r, *(x for x, _ in bounds.around(r))) if s in after), None) for r in readers
    }
    hosts = [s for s in inside.values() if s is not None]
    if len(hosts) < len(readers) or not hosts or any(nest_of(s) is not nest_of(stage) for s in hosts):
        return
    marks = {m.primitive for m in stage.marks} & {"nontemporal", "storage_align"}
    if (
        marks
        or any(makes_whole_parts(s) for s in (stage, *readers))
        or any(p.source is stage for s in schedule.stages for p in s.prefetches)
    ):
        return
    fixed = min((fixed_loops(s) for s in hosts), key=len)
    of = made(stage, 0, fixed, bounds)
    if isinstance(of, str) or all(x is None for x in of.box):
        return
    for r in readers:
        for box in touched(r, stage, fixed, bounds):
            if begins_before(box, of, bounds.analyzer):
                return
    shape = stage.op.output(0).shape
    region = tuple(
        [
            Range(const(0, n.dtype), n) if x is None else range_without_gaps(x, n, bounds)
            for x, n in zip(of.box, shape, strict=True)
        ]
    )
    if any(const_int(r.extent) is None for r, x in zip(region, of.box, strict=True) if x is not None):
        return
    own = bounds.stages[stage]
    place = next(s for s in hosts if fixed_loops(s) == fixed).own_place
    assert isinstance(place, At)
    bounds.kept_in[stage] = (place.stage, place.axis)
    bounds.stages[stage] = cache.once(
        ("part", id(own), cache.ranges(region)),
        (own, region),
        lambda: replace(own, regions=(region,) * len(own.regions)),
    )
