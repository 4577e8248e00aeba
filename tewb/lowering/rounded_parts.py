"""Whole parts that run past the end of a stage: what they read there, and what must not happen there.

for i.outer in 6:                                                         B has 48 elements in memory, and 43 in its tensor
    for i.inner in 8:
        B[i] = if_then_else(likely(i < 43), A[i], 0) + 1        with    i = i.outer*8 + i.inner
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tewb.arith import Analyzer
from tewb.base import LowerError
from tewb.ir import Buffer, Expr, Var, const, load, ops
from tewb.schedule import (
    Refusal,
    Stage,
    is_real,
    makes_whole_parts,
    not_padded,
    rounded_axes,
    told_by_elements,
)
from tewb.tensor import ComputeOp

if TYPE_CHECKING:
    from tewb.lowering.compute_nest import ComputeNest
    from tewb.lowering.nest import Nests


def where_real(nest: ComputeNest, values: Mapping[Var, Expr]) -> list[Expr]:
    """The conditions under which the iteration that has these values of axes makes an element; none that always hold."""
    ranges = [(iv, nest.own.ranges[iv]) for iv in nest.own.ranges if iv in nest.rounded and iv.var in values]
    conditions = [g for iv, r in ranges for g in is_real(iv, r, values[iv.var])]
    return [g for g in conditions if not nest.analyzer.can_prove(g)]


def read_past_end(buffer: Buffer, place: Sequence[Expr], real: Sequence[Expr], analyzer: Analyzer) -> Expr:
    """The element at a place in memory, wherever an iteration makes an element. Elsewhere nothing is read that is not proved to
    be inside."""
    element = load(buffer, tuple(place))
    if all(_is_inside(i, n, analyzer) for i, n in zip(place, buffer.shape, strict=True)):
        return element
    conditions = ops.all_of(*[ops.likely(g) for g in real])
    return ops.if_then_else(conditions, element, const(0, element.dtype))


def _is_inside(i: Expr, n: Expr, analyzer: Analyzer) -> bool:
    return analyzer.can_prove(ops.greater_equal(i, const(0, i.dtype))) and analyzer.can_prove(ops.less(i, n))


def check_rounded(nests: Nests, stage: Stage, op: ComputeOp) -> None:
    """Raise LowerError where parts of a stage may not run past its end."""
    refused = _refused(nests, stage, op)
    if refused:
        raise LowerError(
            f'split with tail="round_up" on stage {stage.name}: {refused.reason}',
            loops=stage.loops(),
            hint=refused.hint,
            span=stage.origin().span,
        )


def _refused(nests: Nests, stage: Stage, op: ComputeOp) -> Refusal | None:
    is_kept = not rounded_axes(stage.relations).isdisjoint(op.axis)
    if is_kept and any((stage, t.value_index) in nests.arguments for t in stage.op.outputs):
        return Refusal(
            f"{stage.name} is an argument: its memory is the caller's, and ends where the tensor does",
            f'take {stage.name} off the arguments, or split with tail="shift" or tail="predicate"',
        )
    refused = (not_padded(stage) if is_kept else None) or told_by_elements(op)
    if refused:
        return refused
    for s in nests.group(stage):
        if makes_whole_parts(s):
            what = "itself" if s is stage else f"{s.name}, which is computed in its loops,"
            return Refusal(
                f"{what} is made by code that sees a part of memory as a whole, and past the end there is none",
                f'split {stage.name} with tail="guard"',
            )
    return None
