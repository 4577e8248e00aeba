"""Splits whose last part is whole: what it makes past the end goes to memory that is padded, and nothing reads it.

i in 10, in parts of 4:    0 1 2 3 | 4 5 6 7 | 8 9 - -      in memory of 12
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tewb.arith import Analyzer
from tewb.ir import AxisKind, IterVar, Range, Reduce, const, const_int, ops, structural_equal
from tewb.schedule.declare import Refusal
from tewb.schedule.relation import (
    LARGEST_FACTOR,
    ROUND_UP,
    SHIFT,
    Extents,
    Fuse,
    Relation,
    Split,
    ceil_div,
    divides,
)
from tewb.schedule.scans import shares_memory
from tewb.schedule.stage import Stage
from tewb.tensor import ComputeOp, Operation, Region


def rounded_axes(relations: Sequence[Relation]) -> set[IterVar]:
    """The axes and loops that whole parts may take past their ends."""
    found = {r.parent for r in relations if isinstance(r, Split) and r.tail == ROUND_UP}
    for r in reversed(relations) if found else ():
        match r:
            case Split(parent, outer, inner) if outer in found or inner in found:
                found.add(parent)
            case Fuse(outer, inner, fused) if fused in found:
                found |= {outer, inner}
    return found


def iterations_run(relations: Iterable[Relation], extents: Extents, analyzer: Analyzer) -> Extents:
    """How many iterations each axis and loop has, with those of whole parts past its end."""
    runs = dict(extents)
    for r in reversed(list(relations)):
        match r:
            case Split(parent, outer, inner):
                n = ops.cast(extents[parent], inner.dtype)
                if r.tail == ROUND_UP or divides(r, extents):
                    before = ops.mul(ops.sub(runs[outer], const(1, outer.dtype)), extents[inner])
                    n = ops.add(before, runs[inner])
                elif r.tail == SHIFT:
                    n = ops.add(n, ops.sub(runs[inner], extents[inner]))
                runs[parent] = n if const_int(n) is not None else analyzer.simplify(n)
            case Fuse(outer, inner, fused) if const_int(extents[inner]) != 0:
                columns = ops.cast(extents[inner], fused.dtype)
                runs[outer] = ceil_div(runs[fused], columns, analyzer)
                if const_int(columns) is None:  # without columns nothing runs, and memory is that of the rows
                    runs[outer] = ops.maximum(ops.cast(extents[outer], fused.dtype), runs[outer])
    return runs


def padded(
    stage: Stage, region: Region, ranges: Mapping[IterVar, Range], extents: Extents, analyzer: Analyzer
) -> Region:
    """The region of a stage to keep, with room for all that whole parts make past its ends."""
    rounded = rounded_axes(stage.relations)
    if not rounded:
        return region
    runs = iterations_run(stage.relations, extents, analyzer)
    axes = zip(stage.op.axis, region, strict=True)
    return tuple([Range(ranges[iv].min, runs[iv]) if iv in rounded else r for iv, r in axes])


# ---------------------------------------------------------------- where it may not be


def refused_past_end(stage: Stage, iv: IterVar, size: int | str | None = None) -> Refusal | None:
    """Why parts of loop `iv`, split by `size`, may not run past its end."""
    if (
        isinstance(size, int)
        and size > LARGEST_FACTOR
        and const_int(stage.schedule.extents(stage)[iv]) is None
    ):
        return Refusal(
            f"memory of every call would be padded by up to {size} elements, however few {stage.axis_name(iv)} has",
            'tail="guard", or a smaller size',
        )
    for s in stage.schedule.stages:
        if s.host is not None and stage in (s, s.host):
            return Refusal(
                f"{s.name} is computed in the loops of {s.host.name}, and has nothing to do past their ends",
                'tail="guard" or tail="predicate"',
            )
    kept = not_padded(stage) if iv.kind is AxisKind.DATA else _combines(stage, iv)
    return kept or _not_last(stage, iv) or told_by_elements(stage.op)


def not_padded(stage: Stage) -> Refusal | None:
    """Why the memory of a stage cannot be padded."""
    if stage.is_output:
        return Refusal(
            f"{stage.name} is an output: its memory is the caller's, and ends where the tensor does",
            'tail="shift" moves the last part inwards, tail="predicate" masks it',
        )
    if stage.stored or stage.is_rolling:
        return kept_between_iterations(stage)
    return shares_memory(stage, "pad")


def kept_between_iterations(stage: Stage) -> Refusal:
    """Why what is kept of a stage from one iteration to the next is not padded."""
    return Refusal(
        f'{stage.name} is kept from one iteration to the next, and a part with tail="round_up" would write over what is kept',
        'tail="guard" or tail="shift"',
    )


def _not_last(stage: Stage, iv: IterVar) -> Refusal | None:
    """Why what comes after the end of a loop is an element of its axis all the same."""
    name = stage.axis_name(iv)
    for r in reversed(stage.relations):
        if isinstance(r, Split) and iv is r.inner:
            return Refusal(
                f"{name} is a part of {stage.axis_name(r.parent)}: past its end are elements of the next part",
                f'split {name} with tail="guard", or {stage.axis_name(r.outer)} with tail="round_up"',
            )
        if isinstance(r, Split) and iv is r.outer:
            if r.tail == SHIFT:
                return Refusal(
                    f'{stage.axis_name(r.parent)} was split with tail="shift": past the end of {name} is its last part again',
                    'tail="guard"',
                )
            iv = r.parent
        elif isinstance(r, Fuse) and iv is r.fused:
            return _not_last(stage, r.outer) or _not_last(stage, r.inner)
    return None


def told_by_elements(op: Operation) -> Refusal | None:
    """Why an operation cannot be evaluated where there is no element."""
    assert isinstance(op, ComputeOp)
    if not (op.domains or op.unproved):
        return None
    what = "how far its loops go" if op.domains else "where it reads"
    return Refusal(
        f"{what} is told by elements, or only when the kernel runs, and past the end there are no elements to tell it",
        'tail="guard" or tail="predicate"',
    )


def _combines(stage: Stage, iv: IterVar) -> Refusal | None:
    """Why a reduction may not combine what is past the end of its loop."""
    if _adds_identity(stage, iv):
        return None
    return Refusal(
        f"{stage.axis_name(iv)} is a loop of a reduction, which would combine what is past its end, and that is not proved to be "
        "the identity",
        'tail="guard" or tail="predicate"',
    )


def _adds_identity(stage: Stage, iv: IterVar) -> bool:
    """Whether a reduction has the identity of its combination for a term wherever `iv` is past its end."""
    whole = stage.op.body[0]  # type: ignore[attr-defined]
    if iv.dom is None or not isinstance(whole, Reduce):
        return False
    analyzer = Analyzer()
    for x in (*stage.op.axis, *stage.op.reduce_axis):
        if x.dom is not None and x is not iv:
            analyzer.bind_extent(x.var, x.dom.min, x.dom.extent)
    analyzer.bind(iv.var, ops.add(iv.dom.min, iv.dom.extent), None)
    if const_int(analyzer.simplify(whole.condition)) == 0:
        return True
    terms = [analyzer.simplify(e) for e in whole.source]
    return all(structural_equal(e, start) for e, start in zip(terms, whole.combiner.identity, strict=True))
