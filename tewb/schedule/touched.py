"""The boxes of a stage that its readers touch while some loops stand still and the others run.

for i: for j in 4:  C[i, j] = B[i + j]    touches, while i stands still,    B[i .. i + 3]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tewb.arith import Analyzer
from tewb.arith.intset import Interval, eval_set, interval, point, relaxed
from tewb.ir import (
    Expr,
    IterVar,
    ProducerLoad,
    Range,
    Var,
    const,
    const_int,
    free_vars,
    ops,
    substitute,
    uses,
    walk,
)
from tewb.schedule.extern_tiles import at_edge
from tewb.schedule.hybrid_loops import accesses_of
from tewb.schedule.needed_ranges import Box
from tewb.schedule.ranges_with_gaps import element_at, elements_of
from tewb.schedule.relation import Fuse, full, index_up, intervals_up, is_full
from tewb.schedule.shared_loops import run_by, shared_pairs
from tewb.schedule.stage import Stage, With
from tewb.schedule.stage_bounds import StageBounds
from tewb.schedule.threads import bound
from tewb.tensor import ComputeOp, Domain, ExternOp, ScanOp, Tensor
from tewb.tensor.hybrid import HybridOp

if TYPE_CHECKING:
    from tewb.schedule.bounds import Bounds


def touched(
    reader: Stage,
    stage: Stage,
    fixed: set[tuple[Stage, IterVar]],
    bounds: Bounds,
    only: Tensor | None = None,
) -> list[Box]:
    """The boxes of `stage` that `reader` touches while the loops in `fixed` stand still; of one of its tensors,
    if `only` is given."""
    # The reader stands deeper than the stage: these run too.
    around = [(s, iv) for s, iv in bounds.around(reader) if (s, iv) not in fixed]
    shared = _standing_still(reader, fixed)
    fixed = fixed | {(reader, mine) for _, mine in shared}
    threads = bounds.own_threads(stage)
    relax = {bounds.stages[s].vars[iv]: _all_of(s, iv, threads, bounds) for s, iv in around}
    boxes = _reader_boxes(reader, stage, fixed, bounds, only)
    for v, everything in relax.items():  # innermost first: its extent may depend on those around it
        boxes = [[relaxed(x, {v: everything}) for x in box] for box in boxes]
    if shared:
        host, own = bounds.stages[run_by(reader, shared[0][1])[0]], bounds.stages[reader]
        same = {own.vars[mine]: ops.cast(host.vars[theirs], own.vars[mine].dtype) for theirs, mine in shared}
        boxes = [[x and _renamed(x, same) for x in box] for box in boxes]
    if any(own.dependent_vars for own in bounds.stages.values()):
        boxes = [[_at_place(x, fixed, bounds) for x in box] for box in boxes]
    return boxes


def _standing_still(reader: Stage, fixed: set[tuple[Stage, IterVar]]) -> list[tuple[IterVar, IterVar]]:
    """The loops of `reader` that stand still because they are those of the stage that it is computed with, each after the one
    that it is."""
    at = reader.attach
    if not isinstance(at, With):
        return []
    return [pair for pair in shared_pairs(reader) if (at.stage, pair[0]) in fixed]


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
    reader: Stage,
    stage: Stage,
    fixed: set[tuple[Stage, IterVar]],
    bounds: Bounds,
    only: Tensor | None,
) -> list[Box]:
    """As `touched`, while the loops around the reader stand still."""
    op, own = bounds.operations[reader], bounds.stages[reader]
    mine = {t for t in op.inputs if reader.schedule.stage_of(t) is stage and (only is None or t is only)}
    if isinstance(op, ComputeOp):
        threads = bounds.own_threads(stage)
        sets: dict[IterVar, Interval] = {
            iv: iteration(own, iv) if (reader, iv) in fixed else _all_of(reader, iv, threads, bounds)
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


def iteration(own: StageBounds, iv: IterVar) -> Interval:
    """One iteration of a loop: of one that runs once, the first. The places of stages that are nested deep are then
    no sums of all the loops around."""
    v = own.vars[iv]
    return point(const(0, v.dtype) if const_int(own.extents[iv]) == 1 else v)


def _covered(domain: Domain, axes: Mapping[Var, Interval | None]) -> Interval | None:
    """All that a domain covers while the axes that it depends on run over theirs; None where it is read
    from elements of tensors."""
    if domain.reads_elements:
        return None
    first, last = eval_set(domain.begin, axes), eval_set(ops.sub(domain.end, 1), axes)
    return None if first is None or last is None else Interval(first.lo, last.hi)


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


def _tile(stage: Stage, fixed: set[tuple[Stage, IterVar]], bounds: Bounds) -> list[Range]:
    """The range of each axis of an extern that the calls make together while the loops in `fixed` stand
    still, before it is clipped at edges."""
    own, analyzer = bounds.stages[stage], bounds.analyzer
    sets = {
        iv: iteration(own, iv) if (stage, iv) in fixed else full(own.extents[iv])
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


def _scan_boxes(
    scan: Stage, op: ScanOp, mine: set[Tensor], fixed: set[tuple[Stage, IterVar]], own: StageBounds
) -> list[Box]:
    """What a scan takes of inits and updates: all first steps, and of an update one step in each iteration."""
    time, boxes = op.scan_axis, list[Box]()
    first, steps = own.ranges[time].min, own.ranges[time].extent
    this = iteration(own, time) if (scan, time) in fixed else full(steps)
    of_update = elements_of(own.ranges[time], this)
    for tensors, of_time in ((op.init, interval(const(0, first.dtype), first)), (op.update, of_update)):
        for t, region in zip(tensors, own.regions, strict=True):
            if t in mine:
                boxes.append([of_time, *(interval(r.min, r.extent) for r in region[1:])])
    return boxes
