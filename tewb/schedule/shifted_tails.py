"""Splits whose last part is moved inwards: some iterations run twice, and must do no harm.

i in 10, in parts of 4:    0 1 2 3 | 4 5 6 7 | 6 7 8 9
"""

from __future__ import annotations

from collections.abc import Sequence

from tewb.ir import AxisKind, IterVar
from tewb.schedule.declare import Refusal
from tewb.schedule.relation import SHIFT, Extents, Split, divides
from tewb.schedule.shared_loops import runs_in_order
from tewb.schedule.stage import Stage
from tewb.tensor import ComputeOp


def shifted_loops(stage: Stage, extents: Extents) -> list[Split]:
    """The splits whose last part is moved inwards."""
    return [
        r for r in stage.relations if isinstance(r, Split) and r.tail == SHIFT and not divides(r, extents)
    ]


def refused_again_after(
    stage: Stage, host: Stage, loops: Sequence[IterVar], extents: Extents
) -> Refusal | None:
    """Why a stage that comes after `host` in these loops of it, which have `extents`, may not do again what another iteration
    does at the same time: its elements begin anew."""
    if isinstance(stage.op, ComputeOp) and not stage.op.reduce_axis:
        return None
    for iv in (iv for r in shifted_loops(host, extents) for iv in host.loops_of(r.outer)):
        if any(iv is loop for loop in loops) and not runs_in_order(host, iv):
            return Refusal(
                f"the iterations of {host.axis_name(iv)} of {host.name} run at once, and those of a part that is moved inwards "
                f"would compute the same elements of {stage.name}",
                'leave it serial, or split it with tail="guard"',
            )
    return None


def refused_again(stage: Stage, loops: Sequence[IterVar]) -> Refusal | None:
    """Why a stage may not do some iterations of these loops over data twice. What a compute without a reduction stores twice
    are equal values. A reduction must be done with an element before it begins it again."""
    if not (isinstance(stage.op, ComputeOp) and stage.op.reduce_axis):
        return None
    first = next((n for n, iv in enumerate(stage.leaf_iter_vars) if iv.kind is AxisKind.REDUCE), None)
    for iv in (iv for loop in loops for iv in stage.loops_of(loop)):
        name = stage.axis_name(iv)
        if first is not None and stage.leaf_iter_vars.index(iv) >= first:
            return Refusal(
                f"{name} is inside of the reduction over {stage.axis_name(stage.leaf_iter_vars[first])}, and a part that is moved "
                "inwards would combine elements that are not finished",
                f'put {name} outside of the reduction, or split with tail="guard"',
            )
        if not runs_in_order(stage, iv):
            return Refusal(
                f"the iterations of {name} run at once, and those of a part that is moved inwards would reduce the same elements",
                'leave it serial, or split with tail="guard"',
            )
    return None
