"""cache_read and cache_write: a stage that holds a copy of what another one reads or makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from tewb.base import ScheduleError, here, literal
from tewb.ir import AxisKind, Expr, IterVar, ProducerLoad, Range, Reduce, Var, const, replace, substitute
from tewb.schedule.declare import Arguments, Param, Refusal, Results, Selection, Values, primitive
from tewb.schedule.journal import Step
from tewb.schedule.primitives.set_scope import memory_scopes
from tewb.schedule.questions import attached_at, read_by
from tewb.schedule.schedule import Schedule
from tewb.schedule.stage import At, Stage
from tewb.tensor import ComputeOp, ScanOp, Tensor

if TYPE_CHECKING:
    from tewb.schedule.code import Names


def _readers(stage: Stage) -> list[str]:
    return [s.name for s in stage.readers()]


@primitive(
    Param("scope", "scope", "where the copy is kept", "local", choices=memory_scopes),
    Param("readers", "stages", "the stages that read the copy", choices=_readers),
    Param("output", "int", "which output of the stage, when it has several", 0),
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
        if isinstance(reader.op, ScanOp):
            return Refusal(
                f"{stage.name} is computed into the memory of scan {reader.name}, which reads no copy",
                f"copy it for another reader, or copy {reader.name} for its readers",
            )
    return None


@cache_read.effect
def _cache_read(stage: Stage, v: Values, step: int) -> Results:
    return [_copy_for_readers(stage, v["output"], v["scope"], v["readers"], step)]


@cache_read.suggest
def _copies(at: Selection) -> Iterator[Arguments]:
    readers = _readers(at.stage)
    yield {"scope": "local", "readers": readers}
    if len(readers) > 1:
        yield from ({"scope": "local", "readers": [r]} for r in readers)


@cache_read.code
def _read_code(step: Step, names: Names) -> str:
    """The output that is read is part of what is given: `s.cache_read(T.op.output(1), "local", [C])`."""
    args, tensor = step.args, names.stage(step.stage)
    readers = ", ".join(names.stage(r) for r in args["readers"])
    output = f".op.output({args['output']})" if args.get("output") else ""
    return f"s.cache_read({tensor}{output}, {literal(args['scope'])}, [{readers}])"


@primitive(
    Param("scope", "scope", "where the result is computed", "local", choices=memory_scopes),
    results="stage",
)
def cache_write(schedule: Schedule, tensor: Tensor | Sequence[Tensor], scope: str) -> Any:
    """Compute `tensor` into a new stage, and let its own stage copy the result.

    C[i] = f(i)    ->    C.local[i.c] = f(i.c);  C[i] = C.local[i]

    Of an operation with several outputs, give them all in a list. Returns the tensor of the new stage, or a list of
    them. Call it before other primitives on this stage.
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
    if (
        stage.relations
        or any(m.axis is not None for m in stage.marks)
        or any(attached_at(stage, iv) for iv in stage.leaf_iter_vars)
    ):
        return Refusal(
            "its loops are scheduled already", "call cache_write before the other primitives on this stage"
        )
    if not stage.leaf_iter_vars.same_as([*stage.op.axis, *stage.op.reduce_axis]):
        return Refusal(
            "its loops are reordered already", "call cache_write before the other primitives on this stage"
        )
    if stage.marks_of("nontemporal"):
        return Refusal("its stores are non-temporal already", "call cache_write before nontemporal")
    return None


@cache_write.effect
def _cache_write(stage: Stage, v: Values, step: int) -> Results:
    return list(_copy_of_result(stage, v["scope"], step))


@cache_write.suggest
def _results(at: Selection) -> Iterator[Arguments]:
    yield {"scope": "local"}


# ---------------------------------------------------------------- rewrites of the dataflow


def _axes_like(axis: tuple[IterVar, ...], suffix: str) -> tuple[IterVar, ...]:
    return tuple(IterVar(iv.dom, Var(f"{iv.name}{suffix}", iv.dtype), AxisKind.DATA) for iv in axis)


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

    The axes of `stage` stay its own; the new stage has axes of its own and takes the reduce axes over.
    """
    schedule, op = stage.schedule, stage.op
    assert isinstance(op, ComputeOp)
    moved, copied = schedule.result_cache.once(
        ("move", id(op), scope, step), (op,), lambda: _moved(op, scope)
    )
    cache = Stage(schedule, moved, schedule.unique_name(moved.name))
    cache.scope = scope
    cache.place(step)
    # It reads what may exist there only; the copy of a result may be inline.
    cache.attach = stage.own_place if isinstance(stage.own_place, At) else None
    cache.group = stage.group
    schedule.insert(cache, schedule.stages.index(stage))
    attach, group = stage.own_place, stage.group
    place, shaped = stage.place_step, stage.shaped_by.get(None, ())
    marks = stage.marks  # its loops have none
    stage.reset(copied)
    stage.marks = marks
    stage.attach, stage.group, stage.place_step = attach, group, place
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
    moved = ComputeOp(f"{op.name}.{scope}", axis, body, op.tag, bool(op.unproved), domains, op.first_step)
    copy = tuple(_element(t, op.axis) for t in moved.outputs)
    copied = ComputeOp(op.name, op.axis, copy, "", check=False, first_step=op.first_step)
    copied.span = moved.span = op.span
    return moved, copied
