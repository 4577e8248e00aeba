"""The tile that one call of an extern makes.

An extern's axes are opaque: only its own code knows how it walks them. A split leaves the inner part
opaque and makes a loop of the outer one; the opaque loops together are the tile, and they stand inside
of all others.

    d0(10), d1(6)    -- split(d0, 4) -->    for d0.outer in 3:  one call for min(4, 10 - d0.outer*4) x 6
"""

from __future__ import annotations

from collections.abc import Mapping

from tewb.arith import Analyzer
from tewb.ir import AxisKind, Expr, IterVar, Range, const, const_int, ops
from tewb.schedule.relation import Extents, Split, divides, index_up
from tewb.schedule.stage import LoopList, Stage
from tewb.tensor import ExternOp


def opaque_last(leaves: LoopList) -> LoopList:
    """The loops with those that only the extern's code knows at the end."""
    return LoopList(sorted(leaves, key=lambda iv: iv.kind is AxisKind.OPAQUE))


def tile_of(
    stage: Stage,
    loops: Mapping[IterVar, Expr],
    ranges: Mapping[IterVar, Range],
    extents: Extents,
    analyzer: Analyzer,
) -> tuple[list[Range], list[tuple[IterVar, Expr]]]:
    """The range of each axis of an extern for one iteration of its `loops`, and the guards without which a
    call would be one too many.

    With `tail="clip"` a range ends where its parent ends, with "shift" it moves back inside, with "pad" it
    may pass the end.
    """
    assert isinstance(stage.op, ExternOp)
    inside = {
        iv: Range(const(0, iv.dtype), extents[iv])
        for iv in stage.leaf_iter_vars
        if iv.kind is AxisKind.OPAQUE
    }
    values = {**loops, **{iv: r.min for iv, r in inside.items()}}
    guards = index_up(stage.relations, values, extents, analyzer)
    for r in reversed(stage.relations):
        if isinstance(r, Split) and r.parent.kind is AxisKind.OPAQUE:
            own = inside[r.inner]
            start = ops.add(ops.mul(values[r.outer], extents[r.inner]), own.min)
            whole = divides(r, extents) and own.extent is extents[r.inner]
            cut = Range(start, own.extent)
            inside[r.parent] = cut if whole else at_edge(cut, extents[r.parent], stage.op.tail, analyzer)
    covered = []
    for iv in stage.op.axis:
        base, own = ranges[iv], inside[iv]
        covered.append(Range(analyzer.simplify(ops.add(base.min, own.min)), analyzer.simplify(own.extent)))
    return covered, [(iv, g) for iv, g in guards if not analyzer.can_prove(g)]


def at_edge(r: Range, size: Expr, tail: str, analyzer: Analyzer) -> Range:
    """What becomes of a range that may pass the end of a dimension of `size`, and begins inside of it."""
    end = ops.add(r.min, r.extent)
    if tail == "pad" or analyzer.can_prove(ops.less_equal(end, size)):
        return r
    if tail == "shift":
        n, most = const_int(r.extent), const_int(size)
        extent = r.extent if n is not None and most is not None and n <= most else ops.minimum(r.extent, size)
        return Range(ops.minimum(r.min, ops.sub(size, extent)), extent)
    return Range(r.min, ops.sub(ops.minimum(end, size), r.min))
