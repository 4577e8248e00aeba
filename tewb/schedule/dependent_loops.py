"""Reduce loops whose range depends on other axes or on elements of tensors: where they may stand.

    for i in n:
        for k in range(indptr[i], indptr[i + 1]):  C[i] += ...

Such a loop stays inside of all loops that its range depends on, and the tensors that the range is read from are
computed outside of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from tewb.ir import IterVar, ProducerLoad, const_int, script, walk
from tewb.schedule.declare import Refusal
from tewb.schedule.inlining import inlined_operations
from tewb.schedule.stage import Stage
from tewb.tensor import ComputeOp, depends_on


def dependent(stage: Stage, iv: IterVar) -> bool:
    """Whether the range of a reduce axis of `stage` depends on other axes or on elements of tensors."""
    return isinstance(stage.op, ComputeOp) and iv in stage.op.domains


def around(stage: Stage, axis: IterVar) -> int:
    """How many loops stand around all that `axis` became: at the last of them its range is known."""
    return stage.leaf_iter_vars.index(stage.loops_of(axis)[0])


def reason(stage: Stage, axis: IterVar) -> str:
    """Why the range of `axis` is not the same everywhere: "k runs from 0 to i + 1"."""
    assert isinstance(stage.op, ComputeOp)
    begin, end = (script(e) for e in stage.op.domains[axis].exprs)
    return f"{stage.axis_name(axis)} runs from {begin} to {end}"


def keeps_ranges_known(stage: Stage) -> Refusal | None:
    """Why the loops of `stage` may not stand in the order that they have now: a range would depend on a loop
    further in."""
    op = stage.op
    if not isinstance(op, ComputeOp):
        return None
    for iv in op.domains:
        first = around(stage, iv)
        for axis in depends_on(iv, op.domains, (*op.axis, *op.reduce_axis)):
            late = next((x for x in stage.leaf_iter_vars[first:] if x in stage.loops_of(axis)), None)
            if late is None:
                continue
            own, loop = stage.axis_name(iv), stage.axis_name(late)
            part = "" if late is axis else f", which {stage.axis_name(axis)} is made of"
            if late in stage.loops_of(iv):
                return Refusal(
                    f"{reason(stage, iv)}, which depends on {stage.axis_name(axis)}: they cannot be one loop"
                )
            return Refusal(
                f"{reason(stage, iv)}, which depends on {stage.axis_name(axis)}: it stays inside of loop {loop}{part}",
                f"keep {loop} outside of the loops of {own}",
            )
    return None


def fits_one_loop(stage: Stage, axes: Sequence[IterVar]) -> Refusal | None:
    """Why adjacent loops cannot be fused: how often one runs is read from elements, and the product may be any number."""
    op = stage.op
    if not isinstance(op, ComputeOp):
        return None
    extents = stage.schedule.extents(stage)
    open_ended = [iv for iv in axes if const_int(extents[iv]) is None]
    for root, domain in op.domains.items():
        own = stage.loops_of(root)
        dependent = next((iv for iv in open_ended if iv in own), None)
        other = next((iv for iv in open_ended if iv not in own), None)
        if domain.reads_elements and dependent is not None and other is not None:
            return Refusal(
                f"elements of tensors tell how often {stage.axis_name(dependent)} runs, so nobody knows that the iterations of "
                f"{stage.axis_name(dependent)} and {stage.axis_name(other)} together are those of one loop",
                f"split {stage.axis_name(other)} by a constant and fuse with the inner loop, or leave them apart",
            )
    return None


def range_known_outside(stage: Stage, parent: Stage, axis: IterVar) -> Refusal | None:
    """Why `stage` may not be computed in loop `axis` of `parent`: the range of a loop around it is read from `stage`."""
    if not isinstance(parent.op, ComputeOp) or not parent.op.domains:
        return None
    op = inlined_operations(stage.schedule)[parent]
    assert isinstance(op, ComputeOp)
    place = parent.leaf_iter_vars.index(axis)
    for iv, domain in op.domains.items():
        read = [n.producer for e in domain.exprs for n in walk(e) if isinstance(n, ProducerLoad)]
        if place >= around(parent, iv) and any(stage.schedule.stage_of(t) is stage for t in read):
            return Refusal(
                f"{stage.name} tells how often {parent.axis_name(iv)} of {parent.name} runs, and loop "
                f"{parent.axis_name(axis)} is no loop around that",
                f"compute {stage.name} further out",
            )
    return None
