"""Rewrites of the dataflow: a stage that holds a copy of what another one reads or makes."""

from __future__ import annotations

from functools import partial

from tewb.ir import AxisKind, Expr, IterVar, ProducerLoad, Range, Reduce, Var, const, replace, substitute
from tewb.schedule.stage import Stage
from tewb.tensor import ComputeOp, Tensor


def _axes_like(axis: tuple[IterVar, ...], suffix: str) -> tuple[IterVar, ...]:
    return tuple(IterVar(iv.dom, Var(f"{iv.name}{suffix}", iv.dtype), AxisKind.DATA) for iv in axis)


def _element(t: Tensor, axis: tuple[IterVar, ...]) -> Expr:
    return ProducerLoad(t, tuple(iv.var for iv in axis), t.dtype)


def copy_for_readers(stage: Stage, output: int, scope: str, readers: list[Stage], step: int) -> Tensor:
    """Insert a stage that copies an output of `stage`, and let `readers` read the copy. Returns its tensor."""
    schedule, once = stage.schedule, stage.schedule.memory.once
    source = stage.op.output(output)
    key = (id(source.op), output, scope, step)
    op = once(("copy", *key), (source.op,), lambda: _copy(source, scope))
    copy = Stage(schedule, op, schedule.unique_name(op.name))
    copy.scope = scope
    copy.place(step)
    copy.attach = stage.attach  # what is computed inside of a loop can be copied there only
    schedule.insert(copy, schedule.stages.index(stage) + 1)
    for reader in readers:
        swap = {
            t: op.output(0)
            for t in reader.op.inputs
            if schedule.stage_of(t) is stage and t.value_index == output
        }
        old = reader.op
        swapped = once(("swap", id(old), *key), (old, source.op), partial(old.with_inputs, swap))
        schedule.swap_op(reader, swapped)
    return op.output(0)


def _copy(source: Tensor, scope: str) -> ComputeOp:
    """An operation that copies a tensor."""
    axis = tuple(
        IterVar(Range(const(0, n.dtype), n), Var(f"ax{i}", n.dtype), AxisKind.DATA)
        for i, n in enumerate(source.shape)
    )
    return ComputeOp(f"{source.name}.{scope}", axis, (_element(source, axis),), check=False)


def copy_of_result(stage: Stage, scope: str, step: int) -> tuple[Tensor, ...]:
    """Move what `stage` computes into a new stage, and let `stage` copy from it. Returns the new tensors.

    The axes of `stage` stay its own; the new stage has axes of its own and takes the reduce axes over.
    """
    schedule, op = stage.schedule, stage.op
    assert isinstance(op, ComputeOp)
    moved, copied = schedule.memory.once(("move", id(op), scope, step), (op,), lambda: _moved(op, scope))
    cache = Stage(schedule, moved, schedule.unique_name(moved.name))
    cache.scope = scope
    cache.place(step)
    cache.attach = stage.attach  # it reads what may exist there only
    schedule.insert(cache, schedule.stages.index(stage))
    attach, place, shaped = stage.attach, stage.place_step, stage.shaped_by.get(None, ())
    scope, alignments = stage.scope, stage.alignments
    stage.reset(copied)
    stage.scope, stage.alignments = scope, alignments
    stage.attach, stage.place_step = attach, place
    stage.shape(None, *shaped)
    schedule.swap_op(stage, copied)
    return moved.outputs


def _moved(op: ComputeOp, scope: str) -> tuple[ComputeOp, ComputeOp]:
    """An operation that computes the same in `scope`, and one that copies its results."""
    axis = _axes_like(op.axis, ".c")
    renamed = {old.var: new.var for old, new in zip(op.axis, axis, strict=True)}
    body = tuple(substitute(e, renamed) for e in op.body)
    if isinstance(body[0], Reduce):  # the parts of one reduction share their source
        body = tuple(replace(body[0], index=i, dtype=e.dtype) for i, e in enumerate(body))
    domains = op.mapped_domains(lambda e: substitute(e, renamed))
    moved = ComputeOp(f"{op.name}.{scope}", axis, body, op.tag, bool(op.unproved), domains)
    copied = ComputeOp(op.name, op.axis, tuple(_element(t, op.axis) for t in moved.outputs), "", check=False)
    copied.span = moved.span = op.span
    return moved, copied
