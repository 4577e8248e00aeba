"""Why a stage may not be computed somewhere, copied, or kept elsewhere: a refusal or None."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tewb.base import any_depth
from tewb.ir import AxisKind, IterVar, Reduce, script
from tewb.schedule.allowed import attached_at, has_loops, not_nontemporal, untouched
from tewb.schedule.dependent_loops import told_outside
from tewb.schedule.dot import feeds_dot
from tewb.schedule.hybrid_loops import accesses_of, loops_to, scheduled_body
from tewb.schedule.primitive import Refusal, Values
from tewb.schedule.recompute import recompute_factor
from tewb.schedule.stage import INLINE, At, Loops, Stage
from tewb.tensor import ComputeOp, ExternOp, PlaceholderOp
from tewb.tensor.hybrid import HybridOp

if TYPE_CHECKING:
    from tewb.schedule.schedule import Schedule


def _computes(stage: Stage, verb: str) -> Refusal | None:
    if isinstance(stage.op, PlaceholderOp):
        return Refusal(f"{stage.name} is an input: its values are given, not computed")
    if stage.is_output:
        return Refusal(
            f"{stage.name} is an output, and outputs are computed at the root", f"{verb} what it reads"
        )
    return None


def compute_at(stage: Stage, v: Values) -> Refusal | None:
    parent, axis = v["parent"], v["axis"]
    refused = _computes(stage, "compute_at") or not_nontemporal(stage, "compute it elsewhere")
    if refused:
        return refused
    if parent is stage:
        return Refusal("a stage cannot be computed inside of itself", "name a stage that reads it")
    if parent.is_placeholder:
        return Refusal(f"{parent.name} is an input", "compute it at a stage that reads it")
    refused = has_loops(parent)
    if refused:
        return refused
    if axis.kind is AxisKind.OPAQUE:
        return untouched(parent, axis)
    if stage not in parent.reads() and not _reads_through(parent, stage):
        return Refusal(f"{parent.name} does not read {stage.name}", _consumers(stage))
    name = parent.axis_name(axis)
    if any(parent.annotations.get(iv) in ("vectorize", "transpose") for iv in loops_to(parent, axis)):
        return Refusal(f"loop {name} of {parent.name} is vectorized, and loops cannot become lanes")
    if parent.annotations.get(axis) == "dot":
        return Refusal(
            f"loop {name} of {parent.name} is marked dot, and nothing but products is inside of it"
        )
    return _with_attach(stage, At(parent, axis)) or _repeats(stage, At(parent, axis))


def _repeats(stage: Stage, place: At) -> Refusal | None:
    """A stateful extern may be computed in pieces, and not twice."""
    if not (isinstance(stage.op, ExternOp) and stage.op.effect == "stateful"):
        return None
    before = stage.attach
    stage.attach = place
    try:
        times = recompute_factor(stage)
    finally:
        stage.attach = before
    if times == 1:
        return None
    often = "an unknown number of times" if times is None else f"{times:.3g} times on average"
    return Refusal(
        f"extern {stage.name} is stateful, and would make each element {often} there",
        "compute it further out, or declare effect='idempotent'",
    )


def _consumers(stage: Stage) -> str:
    readers = [s.name for s in stage.readers()]
    return f"it is read by {', '.join(readers)}" if readers else "nothing reads it"


def _reads_through(parent: Stage, stage: Stage) -> bool:
    """Whether some reader of `stage` is computed inside of `parent`, or inlined into it."""
    seen = set()
    pending = stage.readers()
    while pending:
        reader = pending.pop()
        if reader is parent:
            return True
        if reader not in seen:
            seen.add(reader)
            if reader.is_inlined:
                pending.extend(reader.readers())
            elif isinstance(reader.attach, At):
                pending.append(reader.attach.stage)
    return False


def compute_inline(stage: Stage, v: Values) -> Refusal | None:
    refused = _computes(stage, "inline") or not_nontemporal(stage, "inline it")
    if refused:
        return refused
    if stage.is_inlined:
        return Refusal("it is computed inline already")
    if not isinstance(stage.op, ComputeOp):
        return Refusal(
            f"{stage.name} is not a compute: there is no expression to put elsewhere", "use compute_at"
        )
    if any(isinstance(e, Reduce) for e in stage.op.body):
        return Refusal("a reduction needs loops and cannot be inlined", "use compute_at")
    for reader in stage.readers():
        if not isinstance(reader.op, ComputeOp):
            return Refusal(
                f"{reader.name} reads {stage.name} from memory, so it cannot be inlined", "use compute_at"
            )
    for s in stage.schedule.stages:
        if isinstance(s.attach, At) and s.attach.stage is stage:
            return Refusal(f"{s.name} is computed inside of its loops", f"move {s.name} first")
    return feeds_dot(stage) or _with_attach(stage, INLINE)


def compute_root(stage: Stage, v: Values) -> Refusal | None:
    if isinstance(stage.op, PlaceholderOp):
        return Refusal(f"{stage.name} is an input: its values are given, not computed")
    return _with_attach(stage, None)


def _with_attach(stage: Stage, attach: At | str | None) -> Refusal | None:
    before = stage.attach
    stage.attach = attach
    try:
        return places(stage.schedule)
    finally:
        stage.attach = before


@any_depth
def places(schedule: Schedule) -> Refusal | None:
    """Why the places of the stages do not fit together: each must be around everything that reads it."""
    ends: set[Stage] = set()
    found: _Inside = {}
    for stage in schedule.stages:
        refused = _next_part(stage) if stage.is_double else None
        if refused:
            return refused
        if not isinstance(stage.attach, At):
            continue
        parent, axis = stage.attach.stage, stage.attach.axis
        if _circular(stage, ends):
            return Refusal(f"{stage.name} would be computed inside of itself")
        for reader in schedule.readers_of(stage):
            if not inside(reader, parent, axis, found):
                return Refusal(
                    f"{reader.name} also reads {stage.name}, and is computed outside of loop "
                    f"{parent.axis_name(axis)} of {parent.name}",
                    f"compute {reader.name} at the same loop, or {stage.name} further out",
                )
        refused = _hybrid_reads(stage, parent, axis) or told_outside(stage, parent, axis)
        if refused:
            return refused
    return None


def double_buffer(stage: Stage, v: Values) -> Refusal | None:
    if stage.is_double:
        return Refusal("it is double buffered already")
    if not isinstance(stage.op, ComputeOp):
        kind = "an input" if isinstance(stage.op, PlaceholderOp) else "not a compute"
        return Refusal(f"{stage.name} is {kind}", f"double buffer a copy: s.cache_read({stage.name}, ...)")
    return _next_part(stage)


def _next_part(stage: Stage) -> Refusal | None:
    """Why the part of a stage that the next iteration needs cannot be made in this one."""
    if not isinstance(stage.attach, At):
        return Refusal(
            f"{stage.name} is double buffered at a loop, and so must be computed at one",
            f"s[{stage.name}].compute_at(...) first",
        )
    parent, axis = stage.attach.stage, stage.attach.axis
    name = f"loop {parent.axis_name(axis)} of {parent.name}"
    if not isinstance(parent.op, ComputeOp):
        return Refusal(f"{parent.name} is not a compute, and its code knows one part of {stage.name}")
    if parent.annotations.get(axis) == "parallel":
        return Refusal(f"{name} is parallel: there is no next iteration on the same thread")
    pending, seen = stage.reads(), set()
    while pending:
        s = pending.pop()
        if s not in seen:
            seen.add(s)
            pending += s.reads() if s.is_inlined else []
            if not s.is_placeholder and not s.is_inlined and inside(s, parent, axis):
                return Refusal(
                    f"{stage.name} reads {s.name}, which is made in the same iteration of {name}",
                    f"compute {s.name} further out",
                )
    other = next((r for r in stage.readers() if not isinstance(r.op, ComputeOp)), None)
    if other is not None:
        return Refusal(f"{other.name} is not a compute, and its code knows one part of {stage.name}")
    return None


def _hybrid_reads(stage: Stage, parent: Stage, axis: IterVar) -> Refusal | None:
    """A hybrid function must read the stage inside of that loop only, at places that its loops tell."""
    if not isinstance(parent.op, HybridOp) or stage not in parent.reads():
        return None
    op, name = parent.op, parent.axis_name(axis)
    buffers = [
        b for t, b in zip(op.inputs, op.in_buffers, strict=True) if stage.schedule.stage_of(t) is stage
    ]
    still = [iv.var for iv in loops_to(parent, axis)]
    for access in accesses_of(scheduled_body(parent, op.body), buffers):
        line = "" if access.line is None else f" (line {access.line})"
        if not any(n.var is axis.var for n in access.loops):
            return Refusal(
                f"{parent.name} reads {stage.name} outside of loop {name} too{line}",
                f"choose a loop that is around all of them, or s[{stage.name}].compute_root()",
            )
        if None in access.box(still):
            indices = ", ".join(script(i) for i in access.node.indices)
            return Refusal(
                f"which elements of {stage.name} an iteration of {name} reads is known only when it runs: "
                f"{access.node.buffer.name}[{indices}]{line}",
                f"compute {stage.name} at the root",
            )
    return None


def _circular(stage: Stage, ends: set[Stage]) -> bool:
    """Whether `stage` is computed inside of itself. `ends` are stages that are not; more are added."""
    seen = {stage}
    place = stage.attach
    while isinstance(place, At) and place.stage not in ends:
        if place.stage in seen:
            return True
        seen.add(place.stage)
        place = place.stage.attach
    ends |= seen
    return False


_Inside = dict[tuple[Stage, Stage, IterVar], bool]


def inside(reader: Stage, parent: Stage, axis: IterVar, found: _Inside | None = None) -> bool:
    """Whether all of `reader` is computed inside loop `axis` of `parent`. `found` are the answers for inlined stages
    so far."""
    if reader is parent:
        return True
    if reader.is_inlined:
        known, key = {} if found is None else found, (reader, parent, axis)
        if key not in known:
            known[key] = all([inside(r, parent, axis, known) for r in reader.readers()])
        return known[key]
    if not isinstance(reader.attach, At):
        return False
    if reader.attach.stage is parent:
        return axis is reader.attach.axis or axis in Loops(loops_to(parent, reader.attach.axis))
    return inside(reader.attach.stage, parent, axis, found)


# ---------------------------------------------------------------- memory


def cache_read(stage: Stage, v: Values) -> Refusal | None:
    if stage.is_inlined:
        return Refusal(
            f"{stage.name} is computed inline and has no memory to copy", "call compute_root first"
        )
    outputs = stage.op.outputs
    if not 0 <= v["output"] < len(outputs):
        return Refusal(
            f"it has {len(outputs)} outputs, and none of number {v['output']}",
            f"output is from 0 to {len(outputs) - 1}",
        )
    if not v["readers"]:
        return Refusal("no readers are given", _consumers(stage))
    for reader in v["readers"]:
        if stage not in reader.reads():
            return Refusal(f"{reader.name} does not read {stage.name}", _consumers(stage))
    return None


def cache_write(stage: Stage, v: Values) -> Refusal | None:
    if not isinstance(stage.op, ComputeOp):
        return Refusal(f"{stage.name} is not a compute, so there is no expression to compute elsewhere")
    if stage.is_inlined:
        return Refusal(f"{stage.name} is computed inline and has no memory", "call compute_root first")
    if stage.is_double:
        return Refusal("it is double buffered", "call cache_write before double_buffer")
    if (
        stage.relations
        or stage.annotations
        or stage.prefetches
        or stage.pragmas
        or any(attached_at(stage, iv) for iv in stage.leaf_iter_vars)
    ):
        return Refusal(
            "its loops are scheduled already", "call cache_write before the other primitives on this stage"
        )
    if not stage.leaf_iter_vars.same_as([*stage.op.axis, *stage.op.reduce_axis]):
        return Refusal(
            "its loops are reordered already", "call cache_write before the other primitives on this stage"
        )
    if stage.is_nontemporal:
        return Refusal("its stores are non-temporal already", "call cache_write before nontemporal")
    return None


def set_scope(stage: Stage, v: Values) -> Refusal | None:
    away = v["scope"] != "global"
    return _computes(stage, "set the scope of") or (
        not_nontemporal(stage, f"keep it in {v['scope']} memory") if away else None
    )
