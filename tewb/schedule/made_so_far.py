"""What a stage that comes after another one in its loops may compute: what needs no more than is made by then.

    for t: P[8t .. 8t+8] = ...;  C[8t-2 .. 8t+6] = f(P[i], P[i+2])

An iteration of the shared loops makes a box of each tensor. The part of a reader is that box moved back by as much as the
reader looks ahead: all parts together are all that it has. It is proved that what a part reads lies in the box of its own
iteration, or, along dimensions whose loops run in the order of the elements, nowhere after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from tewb.arith import Analyzer, slope
from tewb.arith.intset import Interval, eval_set, interval
from tewb.ir import (
    Expr,
    ForKind,
    IterVar,
    ProducerLoad,
    Range,
    Var,
    const,
    const_int,
    free_vars,
    is_same_expression,
    ops,
    script,
    substitute,
    walk,
)
from tewb.schedule.declare import Refusal
from tewb.schedule.hybrid_loops import loops_to
from tewb.schedule.needed_ranges import Box
from tewb.schedule.relation import SHIFT, Extents, Fuse, Split, divides, full, intervals_up, is_full
from tewb.schedule.shared_loops import nest_of, read_after_inlining
from tewb.schedule.stage import At, LoopList, Stage
from tewb.schedule.stage_bounds import StageBounds
from tewb.schedule.touched import iteration
from tewb.tensor import ComputeOp, ExternOp, Operation, Tensor

if TYPE_CHECKING:
    from tewb.schedule.bounds import Bounds


@dataclass(frozen=True, slots=True)
class Made:
    """What iterations of some loops have made of an output: for each dimension the part of this iteration (None for all of
    it), and why what comes before that part in it is not made yet (None where it is)."""

    box: tuple[Interval | None, ...]
    not_before: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class _Need:
    """An axis of a reader runs along a dimension of what it reads in one `access`, up to `ahead` elements before it."""

    axis: IterVar
    access: object
    part: Interval
    size: Expr
    ahead: int


def fixed_loops(stage: Stage) -> set[tuple[Stage, IterVar]]:
    """The loops around a stage that comes after another one in its loops."""
    at = stage.own_place
    assert isinstance(at, At)
    return {(at.stage, iv) for iv in loops_to(at.stage, at.axis)}


def read_in_nest(stage: Stage, host: Stage) -> list[Stage]:
    """What a stage reads of `host`, and of the stages that come after it in its loops."""
    return [s for s in read_after_inlining(stage) if s is host or (s.is_after and nest_of(s) is host)]


# ---------------------------------------------------------------- what is made


def made(stage: Stage, output: int, fixed: set[tuple[Stage, IterVar]], bounds: Bounds) -> Made | str:
    """What is made of an output of a stage while the loops `fixed` stand still, or why that is not known."""
    own, op = bounds.stages[stage], stage.op
    if stage.is_after:
        return _made_after(stage, output, fixed, bounds)
    found = _parts_of_axes(stage, own, fixed, bounds.analyzer)
    if isinstance(found, str):
        return found
    sets, reasons = found
    shape = op.output(output).shape
    if not isinstance(op, ExternOp):
        return Made(tuple(sets), tuple(reasons))
    whole = [Range(const(0, n.dtype), n) for n in shape[: len(sets)]]
    ranges = [
        r if x is None else Range(x.lo, _extent(x, bounds.analyzer)) for x, r in zip(sets, whole, strict=True)
    ]
    region = op.out_regions(ranges)[output]
    box = [_of_dimension(r, n) for r, n in zip(region, shape, strict=True)]
    return Made(tuple(box), tuple([*reasons, *[None] * (len(box) - len(reasons))]))


def _made_after(stage: Stage, output: int, fixed: set[tuple[Stage, IterVar]], bounds: Bounds) -> Made | str:
    """What is made of a stage that comes after another one, in the loops `fixed` around it."""
    own, op, host = bounds.stages[stage], stage.op, nest_of(stage)
    before = made(host, 0, fixed, bounds)
    if isinstance(before, str):
        return before
    ranges = [own.ranges[iv] for iv in op.axis]
    if isinstance(op, ExternOp):
        ranges = list(op.out_regions(ranges)[output])
    why = next((reason for reason in before.not_before if reason is not None), None)
    parts = [_of_dimension(r, n) for r, n in zip(ranges, op.output(output).shape, strict=True)]
    return Made(tuple(parts), (why,) * len(parts))


def _of_dimension(r: Range, size: Expr) -> Interval | None:
    """A range, or None for all of a dimension."""
    x = interval(r.min, r.extent)
    return None if is_full(x, size) else x


def _not_in_order(stage: Stage, iv: IterVar) -> str | None:
    if stage.loop_kind(iv) in (None, ForKind.SERIAL, ForKind.UNROLLED):
        return None
    return f"iterations of {stage.axis_name(iv)} of {stage.name} do not come one after the other"


def _parts_of_axes(
    stage: Stage, own: StageBounds, fixed: set[tuple[Stage, IterVar]], analyzer: Analyzer
) -> tuple[list[Interval | None], list[str | None]] | str:
    """For each axis of a stage the part that an iteration makes, exactly, and why what is before it is not made yet. Why the
    part is not known instead, where it has gaps."""
    sets = {
        iv: iteration(own, iv) if (stage, iv) in fixed else full(own.extents[iv])
        for iv in stage.leaf_iter_vars
    }
    intervals_up(stage.relations, sets, own.extents, analyzer)
    for r in stage.relations:
        why = _inexact(stage, r, sets, own.extents, analyzer)
        if why is not None:
            return why
    parts: list[Interval | None] = []
    reasons: list[str | None] = []
    for iv in stage.op.axis:
        x = sets[iv]
        if is_full(x, own.extents[iv]):
            parts.append(None)
            reasons.append(None)
            continue
        low = own.ranges[iv].min
        shifted = x if const_int(low) == 0 else Interval(ops.add(x.lo, low), ops.add(x.hi, low), x.width)
        parts.append(shifted)
        reasons.append(_not_before(stage, iv, fixed))
    return parts, reasons


def _inexact(
    stage: Stage, r: object, sets: dict[IterVar, Interval], extents: Extents, analyzer: Analyzer
) -> str | None:
    """Why the elements that an iteration makes are not those between the first and the last, if that may be so."""
    name = stage.axis_name
    match r:
        case Split(parent, outer, inner):
            whole = [is_full(sets[iv], extents[iv]) for iv in (outer, inner)]
            if all(whole):
                return None
            if not sets[outer].is_point and not whole[1]:
                return f"an iteration makes elements of {name(parent)} with gaps between them: {name(inner)} is around {name(outer)}"
            if parent not in LoopList([*stage.op.axis]) and not _divides(r, extents, analyzer):
                return f"{name(parent)} is a part of another loop, and is split by a size that does not divide it"
        case Fuse(outer, inner, fused):
            if not sets[fused].is_point and not is_full(sets[fused], extents[fused]):
                return f"an iteration makes a part of {name(fused)}, which is no box of {name(outer)} and {name(inner)}"
    return None


def _divides(r: Split, extents: Extents, analyzer: Analyzer) -> bool:
    if r.disable_predication or divides(r, extents):
        return True
    n, parts, each = extents[r.parent], extents[r.outer], extents[r.inner]
    return analyzer.can_prove(ops.equal(ops.mul(parts, each), ops.cast(n, each.dtype)))


def _not_before(stage: Stage, axis: IterVar, fixed: set[tuple[Stage, IterVar]]) -> str | None:
    """Why elements of an axis before those of an iteration may not be made yet."""
    loops = [iv for iv in stage.loops_of(axis) if (stage, iv) in fixed]
    for iv in loops:
        why = _not_in_order(stage, iv)
        if why is not None:
            return why
    for r in stage.relations:
        if isinstance(r, Fuse) and any(x in stage.loops_of(axis) for x in stage.loops_of(r.fused)):
            return f"{stage.axis_name(r.fused)} is fused, and is no order of {stage.axis_name(axis)} alone"
        in_disorder = isinstance(r, Split) and (r.tail == SHIFT or not _outer_first(stage, r))
        if in_disorder and any(x in loops for x in stage.loops_of(r.parent)):  # type: ignore[union-attr]
            return f"the loops of {stage.axis_name(axis)} do not run in the order of its elements"
    return None


def _outer_first(stage: Stage, r: Split) -> bool:
    """Whether all loops of the outer part of a split are around those of the inner one."""
    leaves = stage.leaf_iter_vars
    outer, inner = ([leaves.index(iv) for iv in _leaves_of(stage, x)] for x in (r.outer, r.inner))
    return max(outer) < min(inner)


def _leaves_of(stage: Stage, iv: IterVar) -> LoopList:
    return LoopList([iv]) if iv in stage.leaf_iter_vars else stage.loops_of(iv)


def _extent(x: Interval, analyzer: Analyzer) -> Expr:
    if x.is_point:
        return const(1, x.lo.dtype)
    if x.width is not None:
        return const(x.width + 1, x.lo.dtype)
    return analyzer.simplify(ops.add(ops.sub(x.hi, x.lo), 1))


# ---------------------------------------------------------------- what is computed of a reader


def part_after(stage: Stage, bounds: Bounds) -> list[Range] | Refusal:
    """The range of each axis of a stage that comes after another one in its loops: what an iteration of these can complete."""
    at = stage.own_place
    assert isinstance(at, At)
    fixed = fixed_loops(stage)
    needs: dict[IterVar, list[_Need]] = {}
    for s in read_in_nest(stage, at.stage):
        for t in s.op.outputs:
            made_of = made(s, t.value_index, fixed, bounds)
            if isinstance(made_of, str):
                return Refusal(
                    f"what an iteration makes of {s.name} is no box: {made_of}", "choose another loop"
                )
            found = _needs(stage, s, t, made_of, bounds)
            if isinstance(found, Refusal):
                return found
            for n in found:
                needs.setdefault(n.axis, []).append(n)
    refused = _on_a_diagonal(stage, needs, {bounds.stages[s].vars[iv] for s, iv in fixed})
    if refused is not None:
        return refused
    ranges = []
    for iv in stage.op.axis:
        r = (
            _part(stage, iv, needs[iv], bounds.analyzer)
            if iv in needs
            else Range(const(0, iv.dtype), _size(stage, iv))
        )
        if isinstance(r, Refusal):
            return r
        ranges.append(r)
    return ranges


def _on_a_diagonal(stage: Stage, needs: Mapping[IterVar, Sequence[_Need]], loops: set[Var]) -> Refusal | None:
    """Why the parts of a stage are not all that it has together: two of its axes go along with the same loop, each in an access
    of its own, so that only pairs of the same part would be computed. Those of one access are parts of one box."""
    for (a, of_a), (b, of_b) in combinations(needs.items(), 2):
        along = [{v for n in of for v in free_vars(n.part.lo) if v in loops} for of in (of_a, of_b)]
        both = along[0] & along[1]
        if both and not any(n.access is m.access for n in of_a for m in of_b):
            return Refusal(
                f"{stage.axis_name(a)} and {stage.axis_name(b)} of {stage.name} would both go along with loop "
                f"{min(v.name for v in both)}, and every part of one is needed with every part of the other",
                "choose a loop around it, in which all that both read is made",
            )
    return None


def _size(stage: Stage, iv: IterVar) -> Expr:
    assert iv.dom is not None
    return iv.dom.extent


def _part(stage: Stage, iv: IterVar, needs: Sequence[_Need], analyzer: Analyzer) -> Range | Refusal:
    """The range of an axis: the part that it reads, moved back by what it looks ahead. Of several, that which is complete
    last."""
    name, last = stage.axis_name(iv), needs[0]
    for n in needs[1:]:
        if not _proved_equal(_extent(n.part, analyzer), _extent(last.part, analyzer), analyzer):
            return Refusal(
                f"along {name}, {stage.name} reads parts of different sizes", "choose another loop"
            )
        if analyzer.can_prove(ops.less_equal(_low(n), _low(last))):
            last = n
        elif not analyzer.can_prove(ops.less_equal(_low(last), _low(n))):
            return Refusal(
                f"along {name}, which of the parts that {stage.name} reads is complete last is not known",
                "choose another loop",
            )
    end = ops.sub(last.size, const(last.ahead, last.size.dtype))
    if not analyzer.can_prove(ops.less_equal(ops.cast(_size(stage, iv), end.dtype), end)):
        return Refusal(
            f"along {name}, the last elements of {stage.name} would come after all iterations: it looks {last.ahead} ahead"
            if last.ahead
            else f"along {name}, {stage.name} has more elements than what it reads, and no iteration would compute the last ones",
            "choose a loop around it, which makes all of that dimension at once",
        )
    return Range(
        ops.cast(analyzer.simplify(_low(last)), iv.dtype), ops.cast(_extent(last.part, analyzer), iv.dtype)
    )


def _low(n: _Need) -> Expr:
    """The first element that an iteration can complete."""
    return ops.sub(n.part.lo, const(n.ahead, n.part.lo.dtype))


def _proved_equal(a: Expr, b: Expr, analyzer: Analyzer) -> bool:
    return is_same_expression(a, b) or analyzer.can_prove(ops.equal(a, b))


def _needs(stage: Stage, read: Stage, t: Tensor, made_of: Made, bounds: Bounds) -> list[_Need] | Refusal:
    """Along which axes of a stage the dimensions of a tensor run of which iterations make a part."""
    found: list[_Need] = []
    axes = {iv.var: iv for iv in stage.op.axis}
    for indices in _indices(stage, bounds.operations[stage], read, t, bounds):
        taken: dict[IterVar, int] = {}
        for d, (x, (low, high)) in enumerate(zip(made_of.box, indices, strict=True)):
            if x is None:
                continue
            own = [axes[v] for v in free_vars(low) if v in axes]
            ahead = [
                None if len(own) != 1 else _beyond(e, own[0], stage.op, bounds.analyzer) for e in (low, high)
            ]
            if ahead[0] is None or ahead[1] is None or own[0] in taken:
                return Refusal(
                    f"dimension {d} of {read.name} is made part by part, and {stage.name} reads it at {script(low)}, which is no "
                    "axis of it plus a constant: it may need what later iterations make",
                    f"choose a loop around, in which all of that dimension of {read.name} is made",
                )
            taken[own[0]] = d
            found.append(_Need(own[0], taken, x, t.shape[d], max(0, ahead[1][1])))
    return found


def _beyond(e: Expr, iv: IterVar, op: Operation, analyzer: Analyzer) -> tuple[int, int] | None:
    """The least and the most that an index is more than an axis; None where these are no constants."""
    if slope(e, iv.var) != 1:
        return None
    reduced = {k.var: interval(k.dom.min, k.dom.extent) for k in op.reduce_axis if k.dom is not None}
    x = eval_set(analyzer.simplify(substitute(e, {iv.var: const(0, iv.var.dtype)})), reduced)
    ends = (
        (None, None)
        if x is None
        else (const_int(analyzer.simplify(x.lo)), const_int(analyzer.simplify(x.hi)))
    )
    return None if ends[0] is None or ends[1] is None else (ends[0], ends[1])


def _indices(
    stage: Stage, op: Operation, read: Stage, t: Tensor, bounds: Bounds
) -> Iterator[list[tuple[Expr, Expr]]]:
    """The first and the last index in each dimension of a tensor that an element of a stage reads, for each access."""
    of = stage.schedule.stage_of
    same = [x for x in op.inputs if of(x) is read and x.value_index == t.value_index]
    if isinstance(op, ComputeOp):
        for e in op.exprs():
            for n in walk(e):
                if isinstance(n, ProducerLoad) and any(n.producer is x for x in same):
                    yield [(i, i) for i in n.indices]
    elif isinstance(op, ExternOp):
        regions = op.in_regions([Range(iv.var, const(1, iv.dtype)) for iv in op.axis])
        for x, region in zip(op.inputs, regions, strict=True):
            if any(x is y for y in same):
                yield [(r.min, ops.add(r.min, ops.sub(r.extent, 1))) for r in region]


# ---------------------------------------------------------------- the proof


def unmade(
    stage: Stage, boxes: Sequence[Box], read: Stage, made_of: Made, analyzer: Analyzer
) -> Refusal | None:
    """Why a part of a stage, which reads the `boxes` of an output of `read`, may read what is not made yet."""
    prove = analyzer.can_prove
    for box in boxes:
        for d, (x, part) in enumerate(zip(box, made_of.box, strict=True)):
            if part is None:
                continue
            where = f"dimension {d} of {read.name}"
            if x is None or not prove(ops.less_equal(x.hi, ops.cast(part.hi, x.hi.dtype))):
                return Refusal(
                    f"{stage.name} may read elements of {where} that later iterations make",
                    "choose a loop around it",
                )
            before = made_of.not_before[d]
            if before is not None and not prove(ops.greater_equal(x.lo, ops.cast(part.lo, x.lo.dtype))):
                return Refusal(
                    f"{stage.name} reads elements of {where} before those that an iteration makes, and {before}",
                    "choose a loop around it",
                )
    return None


def begins_before(box: Box, made_of: Made, analyzer: Analyzer) -> bool:
    """Whether a box may have elements before those that an iteration makes."""
    return any(
        part is not None
        and (x is None or not analyzer.can_prove(ops.greater_equal(x.lo, ops.cast(part.lo, x.lo.dtype))))
        for x, part in zip(box, made_of.box, strict=True)
    )
