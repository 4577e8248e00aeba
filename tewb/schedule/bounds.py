"""Bound inference: which part of every stage is computed where it stands.

As in classic TE, from the outputs back: what a reader's iterations touch, with the loops inside of the
place of computation running and those around it standing still, is what a stage must compute there.
Sizes are kept constant where a constant can be proved, and never exceed the declared shape.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tewb.arith import Analyzer
from tewb.arith.intset import Interval, eval_set, interval, largest_extent, point, relaxed, union
from tewb.arith.steps import count_of, is_same, leaves_out_half, span
from tewb.base import DType, any_depth, readable
from tewb.ir import (
    Expr,
    For,
    IterVar,
    Max,
    Min,
    ProducerLoad,
    Range,
    Stmt,
    Var,
    const,
    const_int,
    free_vars,
    is_same_expression,
    ops,
    substitute,
    uses,
    walk,
)
from tewb.schedule.check_schedule import check_schedule, fault_error
from tewb.schedule.declare import Refusal
from tewb.schedule.dependent_loops import around
from tewb.schedule.extern_tiles import at_edge
from tewb.schedule.hybrid_loops import accesses_of, loops_to, scheduled_body
from tewb.schedule.inlining import inlined_operations
from tewb.schedule.made_so_far import begins_before, fixed_loops, made, part_after, read_in_nest, unmade
from tewb.schedule.questions import Fault, join_fault
from tewb.schedule.ranges_with_gaps import RangeWithGaps, element_at, elements_of, steps_in
from tewb.schedule.relation import Extents, Fuse, full, index_up, intervals_up, is_full, loop_extents
from tewb.schedule.rounded_tails import padded, rounded_axes
from tewb.schedule.schedule import Schedule
from tewb.schedule.shared_loops import joined_stages, nest_of, shared_pairs
from tewb.schedule.stage import At, Stage, With
from tewb.schedule.threads import (
    bound,
    bound_around,
    is_shared_by,
    scope_of,
    shared_loops,
    uses_threads,
)
from tewb.tensor import ComputeOp, Domain, ExternOp, Operation, Region, ScanOp, Tensor, whole_region
from tewb.tensor.hybrid import HybridOp

# A part of a symbolic dimension has a constant number of elements up to this one: calls may have far fewer.
LARGEST_CONSTANT = 1 << 24


@readable
@dataclass(slots=True, eq=False)
class StageBounds:
    """What is computed of one stage: the range of each axis, the extent of each axis and loop, the loop
    variables, and the box of each output that is kept in memory. Of a hybrid function, `body` are its loops. Ranges
    that depend on other axes or on elements use `dependent_vars`, each with the number of loops around the
    place where it gets its value."""

    ranges: dict[IterVar, Range]
    extents: Extents
    vars: dict[IterVar, Var]
    regions: tuple[Region, ...]
    body: Stmt | None = None
    dependent_vars: dict[Var, int] = field(default_factory=dict)


@readable
@dataclass(slots=True)
class Bounds:
    """The result of bound inference. `analyzer` knows the range of every loop variable; `part_sizes` are the sizes of splits
    that are known in kernels only; `places` has an object for the loops around each stage, the same one for the same loops, `kept_in` the loop in which a
    stage is kept of which only stages that come after it read a part."""

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
            at = stage.attach
            self._around[stage] = (*_loops_at(at), *self.around(at.stage)) if isinstance(at, At) else ()
        return self._around[stage]

    def fixed(self, stage: Stage) -> set[tuple[Stage, IterVar]]:
        """The loops around a stage of which each iteration has a part of its own: all but those whose threads share
        its memory."""
        around = set(self.around(stage))
        return around - set(shared_loops(stage)) if self.has_threads else around

    def between(self, stage: Stage) -> tuple[tuple[Stage, IterVar], ...]:
        """The loops around the place of `stage` that are inside of the place of its memory, innermost first."""
        around, stored = self.around(stage), stage.stored
        if stage.is_rolling:
            return around[:1]
        if not isinstance(stored, At):
            return () if stored is None else around
        outside = next((n for n, (s, iv) in enumerate(around) if s is stored.stage and iv is stored.axis), 0)
        return around[:outside]

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


@any_depth
def infer_bounds(schedule: Schedule, kept_whole: Iterable[Stage] = ()) -> Bounds:
    """Bounds for all stages. Stages in `kept_whole` live in the caller's memory: their boxes are whole, and those at the
    root compute all of it. Raises ScheduleError for a schedule that no later call has made right."""
    check_schedule(schedule)
    bounds = Bounds(inlined_operations(schedule), {}, Analyzer(), uses_threads(schedule))
    whole = {*schedule.output_stages, *kept_whole}
    schedule.tell_sizes(bounds.analyzer)
    bounds.part_sizes = frozenset(schedule.part_sizes)
    readers = _readers(schedule, bounds.operations)
    prefetched = {p.source for s in schedule.stages for p in s.prefetches}
    joined = joined_stages(schedule)
    _check_joined(schedule, joined)
    hosts = {nest_of(s): None for s in joined if s.is_after}
    for stage in _from_outputs(schedule, hosts):
        if stage.is_placeholder or stage.is_inlined:
            continue
        needed: Sequence[Range] | None = None
        kept: Sequence[Range] | None = None
        if stage.is_after:
            needed = _part_after(stage, bounds)
        elif stage in hosts:
            pass  # what comes after it needs all of it
        elif stage not in whole or (stage.attached is not None and stage not in schedule.output_stages):
            gaps = (
                stage not in whole
                and stage not in prefetched
                and _may_have_gaps(stage, readers[stage], bounds)
            )
            needed = kept = _known_needed(schedule, stage, readers[stage], bounds, gaps)
            if needed is not None and stage.stored is not None and bounds.between(stage):
                kept = _known_needed(schedule, stage, readers[stage], bounds, gaps, in_memory=True)
                kept = _around_calls(stage, needed, kept, bounds.analyzer)
        bounds.stages[stage] = own = _known_bounds(stage, needed, kept, stage in whole, bounds.analyzer)
        for iv in own.ranges if own.dependent_vars else ():
            if own.ranges[iv].extent in own.dependent_vars:
                bounds.analyzer.bind(own.ranges[iv].extent, 0, None)  # type: ignore[arg-type]
        for iv, v in own.vars.items():
            bounds.analyzer.bind_extent(v, const(0, v.dtype), own.extents[iv])
    after = [s for s in joined if s.is_after]
    for stage in after:
        _check_made(stage, bounds)
    for stage in (*hosts, *after):
        if stage not in whole and not stage.is_output:
            _keep_part(stage, after, bounds)
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


def _from_outputs(schedule: Schedule, hosts: Iterable[Stage]) -> list[Stage]:
    """The stages in an order in which each comes after its readers; those of which all is computed, with what comes after them
    in their loops, come first."""
    first = [
        s
        for host in hosts
        for s in (host, *[x for x in schedule.stages if x.is_after and nest_of(x) is host])
    ]
    return [*first, *(s for s in reversed(schedule.stages) if s not in first)]


def _check_joined(schedule: Schedule, joined: list[Stage]) -> None:
    """Raise ScheduleError where a stage cannot be computed with another one, or after it in its loops."""
    fault = join_fault(schedule) if joined else None
    if fault is not None:
        raise fault_error(schedule, fault)


def _part_after(stage: Stage, bounds: Bounds) -> list[Range]:
    """The range of each axis of a stage that comes after another one. Raises ScheduleError where it is not known."""
    found = part_after(stage, bounds)
    if isinstance(found, Refusal):
        raise fault_error(stage.schedule, Fault(stage, "reverse_compute_at", found))
    return found


def _check_made(stage: Stage, bounds: Bounds) -> None:
    """Raise ScheduleError where a stage that comes after another one, or one that is computed in its loops, may read what is
    not made yet."""
    schedule, host, fixed = stage.schedule, nest_of(stage), fixed_loops(stage)
    inner = [s for s in bounds.stages if s is stage or any(x is stage for x, _ in bounds.around(s))]
    for reader in inner:
        for read in read_in_nest(reader, host):
            for t in [t for t in bounds.operations[reader].inputs if schedule.stage_of(t) is read]:
                of = made(read, t.value_index, fixed, bounds)
                boxes = _touched(schedule, reader, read, fixed, bounds, t)
                refused = (
                    Refusal(of) if isinstance(of, str) else unmade(reader, boxes, read, of, bounds.analyzer)
                )
                if refused is not None:
                    raise fault_error(schedule, Fault(stage, "reverse_compute_at", refused))


def _keep_part(stage: Stage, after: Sequence[Stage], bounds: Bounds) -> None:
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
        for box in _touched(schedule, r, stage, fixed, bounds):
            if begins_before(box, of, bounds.analyzer):
                return
    shape = stage.op.output(0).shape
    region = tuple(
        [
            Range(const(0, n.dtype), n) if x is None else _without_gaps(x, n, bounds)
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


def _known_needed(
    schedule: Schedule,
    stage: Stage,
    readers: list[Stage],
    bounds: Bounds,
    gaps: bool,
    in_memory: bool = False,
) -> Sequence[Range] | None:
    """What `_needed` returns."""
    found = _on_readers(stage, readers, bounds, gaps)
    fixed, between = bounds.fixed(stage), bounds.between(stage) if in_memory else ()
    fixed -= set(between)
    if found is None:
        return _needed(schedule, stage, readers, bounds, gaps, fixed)
    key, named = found
    loops = [x for s, iv in between for x in (bounds.stages[s], iv)]
    key = ("needed", *key, tuple([id(x) for x in loops]))
    return schedule.result_cache.once(
        key, [*named, *loops], lambda: _needed(schedule, stage, readers, bounds, gaps, fixed)
    )


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


def makes_whole_parts(stage: Stage) -> bool:
    """Whether code that is not made element by element computes a stage, on views of memory."""
    is_compute = isinstance(stage.op, ComputeOp)
    return not is_compute or any(m.primitive in ("tensorize", "transpose") for m in stage.marks)


def _around_calls(
    stage: Stage, needed: Sequence[Range], kept: Sequence[Range] | None, analyzer: Analyzer
) -> Sequence[Range] | None:
    """The ranges of `stage` to keep. Code of its own stores all of a part `needed`: a dimension is kept whole where that is
    not proved to be kept."""
    if kept is None or not makes_whole_parts(stage):
        return kept
    proved, shape = analyzer.can_prove, stage.op.output(0).shape

    def holds(r: Range, part: Range) -> bool:
        ends = ops.add(part.min, part.extent), ops.add(r.min, r.extent)
        return proved(ops.less_equal(r.min, part.min)) and proved(ops.less_equal(*ends))

    return [
        r if holds(r, part) else Range(const(0, n.dtype), n)
        for r, part, n in zip(kept, needed, shape, strict=False)
    ]


def _on_readers(
    stage: Stage, readers: Sequence[Stage], bounds: Bounds, gaps: bool
) -> tuple[tuple[Hashable, ...], list[object]] | None:
    """A key for what readers touch of a stage, and what it names: of computes that depends on the loops around, and on the
    readers and theirs. None where it depends on more."""
    ops = [stage.op, *(bounds.operations[r] for r in readers)]
    if not all(isinstance(op, ComputeOp) for op in ops):
        return None
    named = [*ops, *(bounds.stages[r] for r in readers)]
    named += [_known_place(stage.schedule, x, bounds) for x in (stage, *readers)]
    scope = scope_of(stage) if bounds.has_threads else ""
    return (stage.name, len(readers), tuple([id(x) for x in named]), scope, gaps), named


def _may_have_gaps(stage: Stage, readers: Sequence[Stage], bounds: Bounds) -> bool:
    """Whether memory of `stage` may leave out what nothing reads: its readers compute where an element is, one by one."""
    if stage.is_rolling or stage.stored or rounded_axes(stage.relations):
        return False
    if isinstance(stage.op, ComputeOp) and stage.op.domains:
        return False
    ops = [stage.op, *(bounds.operations[r] for r in readers)]
    return all([isinstance(op, ComputeOp) for op in ops]) and not any(
        [s.marks_of("tensorize") for s in (stage, *readers)]
    )


def _known_place(schedule: Schedule, stage: Stage, bounds: Bounds) -> object:
    """An object that stands for the loops around `stage` and their bounds: the same one for the same loops."""
    if stage not in bounds.places:
        at = stage.attach
        named: tuple[object, ...] = ()
        if isinstance(at, At):
            named = (_known_place(schedule, at.stage, bounds), bounds.stages[at.stage], at.axis)
        elif isinstance(at, With):
            named = (at.axis,)
        key = ("place", tuple([id(x) for x in named]))
        bounds.places[stage] = schedule.result_cache.once(key, named, object)
    return bounds.places[stage]


def _known_bounds(
    stage: Stage,
    needed: Sequence[Range] | None,
    kept: Sequence[Range] | None,
    whole: bool,
    analyzer: Analyzer,
) -> StageBounds:
    """What `_stage_bounds` returns: the same object for the same loops and the same needs."""
    if not isinstance(stage.op, ComputeOp):
        return _stage_bounds(stage, needed, kept, whole, analyzer)
    cache = stage.schedule.result_cache
    state, named = stage.state()
    ranges = None if needed is None else cache.ranges(needed)
    region = ranges if kept is needed or kept is None else cache.ranges(kept)
    key = ("bounds", state, whole, ranges, region)
    return cache.once(
        key, (*named, needed, kept), lambda: _stage_bounds(stage, needed, kept, whole, analyzer)
    )


def _readers(schedule: Schedule, operations: dict[Stage, Operation]) -> dict[Stage, list[Stage]]:
    """Who reads whom, after inlining."""
    readers: dict[Stage, list[Stage]] = {s: [] for s in schedule.stages}
    for reader in schedule.stages:
        if not reader.is_inlined:
            for producer in dict.fromkeys(schedule.stage_of(t) for t in operations[reader].inputs):
                readers[producer].append(reader)
    return readers


def _stage_bounds(
    stage: Stage,
    needed: Sequence[Range] | None,
    kept: Sequence[Range] | None,
    whole: bool,
    analyzer: Analyzer,
) -> StageBounds:
    """The bounds of a stage of which the ranges `needed` are computed at its place, and those of `kept` are kept."""
    op = stage.op
    if isinstance(op, HybridOp):
        return _hybrid_bounds(stage, op, needed, kept, whole, analyzer)
    ranges = {iv: iv.dom for iv in (*op.axis, *op.reduce_axis) if iv.dom is not None}
    dependent_vars = _dependent_ranges(stage, op, ranges) if isinstance(op, ComputeOp) and op.domains else {}
    if needed is not None and not isinstance(op, ScanOp):
        ranges.update(zip(op.axis, needed, strict=True))
    counts = {iv: r.extent for iv, r in ranges.items()}
    wide = op.domains if isinstance(op, ComputeOp) else ()
    extents = loop_extents(stage.relations, counts, analyzer, wide)
    variables = {iv: Var(stage.axis_name(iv), _dtype_of(iv, extents)) for iv in stage.leaf_iter_vars}
    if whole or kept is None or not op.axis:
        regions = tuple(whole_region(t.shape) for t in op.outputs)
    elif isinstance(op, ExternOp):
        regions = tuple(op.out_regions(kept))
    else:
        regions = (padded(stage, tuple(kept), ranges, extents, analyzer),) * len(op.outputs)
    return StageBounds(ranges, extents, variables, regions, dependent_vars=dependent_vars)


def _dtype_of(loop: IterVar, extents: Extents) -> DType:
    """The dtype that a loop is counted in."""
    return extents[loop].dtype if loop in extents else loop.dtype


def _dependent_ranges(stage: Stage, op: ComputeOp, ranges: dict[IterVar, Range]) -> dict[Var, int]:
    """Put variables for what depends on other axes or on elements into `ranges`. Returns them, each with the number
    of loops around the place where its value is known."""
    dependent_vars: dict[Var, int] = {}
    for iv, domain in op.domains.items():
        r, name, depth = domain.range, stage.axis_name(iv), around(stage, iv)
        low = r.min if const_int(r.min) is not None else Var(f"{name}.begin", r.min.dtype)
        ranges[iv] = Range(low, Var(f"{name}.extent", r.extent.dtype))
        dependent_vars |= {e: depth for e in (low, ranges[iv].extent) if isinstance(e, Var)}
    return dependent_vars


def _hybrid_bounds(
    stage: Stage,
    op: HybridOp,
    needed: Sequence[Range] | None,
    kept: Sequence[Range] | None,
    whole: bool,
    analyzer: Analyzer,
) -> StageBounds:
    """The loops of a hybrid function: those that make the needed region run over that, the others as written."""
    cut = {} if needed is None else {iv: r for iv, r in zip(op.cut, needed, strict=True) if iv is not None}
    ranges = {iv: iv.dom for iv in op.axis if iv.dom is not None} | cut
    body = scheduled_body(stage, op.body, cut)
    extents = loop_extents(stage.relations, {iv: r.extent for iv, r in ranges.items()}, analyzer)
    loops = {n.var: n for n in walk(body) if isinstance(n, For)}
    for iv in stage.leaf_iter_vars:
        extents[iv] = loops[iv.var].extent
    regions = tuple(whole_region(t.shape) if whole or kept is None else tuple(kept) for t in op.outputs)
    return StageBounds(ranges, extents, {iv: iv.var for iv in stage.leaf_iter_vars}, regions, body)


# ---------------------------------------------------------------- what readers need


def enclosing(stage: Stage) -> list[tuple[Stage, IterVar]]:
    """The loops around the place of `stage`, innermost first."""
    loops: list[tuple[Stage, IterVar]] = []
    place = stage.attach
    while isinstance(place, At):
        loops += _loops_at(place)
        place = place.stage.attach
    return loops


def _loops_at(place: At) -> list[tuple[Stage, IterVar]]:
    """The loops of a stage around a place in it, innermost first."""
    return [(place.stage, iv) for iv in reversed(loops_to(place.stage, place.axis))]


def _needed(
    schedule: Schedule,
    stage: Stage,
    readers: list[Stage],
    bounds: Bounds,
    gaps: bool,
    fixed: set[tuple[Stage, IterVar]],
) -> list[Range] | None:
    """The range of each axis of `stage` that its readers need while the loops in `fixed` stand still, with `gaps` where they
    read in steps; None for all of it. Of a hybrid function, the range of each dimension."""
    if not stage.op.tiled or (isinstance(stage.op, HybridOp | ScanOp) and stage.attached is None):
        return None
    boxes: list[Interval | None] = []
    first = True
    # An extern may be cut in its leading dimensions only, a hybrid function in any.
    cut = stage.op.cut if isinstance(stage.op, HybridOp | ScanOp) else stage.op.axis
    axes = len(cut)
    for reader in readers:
        for touched in _touched(schedule, reader, stage, fixed, bounds):
            box = touched[:axes]
            if first:
                boxes, first = box, False
            else:
                boxes = [
                    None if a is None or b is None else _union(a, b, bounds.analyzer)
                    for a, b in zip(boxes, box, strict=True)
                ]
    if first:
        return None
    boxes = [None if iv is None else box for iv, box in zip(cut, boxes, strict=True)]
    sizes = stage.op.output(0).shape[:axes]
    ranges = [_range(x, n, bounds, gaps) for x, n in zip(boxes, sizes, strict=True)]
    # These may compute elements again, which saves them guards at the edges.
    if isinstance(stage.op, HybridOp) or (isinstance(stage.op, ExternOp) and stage.op.tail == "shift"):
        return [_inside(r, n, bounds.analyzer) for r, n in zip(ranges, sizes, strict=True)]
    return ranges


def readings(stage: Stage, bounds: Bounds) -> list[tuple[Stage, list[Interval | None]]]:
    """What each access of each reader touches of `stage` at its place, with the reader: an interval for every
    dimension, or None where the elements are known only at run time."""
    schedule, fixed = stage.schedule, bounds.fixed(stage)
    return [(r, box) for r in bounds.readers_of(stage) for box in _touched(schedule, r, stage, fixed, bounds)]


def needed_in_all(stage: Stage, bounds: Bounds) -> Region | None:
    """The box of `stage` that all places where it is computed make together, with the gaps between what is read; None where
    nothing reads it."""
    boxes = [
        box for r in bounds.readers_of(stage) for box in _touched(stage.schedule, r, stage, set(), bounds)
    ]
    return _joined(boxes, stage.op.output(0).shape, bounds, True) if boxes else None


def needed_region(stage: Stage, bounds: Bounds) -> Region:
    """The box of `stage` that its readers touch at its place, cut or not: what would be enough to keep."""
    shape = stage.op.output(0).shape
    readers = bounds.readers_of(stage)
    if not readers or stage.is_output:
        return tuple(whole_region(shape))
    gaps = any(steps_in(r) is not None for r in bounds.stages[stage].regions[0])

    def touched() -> Region:
        boxes = [box for _, box in readings(stage, bounds)]
        return _joined(boxes, shape, bounds, gaps) if boxes else tuple(whole_region(shape))

    found = _on_readers(stage, readers, bounds, gaps)
    if found is None:
        return touched()
    key, named = found
    return stage.schedule.result_cache.once(("touched", *key), named, touched)


def region_read(reader: Stage, tensor: Tensor, axis: IterVar, bounds: Bounds) -> Region | None:
    """The box of `tensor` that one iteration of loop `axis` of `reader` touches; None where it touches nothing,
    or what is known only at run time."""
    schedule = reader.schedule
    fixed = {*bounds.around(reader), *((reader, iv) for iv in loops_to(reader, axis))}
    boxes = _touched(schedule, reader, schedule.stage_of(tensor), fixed, bounds, tensor)
    if not boxes or any(x is None for box in boxes for x in box):
        return None
    return _joined(boxes, tensor.shape, bounds)


def _joined(
    boxes: Sequence[list[Interval | None]], shape: Sequence[Expr], bounds: Bounds, gaps: bool = False
) -> Region:
    """The smallest box around all boxes, with or without gaps."""
    joined = boxes[0]
    for other in boxes[1:]:
        joined = [
            None if a is None or b is None else _union(a, b, bounds.analyzer)
            for a, b in zip(joined, other, strict=True)
        ]
    return tuple(_range(x, n, bounds, gaps) for x, n in zip(joined, shape, strict=True))


def _inside(r: Range, size: Expr, analyzer: Analyzer) -> Range:
    """A range of the same extent that is moved so that it lies in a dimension of `size`."""
    low = r.min if analyzer.can_prove(ops.greater_equal(r.min, 0)) else ops.maximum(r.min, 0)
    return at_edge(Range(low, r.extent), size, "shift", analyzer)


def _union(a: Interval, b: Interval, analyzer: Analyzer) -> Interval:
    same = a.lo is b.lo and a.hi is b.hi
    if is_same(a.steps, b.steps) and (
        same or (is_same_expression(a.lo, b.lo) and is_same_expression(a.hi, b.hi))
    ):
        return a
    return union(a, b, analyzer)


def _touched(
    schedule: Schedule,
    reader: Stage,
    stage: Stage,
    fixed: set[tuple[Stage, IterVar]],
    bounds: Bounds,
    only: Tensor | None = None,
) -> list[list[Interval | None]]:
    """The boxes of `stage` that `reader` touches while the loops in `fixed` stand still; of one of its tensors,
    if `only` is given."""
    around = [
        (s, iv) for s, iv in bounds.around(reader) if (s, iv) not in fixed
    ]  # these run too: the reader stands deeper than the stage
    shared = _shared_loops(reader, fixed)
    fixed = fixed | {(reader, mine) for _, mine in shared}
    threads = bounds.own_threads(stage)
    relax = {bounds.stages[s].vars[iv]: _all_of(s, iv, threads, bounds) for s, iv in around}
    boxes = _reader_boxes(schedule, reader, stage, fixed, bounds, only)
    for v, everything in relax.items():  # innermost first: its extent may depend on those around it
        boxes = [[relaxed(x, {v: everything}) for x in box] for box in boxes]
    if shared:
        host, own = bounds.stages[nest_of(reader)], bounds.stages[reader]
        same = {own.vars[mine]: ops.cast(host.vars[theirs], own.vars[mine].dtype) for theirs, mine in shared}
        boxes = [[x and _renamed(x, same) for x in box] for box in boxes]
    if any(own.dependent_vars for own in bounds.stages.values()):
        boxes = [[_at_place(x, fixed, bounds) for x in box] for box in boxes]
    return boxes


def _shared_loops(reader: Stage, fixed: set[tuple[Stage, IterVar]]) -> list[tuple[IterVar, IterVar]]:
    """The loops of `reader` that stand still because they are those of the stage that it is computed with."""
    at = reader.attach
    return (
        [pair for pair in shared_pairs(reader) if (at.stage, pair[0]) in fixed]
        if isinstance(at, With)
        else []
    )


def _renamed(x: Interval, values: Mapping[Var, Expr]) -> Interval:
    """An interval with other variables."""
    low = substitute(x.lo, values)
    return Interval(low, low if x.is_point else substitute(x.hi, values), x.width, x.steps)


def _all_of(stage: Stage, loop: IterVar, threads: Mapping[str, Expr], bounds: Bounds) -> Interval:
    """All iterations of a loop that run in one of `threads`: of a loop that is bound to them, one."""
    extent = bounds.stages[stage].extents[loop]
    thread = bound(stage).get(loop) if threads else None
    if thread is None or thread.key not in threads:
        return full(extent)
    return point(ops.cast(threads[thread.key], extent.dtype))


def _at_place(x: Interval | None, fixed: set[tuple[Stage, IterVar]], bounds: Bounds) -> Interval | None:
    """An interval that is known inside of the loops `fixed`, and whose size does not depend on elements; else None."""
    if x is None or not all(bounds.known_at(v, fixed) for e in (x.lo, x.hi) for v in free_vars(e)):
        return None
    size = const(1, x.lo.dtype) if x.is_point else bounds.analyzer.simplify(ops.sub(x.hi, x.lo))
    dependent_vars = {v for own in bounds.stages.values() for v in own.dependent_vars}
    return None if x.width is None and uses(size, dependent_vars) else x


def _reader_boxes(
    schedule: Schedule,
    reader: Stage,
    stage: Stage,
    fixed: set[tuple[Stage, IterVar]],
    bounds: Bounds,
    only: Tensor | None,
) -> list[list[Interval | None]]:
    op, own = bounds.operations[reader], bounds.stages[reader]
    mine = {t for t in op.inputs if schedule.stage_of(t) is stage and (only is None or t is only)}
    if isinstance(op, ComputeOp):
        threads = bounds.own_threads(stage)
        sets: dict[IterVar, Interval] = {
            iv: _iteration(own, iv) if (reader, iv) in fixed else _all_of(reader, iv, threads, bounds)
            for iv in reader.leaf_iter_vars
        }
        intervals_up(reader.relations, sets, own.extents, bounds.analyzer)
        axes: dict[Var, Interval | None] = {}
        for iv, r in own.ranges.items():
            axes[iv.var] = elements_of(r, sets[iv])
            if iv in op.domains and not any((reader, x) in fixed for x in reader.loops_of(iv)):
                axes[iv.var] = _covered(op.domains[iv], axes)
        loads = [n for e in op.exprs() for n in walk(e) if isinstance(n, ProducerLoad) and n.producer in mine]
        of_loops = _Fused(reader, own, sets, bounds.analyzer)
        return [[of_loops.narrower(i, eval_set(i, axes)) for i in n.indices] for n in loads]
    if isinstance(op, ExternOp) and op.access.tiled:
        regions = op.in_regions(_tile(reader, fixed, bounds))
        return [
            [interval(r.min, bounds.analyzer.simplify(r.extent)) for r in region]
            for t, region in zip(op.inputs, regions, strict=True)
            if t in mine
        ]
    if isinstance(op, HybridOp) and own.body is not None:
        still = {bounds.stages[s].vars[iv] for s, iv in fixed}
        read = [b for t, b in zip(op.inputs, op.in_buffers, strict=True) if t in mine]
        return [a.box(still) for a in accesses_of(own.body, read)]
    if isinstance(op, ScanOp):
        return _scan_boxes(reader, op, mine, fixed, own)
    return [[interval(const(0, n.dtype), n) for n in t.shape] for t in mine]


class _Fused:
    """Indices in the loops of a stage whose axes were fused: a part of a fused loop is no box of its axes, and an index that
    uses both may be one of the loop all the same.

        i*16 + j, of fused i and j    ->    f
    """

    def __init__(
        self, stage: Stage, own: StageBounds, sets: Mapping[IterVar, Interval], analyzer: Analyzer
    ) -> None:
        self.stage, self.own, self.sets, self.analyzer = stage, own, sets, analyzer
        fused = [r.fused for r in stage.relations if isinstance(r, Fuse)]
        cut = any(not sets[iv].is_point and not is_full(sets[iv], own.extents[iv]) for iv in fused)
        self.axes = {iv.var for iv in own.ranges} if cut else set()
        self.values: dict[Var, Expr] = {}

    def narrower(self, index: Expr, x: Interval | None) -> Interval | None:
        """The interval of an index that is `x` by its axes, or what it is by the loops, if that is less."""
        if not self.axes or x is None or sum(v in self.axes for v in free_vars(index)) < 2:
            return x
        if not self.values:
            self.values = self.of_axes()
        by_loops = self.analyzer.simplify(substitute(index, self.values))
        ranges = {
            self.own.vars[iv]: self.sets[iv] for iv in self.stage.leaf_iter_vars if not self.sets[iv].is_point
        }
        other = eval_set(by_loops, ranges)
        if other is None or other.width is None or (x.width is not None and x.width <= other.width):
            return x
        return other

    def of_axes(self) -> dict[Var, Expr]:
        """The value of each axis, from those of the loops."""
        loops = self.stage.leaf_iter_vars
        values: dict[IterVar, Expr] = {
            iv: self.sets[iv].lo if self.sets[iv].is_point else self.own.vars[iv] for iv in loops
        }
        index_up(self.stage.relations, values, self.own.extents, self.analyzer)
        return {iv.var: element_at(r, values[iv]) for iv, r in self.own.ranges.items()}


def _scan_boxes(
    scan: Stage, op: ScanOp, mine: set[Tensor], fixed: set[tuple[Stage, IterVar]], own: StageBounds
) -> list[list[Interval | None]]:
    """What a scan takes of inits and updates: all first steps, and of an update one step in each iteration."""
    time, boxes = op.scan_axis, list[list[Interval | None]]()
    first, steps = own.ranges[time].min, own.ranges[time].extent
    this = _iteration(own, time) if (scan, time) in fixed else full(steps)
    of_update = elements_of(own.ranges[time], this)
    for tensors, of_time in ((op.init, interval(const(0, first.dtype), first)), (op.update, of_update)):
        for t, region in zip(tensors, own.regions, strict=True):
            if t in mine:
                boxes.append([of_time, *(interval(r.min, r.extent) for r in region[1:])])
    return boxes


def _covered(domain: Domain, axes: Mapping[Var, Interval | None]) -> Interval | None:
    """All that a domain covers while the axes that it depends on run over theirs; None where it is read
    from elements of tensors."""
    if domain.reads_elements:
        return None
    first, last = eval_set(domain.begin, axes), eval_set(ops.sub(domain.end, 1), axes)
    return None if first is None or last is None else Interval(first.lo, last.hi)


def _tile(stage: Stage, fixed: set[tuple[Stage, IterVar]], bounds: Bounds) -> list[Range]:
    """The range of each axis of an extern that the calls make together while the loops in `fixed` stand
    still, before it is clipped at edges."""
    own, analyzer = bounds.stages[stage], bounds.analyzer
    sets = {
        iv: _iteration(own, iv) if (stage, iv) in fixed else full(own.extents[iv])
        for iv in stage.leaf_iter_vars
    }
    intervals_up(stage.relations, sets, own.extents, analyzer)
    ranges = []
    for iv in stage.op.axis:
        x = sets[iv]
        r = Range(x.lo, analyzer.simplify(ops.add(ops.sub(x.hi, x.lo), 1)))
        if isinstance(stage.op, ExternOp) and stage.op.tail == "shift":
            r = at_edge(r, own.extents[iv], "shift", analyzer)
        ranges.append(Range(analyzer.simplify(ops.add(own.ranges[iv].min, r.min)), r.extent))
    return ranges


def _iteration(own: StageBounds, iv: IterVar) -> Interval:
    """One iteration of a loop: of one that runs once, the first. The places of stages that are nested deep are then
    no sums of all the loops around."""
    v = own.vars[iv]
    return point(const(0, v.dtype) if const_int(own.extents[iv]) == 1 else v)


def _range(x: Interval | None, size: Expr, bounds: Bounds, gaps: bool = False) -> Range:
    """The range to compute for an interval: of constant extent where that can be proved, all if it is no less."""
    if x is None:
        return Range(const(0, size.dtype), size)
    if gaps and x.steps is not None and leaves_out_half(x.steps):
        return _with_gaps(x, size, bounds)
    return _without_gaps(x, size, bounds)


def _with_gaps(x: Interval, size: Expr, bounds: Bounds) -> Range:
    """The range of what is read in steps; without gaps where these would not save half of it."""
    assert x.steps is not None
    analyzer = bounds.analyzer
    count, known, all_of_it = count_of(x.steps), span(x.steps), const_int(size)
    if isinstance(count, int):
        most = min(n for n in (all_of_it, None if known is None else known + 1) if n is not None)
        if 2 * count > most + 1:
            return _without_gaps(x, size, bounds)
    places = (
        const(count, size.dtype) if isinstance(count, int) else analyzer.simplify(ops.cast(count, size.dtype))
    )
    return RangeWithGaps(_decided(analyzer.simplify(x.lo), analyzer), places, x.steps)


def _without_gaps(x: Interval, size: Expr, bounds: Bounds) -> Range:
    """The range of everything in an interval."""
    analyzer = bounds.analyzer
    whole = Range(const(0, size.dtype), size)
    lo = _decided(analyzer.simplify(x.lo), analyzer)
    if x.is_point:
        return Range(lo, const(1, size.dtype))
    extent = analyzer.simplify(ops.add(ops.sub(x.hi, x.lo), 1))
    n, e = const_int(size), const_int(extent)
    if e is None:
        e = largest_extent(Interval(lo, analyzer.simplify(x.hi), x.width), analyzer)
        if e is None and n is None and analyzer.can_prove(ops.less_equal(size, extent)):
            return whole
    if e is None:
        variables = {*free_vars(extent)} if bounds.part_sizes else set()
        if not variables & bounds.part_sizes:
            return whole if n is not None else _within(lo, x.hi, size, analyzer)
        # One size everywhere, as if it was a number.
        one_size = variables <= bounds.part_sizes and analyzer.can_prove(ops.greater_equal(extent, 0))
        return Range(lo, extent) if one_size else _within(lo, x.hi, size, analyzer)
    if n is not None and e >= n:
        return whole
    if n is None and e > LARGEST_CONSTANT:
        return _within(lo, x.hi, size, analyzer)
    return Range(lo, const(max(e, 0), size.dtype))


def _within(lo: Expr, hi: Expr, size: Expr, analyzer: Analyzer) -> Range:
    """The range from `lo` to `hi`, of which neither the extent nor the size of the dimension are constant: without what lies
    outside of the dimension."""
    zero, last = const(0, lo.dtype), ops.cast(ops.sub(size, 1), hi.dtype)
    first, end = lo, hi
    if not analyzer.can_prove(ops.greater_equal(lo, zero)):
        first = ops.maximum(lo, zero)
    if not analyzer.can_prove(ops.less_equal(hi, ops.maximum(last, 0))):
        end = ops.minimum(hi, last)
    extent = analyzer.simplify(ops.add(ops.sub(end, first), 1))
    if first is not lo or end is not hi:
        extent = _decided(ops.maximum(extent, const(0, extent.dtype)), analyzer)
    return Range(first, extent)


def _decided(e: Expr, analyzer: Analyzer) -> Expr:
    """An end without the sides of its min and max that are proved not to matter."""
    match e:
        case Min(a, b) | Max(a, b):
            first, second = _decided(a, analyzer), _decided(b, analyzer)
            smaller = isinstance(e, Min)
            if analyzer.can_prove(ops.less_equal(first, second)):
                return first if smaller else second
            if analyzer.can_prove(ops.less_equal(second, first)):
                return second if smaller else first
            return ops.minimum(first, second) if smaller else ops.maximum(first, second)
    return e
