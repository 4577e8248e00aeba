"""transform_layout: the dimensions of an intermediate result in another order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from tewb.base import ScheduleError, brief, here
from tewb.ir import AxisKind, IterVar, ProducerLoad, Var
from tewb.schedule.declare import Arguments, Param, Refusal, Results, Selection, Values, primitive
from tewb.schedule.stage import Stage
from tewb.tensor import ComputeOp, Tensor


def _dimensions(stage: Stage) -> list[str]:
    return [stage.axis_name(iv) for iv in stage.op.axis]


@primitive(
    Param(
        "axes", "axes", "the axes of its tensor, in the order of its memory", choices=_dimensions, code="[{}]"
    )
)
def transform_layout(
    stage: Stage, mapping_function: Callable[..., Any] | Sequence[IterVar | str]
) -> list[IterVar]:
    """Keep an intermediate result with its dimensions in another order: what is read along the last one is
    contiguous. Loops that are not scheduled yet follow the memory.

    for i: for j: P[i, j] = A[i, j]    -- transform_layout(P, lambda i, j: (j, i)) -->    for j: for i: P[j, i] = A[i, j]
    C[x] += P[x, k]                                                                       C[x] += P[k, x]

    Takes a function from the old indices to the new ones, which are the same in another order, or the axes in their new order.
    Returns the loops of the stage.
    """
    stage.do("transform_layout", axes=_order(stage, mapping_function))
    return list(stage.leaf_iter_vars)


def _order(stage: Stage, mapping: Any) -> Any:
    """The axes that a function puts in order; what is no function as it is."""
    if not callable(mapping):
        return mapping
    axes = [iv for iv in stage.op.axis if iv.kind is AxisKind.DATA]
    given = mapping(*[iv.var for iv in axes])
    by_var = {iv.var: iv for iv in axes}
    indices = list(given) if isinstance(given, list | tuple) else [given]
    for e in indices:
        if not isinstance(e, Var) or e not in by_var:
            raise ScheduleError(
                f"transform_layout on stage {stage.name}: {brief(str(e))} is not one of its indices",
                loops=stage.loops(),
                hint="the order of dimensions is changed here; to split one, compute a stage of that shape",
                span=here(),
            )
    return [by_var[e] for e in indices]


@transform_layout.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
    op = stage.op
    if not isinstance(op, ComputeOp) or type(op) is not ComputeOp:
        return Refusal(
            f"{stage.name} is not a compute: others say how its memory lies", "copy it: cache_read"
        )
    order = v["axes"]
    if sorted(map(id, order)) != sorted(map(id, op.axis)):
        names = ", ".join(_dimensions(stage)) or "none"
        return Refusal("an order names each axis of the tensor once", f"its axes are {names}")
    if op.first_step is not None:
        return Refusal(f"{stage.name} is a step of a scan, which says how its memory lies")
    if op in stage.schedule.outputs:
        return Refusal(
            f"{stage.name} is an output, whose layout the caller chooses",
            "change the layout of what cache_write makes, or bind a strided buffer for the output",
        )
    for reader in stage.readers():
        if type(reader.op) is not ComputeOp:
            return Refusal(
                f"{reader.name} is not a compute, and reads {stage.name} as it lies",
                f"copy it for the others: s.cache_read({stage.name}, ...)",
            )
    return None


@transform_layout.effect
def _effect(stage: Stage, v: Values, step: int) -> Results:
    schedule, old = stage.schedule, stage.op
    assert isinstance(old, ComputeOp)
    places = [old.axis.index(iv) for iv in v["axes"]]
    once, key = schedule.result_cache.once, ("layout", tuple(places), step)
    new = once((*key, id(old)), (old,), partial(_reordered, old, places))
    readers = stage.readers()
    untouched = stage.leaf_iter_vars.same_as([*old.axis, *old.reduce_axis])
    schedule.swap_op(stage, new)
    if untouched:
        stage.leaf_iter_vars = type(stage.leaf_iter_vars)([*new.axis, *new.reduce_axis])
    stage.place(step) if stage.place_step is None else stage.shape(None, step)
    swap = dict(zip(old.outputs, new.outputs, strict=True))
    for reader in readers:
        assert isinstance(reader.op, ComputeOp)
        read = once(
            (*key, id(reader.op), id(old)), (reader.op, old), partial(_reading, reader.op, swap, places)
        )
        schedule.swap_op(reader, read)
    return []


def _reordered(op: ComputeOp, places: Sequence[int]) -> ComputeOp:
    """The same elements, with the axes in the order of `places`."""
    axis = tuple(op.axis[p] for p in places)
    new = ComputeOp(op.name, axis, op.body, op.tag, bool(op.unproved), op.domains, op.first_step)
    new.attrs, new.span = op.attrs, op.span
    return new


def _reading(op: ComputeOp, swap: dict[Tensor, Tensor], places: Sequence[int]) -> ComputeOp:
    """The operation, with the tensors of `swap` read by indices in their new order."""

    def load(n: ProducerLoad) -> ProducerLoad:
        if n.producer not in swap:
            return n
        return ProducerLoad(swap[n.producer], tuple(n.indices[p] for p in places), n.dtype)

    return op.with_loads(load)


@transform_layout.suggest
def _suggest(at: Selection) -> Iterator[Arguments]:
    yield {"axes": list(reversed(_dimensions(at.stage)))}
