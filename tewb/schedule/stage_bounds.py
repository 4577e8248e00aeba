"""The loops and the memory of one stage, from the part of it that is needed.

needed: B[8i .. 8i+9]    ->    loops of extent 10 at the place of B, and memory for 10 elements
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tewb.arith import Analyzer
from tewb.base import DType, readable
from tewb.ir import For, IterVar, Range, Stmt, Var, const, const_int, ops, walk_statements
from tewb.schedule.dependent_loops import around
from tewb.schedule.hybrid_loops import scheduled_body
from tewb.schedule.relation import Extents, loop_extents
from tewb.schedule.rounded_tails import padded
from tewb.schedule.stage import Stage
from tewb.tensor import ComputeOp, ExternOp, Region, ScanOp, whole_region
from tewb.tensor.hybrid import HybridOp


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


def stage_bounds(
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
    loops = {n.var: n for n in walk_statements(body) if isinstance(n, For)}
    for iv in stage.leaf_iter_vars:
        extents[iv] = loops[iv.var].extent
    regions = tuple(whole_region(t.shape) if whole or kept is None else tuple(kept) for t in op.outputs)
    return StageBounds(ranges, extents, {iv: iv.var for iv in stage.leaf_iter_vars}, regions, body)


# ---------------------------------------------------------------- code of its own


def makes_whole_parts(stage: Stage) -> bool:
    """Whether code that is not made element by element computes a stage, on views of memory."""
    is_compute = isinstance(stage.op, ComputeOp)
    return not is_compute or any(m.primitive in ("tensorize", "transpose") for m in stage.marks)


def kept_around_calls(
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
