"""Bound inference: which part of every stage is computed where it stands.

As in classic TE, from the outputs back: what a reader's iterations touch, with the loops inside of the
place of computation running and those around it standing still, is what a stage must compute there.
Sizes are kept constant where a constant can be proved, and never exceed the declared shape.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from tewb.arith import Analyzer
from tewb.base import any_depth, readable
from tewb.ir import Expr, IterVar, Range, Var, const
from tewb.schedule.check_schedule import check_schedule
from tewb.schedule.hybrid_loops import loops_to
from tewb.schedule.inlining import inlined_operations
from tewb.schedule.needed_ranges import Box, moved_inside, needed_range, region_around, smallest_box
from tewb.schedule.places import inside_of, loops_at
from tewb.schedule.ranges_with_gaps import steps_in
from tewb.schedule.rounded_tails import rounded_axes
from tewb.schedule.schedule import Schedule
from tewb.schedule.shared_loop_bounds import check_joined, check_made, from_outputs, keep_part, needed_after
from tewb.schedule.shared_loops import joined_stages, nest_of
from tewb.schedule.stage import At, Stage, With
from tewb.schedule.stage_bounds import StageBounds, kept_around_calls, stage_bounds
from tewb.schedule.threads import bound_around, is_shared_by, scope_of, shared_loops, uses_threads
from tewb.schedule.touched import touched
from tewb.tensor import ComputeOp, ExternOp, Operation, Region, ScanOp, Tensor, whole_region
from tewb.tensor.hybrid import HybridOp


@readable
@dataclass(slots=True)
class Bounds:
    """The result of bound inference. `analyzer` knows the range of every loop variable; `part_sizes` are the sizes of splits
    that are known in kernels only; `places` has an object for the loops around each stage, the same one for the same loops;
    `kept_in` the loop in which a stage is kept of which only stages that come after it read a part."""

    operations: dict[Stage, Operation]
    stages: dict[Stage, StageBounds]
    analyzer: Analyzer
    has_threads: bool = False
    part_sizes: frozenset[Var] = frozenset()
    places: dict[Stage, object] = field(default_factory=dict)
    kept_in: dict[Stage, tuple[Stage, IterVar]] = field(default_factory=dict)
    _around: dict[Stage, tuple[tuple[Stage, IterVar], ...]] = field(default_factory=dict)
    _readers: dict[Stage, list[Stage]] = field(default_factory=dict)

    def readers_of(self, stage: Stage) -> list[Stage]:
        """The stages that read `stage`, after inlining."""
        if not self._readers:
            self._readers = _readers(stage.schedule, self.operations)
        return self._readers[stage]

    def around(self, stage: Stage) -> tuple[tuple[Stage, IterVar], ...]:
        """The loops around the place of `stage`, innermost first: found once, from those around its parent."""
        if stage not in self._around:
            at = stage.loop_around
            self._around[stage] = () if at is None else (*loops_at(at), *self.around(at.stage))
        return self._around[stage]

    def fixed(self, stage: Stage) -> set[tuple[Stage, IterVar]]:
        """The loops around a stage of which each iteration has a part of its own: all but those whose threads share
        its memory."""
        around = set(self.around(stage))
        return around - set(shared_loops(stage)) if self.has_threads else around

    def between(self, stage: Stage) -> tuple[tuple[Stage, IterVar], ...]:
        """The loops around the place of `stage` that are inside of the place of its memory, innermost first."""
        around = self.around(stage)
        return around[:1] if stage.is_rolling else tuple(inside_of(stage.stored, around) or ())

    def own_threads(self, stage: Stage) -> dict[str, Expr]:
        """The variables of the threads around a stage each of which has a part of its own of it, by their keys: a thread
        reads only what it computed itself."""
        if not self.has_threads:
            return {}
        scope = scope_of(stage)
        around = [(s, iv, t) for s, iv, t in bound_around(stage) if not is_shared_by(scope, t)]
        return {t.key: self.stages[s].vars[iv] for s, iv, t in around}

    def known_at(self, v: Var, fixed: set[tuple[Stage, IterVar]]) -> bool:
        """Whether `v` has its value inside of the loops `fixed`, if it is one of the dependent variables."""
        for stage, own in self.stages.items():
            if v in own.dependent_vars:
                return any((stage, iv) in fixed for iv in stage.leaf_iter_vars[own.dependent_vars[v] :])
        return True


def _readers(schedule: Schedule, operations: dict[Stage, Operation]) -> dict[Stage, list[Stage]]:
    """Who reads whom, after inlining."""
    readers: dict[Stage, list[Stage]] = {s: [] for s in schedule.stages}
    for reader in schedule.stages:
        if not reader.is_inlined:
            for producer in dict.fromkeys(schedule.stage_of(t) for t in operations[reader].inputs):
                readers[producer].append(reader)
    return readers


@any_depth
def infer_bounds(schedule: Schedule, kept_whole: Iterable[Stage] = ()) -> Bounds:
    """Bounds for all stages. Stages in `kept_whole` live in the caller's memory: their boxes are whole, and those at the
    root compute all of it. Raises ScheduleError for a schedule that no later call has made right."""
    check_schedule(schedule)
    bounds = Bounds(inlined_operations(schedule), {}, Analyzer(), uses_threads(schedule))
    whole = {*schedule.output_stages, *kept_whole}
    schedule.tell_sizes(bounds.analyzer)
    bounds.part_sizes = frozenset(schedule.part_sizes)
    without_gaps = whole | {p.source for s in schedule.stages for p in s.prefetches}
    joined = joined_stages(schedule)
    if joined:
        check_joined(schedule)
    hosts = {nest_of(s): None for s in joined if s.is_after}
    for stage in from_outputs(schedule, hosts):
        if stage.is_placeholder or stage.is_inlined:
            continue
        needed: Sequence[Range] | None = None
        kept: Sequence[Range] | None = None
        if stage.is_after:
            needed = needed_after(stage, bounds)
        elif stage in hosts:
            pass  # what comes after it needs all of it
        elif stage not in whole or (stage.loop_around is not None and stage not in schedule.output_stages):
            needed, kept = _needed_and_kept(stage, bounds, stage not in without_gaps)
        bounds.stages[stage] = own = stage_bounds(stage, needed, kept, stage in whole, bounds.analyzer)
        _tell_loops(own, bounds.analyzer)
    after = [s for s in joined if s.is_after]
    for stage in after:
        check_made(stage, bounds)
    for stage in (*hosts, *after):
        if stage not in whole and not stage.is_output:
            keep_part(stage, after, bounds)
    return bounds


def known_bounds(schedule: Schedule, kept_whole: Iterable[Stage] = ()) -> Bounds:
    """As `infer_bounds`, to look at and not to change: inferred once for the schedule as it is, by whoever comes first."""
    latest, now = schedule.latest_bounds, _moment(schedule, kept_whole)
    if latest is not None and latest[0] == now:
        bounds = latest[1]
        assert isinstance(bounds, Bounds)
        return bounds
    return keep_bounds(schedule, kept_whole, infer_bounds(schedule, kept_whole))


def keep_bounds(schedule: Schedule, kept_whole: Iterable[Stage], bounds: Bounds) -> Bounds:
    """`bounds`, for `known_bounds`: they were inferred just now."""
    schedule.latest_bounds = _moment(schedule, kept_whole), bounds
    return bounds


def _moment(schedule: Schedule, kept_whole: Iterable[Stage]) -> object:
    return schedule.version, schedule.within, frozenset(kept_whole)


def _tell_loops(own: StageBounds, analyzer: Analyzer) -> None:
    """Tell an analyzer how far the loops of a stage run."""
    for iv in own.ranges if own.dependent_vars else ():
        if own.ranges[iv].extent in own.dependent_vars:
            analyzer.bind(own.ranges[iv].extent, 0, None)  # type: ignore[arg-type]
    for iv, v in own.vars.items():
        analyzer.bind_extent(v, const(0, v.dtype), own.extents[iv])


# ---------------------------------------------------------------- what readers need


def _needed_and_kept(
    stage: Stage, bounds: Bounds, may_have_gaps: bool
) -> tuple[Sequence[Range] | None, Sequence[Range] | None]:
    """The range of each axis of `stage` that is computed at its place, and the one that is kept: None for all of it."""
    gaps = may_have_gaps and _may_have_gaps(stage, bounds)
    needed = _known_needed(stage, bounds, gaps)
    between = bounds.between(stage) if needed is not None and stage.stored is not None else ()
    if needed is None or not between:
        return needed, needed
    kept = _known_needed(stage, bounds, gaps, between)
    return needed, kept_around_calls(stage, needed, kept, bounds.analyzer)


def _known_needed(
    stage: Stage, bounds: Bounds, gaps: bool, between: Sequence[tuple[Stage, IterVar]] = ()
) -> Sequence[Range] | None:
    """What `_needed` returns while the loops around `stage` stand still, but for those `between` it and its memory: the same
    object for the same loops and readers."""
    readers, fixed = bounds.readers_of(stage), bounds.fixed(stage) - set(between)
    found = _on_readers(stage, readers, bounds, gaps)
    if found is None:
        return _needed(stage, readers, bounds, gaps, fixed)
    key, named = found
    loops = [x for s, iv in between for x in (bounds.stages[s], iv)]
    key = ("needed", *key, tuple([id(x) for x in loops]))
    return stage.schedule.result_cache.once(
        key, [*named, *loops], lambda: _needed(stage, readers, bounds, gaps, fixed)
    )


def _needed(
    stage: Stage,
    readers: list[Stage],
    bounds: Bounds,
    gaps: bool,
    fixed: set[tuple[Stage, IterVar]],
) -> list[Range] | None:
    """The range of each axis of `stage` that its readers need while the loops in `fixed` stand still, with `gaps` where they
    read in steps; None for all of it. Of a hybrid function, the range of each dimension."""
    if not stage.op.tiled or (isinstance(stage.op, HybridOp | ScanOp) and stage.loop_around is None):
        return None
    # An extern may be cut in its leading dimensions only, a hybrid function in any.
    cut = stage.op.cut if isinstance(stage.op, HybridOp | ScanOp) else stage.op.axis
    axes = len(cut)
    boxes = [box[:axes] for reader in readers for box in touched(reader, stage, fixed, bounds)]
    if not boxes:
        return None
    box = smallest_box(boxes, bounds.analyzer)
    sizes = stage.op.output(0).shape[:axes]
    ranges = [
        needed_range(None if iv is None else x, n, bounds, gaps)
        for iv, x, n in zip(cut, box, sizes, strict=True)
    ]
    # These may compute elements again, which saves them guards at the edges.
    if isinstance(stage.op, HybridOp) or (isinstance(stage.op, ExternOp) and stage.op.tail == "shift"):
        return [moved_inside(r, n, bounds.analyzer) for r, n in zip(ranges, sizes, strict=True)]
    return ranges


def _may_have_gaps(stage: Stage, bounds: Bounds) -> bool:
    """Whether memory of `stage` may leave out what nothing reads: its readers compute where an element is, one by one."""
    if stage.is_rolling or stage.stored or rounded_axes(stage.relations):
        return False
    if isinstance(stage.op, ComputeOp) and stage.op.domains:
        return False
    readers = bounds.readers_of(stage)
    ops = [stage.op, *(bounds.operations[r] for r in readers)]
    return all([isinstance(op, ComputeOp) for op in ops]) and not any(
        [s.marks_of("tensorize") for s in (stage, *readers)]
    )


def _on_readers(
    stage: Stage, readers: Sequence[Stage], bounds: Bounds, gaps: bool
) -> tuple[tuple[Hashable, ...], list[object]] | None:
    """A key for what readers touch of a stage, and what it names: of computes that depends on the loops around, and on the
    readers and theirs. None where it depends on more."""
    ops = [stage.op, *(bounds.operations[r] for r in readers)]
    if not all(isinstance(op, ComputeOp) for op in ops):
        return None
    named = [*ops, *(bounds.stages[r] for r in readers)]
    named += [_known_place(x, bounds) for x in (stage, *readers)]
    scope = scope_of(stage) if bounds.has_threads else ""
    return (stage.name, len(readers), tuple([id(x) for x in named]), scope, gaps), named


def _known_place(stage: Stage, bounds: Bounds) -> object:
    """An object that stands for the loops around `stage` and their bounds: the same one for the same loops."""
    if stage not in bounds.places:
        at = stage.attach
        named: tuple[object, ...] = ()
        if isinstance(at, At):
            named = (_known_place(at.stage, bounds), bounds.stages[at.stage], at.axis)
        elif isinstance(at, With):
            named = (_known_place(at.stage, bounds), at.axis)
        key = ("place", tuple([id(x) for x in named]))
        bounds.places[stage] = stage.schedule.result_cache.once(key, named, object)
    return bounds.places[stage]


# ---------------------------------------------------------------- what is asked of the result


def computed_box(stage: Stage, bounds: Bounds) -> Region:
    """The box of the first output of a stage that is computed at its place: what is kept of it, or a part of that."""
    own, op = bounds.stages[stage], stage.op
    if not (bounds.between(stage) or stage.is_after or stage in bounds.kept_in):
        return own.regions[0]
    if isinstance(op, ExternOp):
        return tuple(op.out_regions([own.ranges[iv] for iv in op.axis])[0])
    axes = op.cut if isinstance(op, HybridOp) else op.axis
    box = zip(axes, own.regions[0], strict=True)
    return tuple([r if iv is None or iv not in own.ranges else own.ranges[iv] for iv, r in box])


def readings(stage: Stage, bounds: Bounds) -> list[tuple[Stage, Box]]:
    """What each access of each reader touches of `stage` at its place, with the reader: an interval for every
    dimension, or None where the elements are known only at run time."""
    fixed = bounds.fixed(stage)
    return [(r, box) for r in bounds.readers_of(stage) for box in touched(r, stage, fixed, bounds)]


def needed_in_all(stage: Stage, bounds: Bounds) -> Region | None:
    """The box of `stage` that all places where it is computed make together, with the gaps between what is read; None where
    nothing reads it."""
    boxes = [box for r in bounds.readers_of(stage) for box in touched(r, stage, set(), bounds)]
    return region_around(boxes, stage.op.output(0).shape, bounds, True) if boxes else None


def needed_region(stage: Stage, bounds: Bounds) -> Region:
    """The box of `stage` that its readers touch at its place, cut or not: what would be enough to keep."""
    shape = stage.op.output(0).shape
    readers = bounds.readers_of(stage)
    if not readers or stage.is_output:
        return tuple(whole_region(shape))
    gaps = any(steps_in(r) is not None for r in bounds.stages[stage].regions[0])

    def region() -> Region:
        boxes = [box for _, box in readings(stage, bounds)]
        return region_around(boxes, shape, bounds, gaps) if boxes else tuple(whole_region(shape))

    found = _on_readers(stage, readers, bounds, gaps)
    if found is None:
        return region()
    key, named = found
    return stage.schedule.result_cache.once(("touched", *key), named, region)


def region_read(reader: Stage, tensor: Tensor, axis: IterVar, bounds: Bounds) -> Region | None:
    """The box of `tensor` that one iteration of loop `axis` of `reader` touches; None where it touches nothing,
    or what is known only at run time."""
    fixed = {*bounds.around(reader), *((reader, iv) for iv in loops_to(reader, axis))}
    boxes = touched(reader, reader.schedule.stage_of(tensor), fixed, bounds, tensor)
    if not boxes or any(x is None for box in boxes for x in box):
        return None
    return region_around(boxes, tensor.shape, bounds)
