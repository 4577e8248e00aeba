"""cache_read and cache_write: a stage that holds a copy of what another one reads or makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from tewb.base import ScheduleError, here, literal
from tewb.ir import (
    AxisKind,
    Expr,
    IterVar,
    ProducerLoad,
    Range,
    Var,
    at_axes,
    const,
    ops,
)
from tewb.schedule.declare import Arguments, Param, Refusal, Results, Selection, Values, primitive
from tewb.schedule.journal import Step
from tewb.schedule.loop_layout import data_loops, guarded, guarded_bodies, loop_layout
from tewb.schedule.primitives.set_scope import memory_scopes
from tewb.schedule.questions import attached_at, for_now, read_by
from tewb.schedule.relation import mixed_loops
from tewb.schedule.schedule import Schedule
from tewb.schedule.stage import At, LoopList, Stage
from tewb.tensor import ComputeOp, ScanOp, Tensor, TensorComputeOp, check_accesses

if TYPE_CHECKING:
    from tewb.schedule.code import Names


def _readers(stage: Stage) -> list[str]:
    return [s.name for s in stage.readers()]


@primitive(
    Param("scope", "scope", "where the copy is kept", "local", choices=memory_scopes),
    Param("readers", "stages", "the stages that read the copy", choices=_readers),
    Param("output", "int", "which output of the stage, when it has several", 0, rare=True),
    results="stage",
    on_inputs=True,
)
def cache_read(schedule: Schedule, tensor: Tensor, scope: str, readers: Any) -> Tensor:
    """Copy `tensor` into a new stage that `readers` read instead of it.

    C[i] = A[i] * 2    ->    A.local[i] = A[i];  C[i] = A.local[i] * 2

    Returns the tensor of the copy.
    """
    listed = list(readers) if isinstance(readers, tuple | list) else [readers]
    output = getattr(tensor, "value_index", 0)  # of a stage that computes several
    arguments = {"scope": scope, "readers": listed, "output": output}
    result: Tensor = schedule.do("cache_read", schedule[tensor], arguments)
    return result


@cache_read.legal
def _read_refusal(stage: Stage, v: Values) -> Refusal | None:
    outputs = stage.op.outputs
    if not 0 <= v["output"] < len(outputs):
        return Refusal(
            f"it has {len(outputs)} outputs, and none of number {v['output']}",
            f"output is from 0 to {len(outputs) - 1}",
        )
    if not v["readers"]:
        return Refusal("no readers are given", read_by(stage))
    for reader in v["readers"]:
        if stage not in reader.reads():
            return Refusal(f"{reader.name} does not read {stage.name}", read_by(stage))
        read = _outputs_read(reader, stage)
        if v["output"] not in read:
            return Refusal(
                f"{reader.name} does not read output {v['output']} of {stage.name}",
                f"it reads {', '.join(map(str, read))}: s.cache_read({stage.name}.op.output({read[0]}), ...)",
            )
        if isinstance(reader.op, ScanOp):
            return Refusal(
                f"{stage.name} is computed into the memory of scan {reader.name}, which reads no copy",
                f"copy it for another reader, or copy {reader.name} for its readers",
            )
    return for_now(_in_loops_of_readers(stage))


def _outputs_read(reader: Stage, stage: Stage) -> list[int]:
    """The numbers of the outputs of a stage that another one reads."""
    of = stage.schedule.stage_of
    return sorted({t.value_index for t in reader.op.inputs if of(t) is stage})


def _in_loops_of_readers(stage: Stage) -> Refusal | None:
    """What an inlined stage reads may be computed in the loops of its readers, of which the new stage is in none."""
    inlined, seen = [stage] if stage.is_inlined else [], set[Stage]()
    while inlined:
        for producer in inlined.pop().reads():
            if isinstance(producer.attach, At):
                parent = producer.attach.stage
                return Refusal(
                    f"{producer.name} is computed at loop {parent.axis_name(producer.attach.axis)} of {parent.name}, and the "
                    f"new stage, which computes {stage.name}, will read it",
                    f"call it first, then compute {producer.name} in the loops of the new stage",
                )
            if producer.is_inlined and producer not in seen:
                seen.add(producer)
                inlined.append(producer)
    return None


@cache_read.effect
def _cache_read(stage: Stage, v: Values, step: int) -> Results:
    return [_copy_for_readers(stage, v["output"], v["scope"], v["readers"], step)]


@cache_read.suggest
def _copies(at: Selection) -> Iterator[Arguments]:
    for output in range(len(at.stage.op.outputs)):
        readers = [r.name for r in at.stage.readers() if output in _outputs_read(r, at.stage)]
        which = {"output": output} if output else {}
        if readers or not output:
            yield {"scope": "local", "readers": readers, **which}
        if len(readers) > 1:
            yield from ({"scope": "local", "readers": [r], **which} for r in readers)


@cache_read.code
def _read_code(step: Step, names: Names) -> str:
    """The output that is read is part of what is given: `s.cache_read(T.op.output(1), "local", [C])`."""
    args, tensor = step.args, names.stage(step.stage)
    readers = ", ".join(names.stage(r) for r in args["readers"])
    if args.get("output"):
        tensor = f"{tensor if tensor.isidentifier() else f's[{tensor}]'}.op.output({args['output']})"
    return f"s.cache_read({tensor}, {literal(args['scope'])}, [{readers}])"


@primitive(
    Param("scope", "scope", "where the result is computed", "local", choices=memory_scopes),
    results="stage",
)
def cache_write(schedule: Schedule, tensor: Tensor | Sequence[Tensor], scope: str) -> Any:
    """Compute `tensor` into a new stage, and let its own stage copy the result.

    C[i] = f(i)    ->    C.local[i.c] = f(i.c);  C[i] = C.local[i]

    The axes of the new stage are the loops over data of `tensor` as they are now, so that the copy turns the layout
    back; its own loops are those of its axes again. After `s[C].split(i, 4)` and a reorder:

        for i.outer: for j: for i.inner:        for i.outer.c: for j.c: for i.inner.c:
            C[i, j] = f(i, j)              ->       C.local[i.outer.c, j.c, i.inner.c] = f(...)
                                                for i: for j: C[i, j] = C.local[i // 4, j, i % 4]

    Where splits do not divide, places that hold no element read nothing. Reduce loops are split in the new stage. Of an
    operation with several outputs, give them all in a list. Returns the tensor of the new stage, or a list of them.
    """
    if not isinstance(tensor, list | tuple):
        return schedule.do("cache_write", schedule[tensor], {"scope": scope})
    stage = _stage_of_all(schedule, tensor)
    copied = schedule.do("cache_write", stage, {"scope": scope})
    return list(copied) if isinstance(copied, tuple) else [copied]


def _stage_of_all(schedule: Schedule, tensors: Sequence[Tensor]) -> Stage:
    """The stage whose outputs `tensors` are, all of them."""
    stages = list(dict.fromkeys(schedule[t] for t in tensors))
    if len(stages) == 1 and len(tensors) == len(stages[0].op.outputs):
        return stages[0]
    names = ", ".join(str(getattr(t, "name", t)) for t in tensors) or "nothing"
    raise ScheduleError(
        f"cache_write takes all outputs of one operation, not {names}",
        loops="; ".join(f"{s.name}: {s.loops()}" for s in stages),
        hint="call it once for each stage: s.cache_write(C, scope)",
        span=here(),
    )


@cache_write.legal
def _write_refusal(stage: Stage, v: Values) -> Refusal | None:
    if not isinstance(stage.op, ComputeOp):
        return Refusal(f"{stage.name} is not a compute, so there is no expression to compute elsewhere")
    if stage.marks_of("double_buffer"):
        return Refusal("it is double buffered", "call cache_write before double_buffer")
    if stage.marks_of("nontemporal"):
        return Refusal("its stores are non-temporal already", "call cache_write before nontemporal")
    ahead = next((m for m in stage.marks_of("prefetch")), None)
    if ahead is not None and ahead.axis is not None:
        return Refusal(
            f"its loops are scheduled already: {stage.axis_name(ahead.axis)} prefetches {ahead.values[0].name}, which the "
            "new stage will read",
            "call cache_write before prefetch",
        )
    return _no_layout(stage, stage.op) or for_now(_left_behind(stage) or _in_loops_of_readers(stage))


def _no_layout(stage: Stage, op: ComputeOp) -> Refusal | None:
    """Why the loops over data are not the axes of a new stage, which reduces as this one does."""
    parts = next(
        (
            iv
            for iv in stage.leaf_iter_vars
            if iv.kind is AxisKind.REDUCE and iv not in LoopList([*op.reduce_axis])
        ),
        None,
    )
    if parts is not None:
        mixed = parts in mixed_loops(stage.relations)
        of = "data and reduce axes at once" if mixed else "a part of a reduce axis"
        return Refusal(
            f"its loops are scheduled already: {stage.axis_name(parts)} is over {of}, and only loops over data become the "
            "axes of the new stage",
            "call cache_write first, then split and fuse the reduce loops of the new stage",
        )
    if isinstance(op, TensorComputeOp) and not _keeps_parts(stage, op):
        return Refusal(
            f"its loops are scheduled already: the new stage is computed by {op.intrin.name}, on whole parts, which are its "
            "last axes",
            "call cache_write first, or split by a factor that divides",
        )
    if op.first_step is not None and op.axis[op.first_step[0]] not in stage.leaf_iter_vars:
        time = stage.axis_name(op.axis[op.first_step[0]])
        return Refusal(
            f"its loops are scheduled already: {time} is the time of a scan, and was {stage.replaced_by(op.axis[op.first_step[0]])}",
            f"call cache_write before {time} is split or fused",
        )
    return None


def _keeps_parts(stage: Stage, op: TensorComputeOp) -> bool:
    """Whether the parts that an intrinsic computes are the inner axes of the layout, and none is at an edge."""
    loops = data_loops(stage)
    inner = LoopList(loops[len(loops) - len(op.own_axes) :])
    return inner.same_as([*op.own_axes]) and not loop_layout(stage, "").guards


def _left_behind(stage: Stage) -> Refusal | None:
    """What is computed in the loops that the new stage takes over."""
    for iv in stage.leaf_iter_vars:
        here = attached_at(stage, iv)
        if here:
            return Refusal(
                f"its loops are scheduled already: {here[0].name} is computed at loop {stage.axis_name(iv)}, and the new "
                "stage will read it",
                f"call cache_write first, then compute {here[0].name} in the loops of the new stage",
            )
    return None


@cache_write.effect
def _cache_write(stage: Stage, v: Values, step: int) -> Results:
    return list(_copy_of_result(stage, v["scope"], step))


@cache_write.suggest
def _results(at: Selection) -> Iterator[Arguments]:
    yield {"scope": "local"}


# ---------------------------------------------------------------- rewrites of the dataflow


def _element(t: Tensor, axis: tuple[IterVar, ...]) -> Expr:
    return ProducerLoad(t, tuple(iv.var for iv in axis), t.dtype)


def _copy_for_readers(stage: Stage, output: int, scope: str, readers: list[Stage], step: int) -> Tensor:
    """Insert a stage that copies an output of `stage`, and let `readers` read the copy. Returns its tensor."""
    schedule, once = stage.schedule, stage.schedule.result_cache.once
    source = stage.op.output(output)
    key = (id(source.op), output, scope, step)
    op = once(("copy", *key), (source.op,), lambda: _copy(source, scope))
    copy = Stage(schedule, op, schedule.unique_name(op.name))
    copy.scope = scope
    copy.place(step)
    # What is computed inside of a loop can be copied there only; a copy of an inlined stage computes it.
    copy.attach = stage.own_place if isinstance(stage.own_place, At) else None
    copy.group = stage.group
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


def _copy_of_result(stage: Stage, scope: str, step: int) -> tuple[Tensor, ...]:
    """Move what `stage` computes into a new stage, and let `stage` copy from it. Returns the new tensors.

    The axes of `stage` stay its own, and are its loops again; the new stage has the loops over data for its axes, and
    takes the reduce axes over.
    """
    schedule, op, loops = stage.schedule, stage.op, stage.leaf_iter_vars
    assert isinstance(op, ComputeOp)
    moved, copied = schedule.result_cache.once(
        ("move", id(op), scope, step, tuple([id(iv) for iv in loops])),
        (op, *loops),
        lambda: _moved(stage, op, scope),
    )
    cache = Stage(schedule, moved, schedule.unique_name(moved.name))
    cache.scope = scope
    cache.place(step)
    for iv, axis in zip(data_loops(stage), moved.axis, strict=True):
        cache.shape(axis, *stage.shaped_by.get(iv, ()))
    # It reads what may exist there only; the copy of a result may be inline.
    cache.attach = stage.own_place if isinstance(stage.own_place, At) else None
    cache.group = stage.group
    schedule.insert(cache, schedule.stages.index(stage))
    _copy_instead(stage, copied)
    return moved.outputs


def _copy_instead(stage: Stage, copied: ComputeOp) -> None:
    """Let `stage` compute `copied` in the loops of its axes, where it is. What was said of these loops stays."""
    attach, group = stage.own_place, stage.group
    place, shaped = stage.place_step, stage.shaped_by.get(None, ())
    marks, names = stage.marks, stage.handles()
    if isinstance(stage.op, TensorComputeOp):  # the intrinsic computes the new stage
        marks = tuple([m for m in marks if m.primitive != "tensorize"])
    made_by = {iv: own for iv, own in stage.made_by.items() if iv in LoopList([*copied.axis])}
    loops = {iv: own for iv, own in stage.shaped_by.items() if iv is not None}
    stage.reset(copied)
    kept = stage.leaf_iter_vars
    stage.schedule.remember({iv: name for iv, name in names.items() if iv not in kept})
    stage.marks = tuple([m for m in marks if m.axis is None or m.axis in kept])
    stage.attach, stage.group, stage.place_step = attach, group, place
    stage.made_by = made_by
    stage.shape(None, *shaped)
    for iv in kept:
        if iv in loops:
            stage.shape(iv, *loops[iv])
    stage.schedule.swap_op(stage, copied)


def _moved(stage: Stage, op: ComputeOp, scope: str) -> tuple[ComputeOp, ComputeOp]:
    """An operation that computes the same in `scope`, laid out as the loops are, and one that copies its results."""
    layout = loop_layout(stage, ".c")
    at = at_axes(layout.values)
    guard = ops.all_of(*[ops.likely(at.index(g)) for g in layout.guards]) if layout.guards else None
    domains = op.mapped_domains(lambda e: guarded(guard, at.index(e), const(0, e.dtype)))
    body = guarded_bodies(op, at, guard)
    first_step = op.first_step
    if first_step is not None:
        first_step = (LoopList(data_loops(stage)).index(op.axis[first_step[0]]), first_step[1])
    name = f"{op.name}.{scope}"
    moved: ComputeOp
    if isinstance(op, TensorComputeOp):
        moved = op.moved(name, layout.axis, body, at.index)
    else:
        moved = ComputeOp(name, layout.axis, body, op.tag, False, domains, first_step)
    if op.unproved:
        moved.unproved = check_accesses(moved, refuse=False)
    copy = tuple(ProducerLoad(t, layout.indices, t.dtype) for t in moved.outputs)
    copied = ComputeOp(op.name, op.axis, copy, "", check=False, first_step=op.first_step)
    copied.span = moved.span = op.span
    return moved, copied
