"""double_buffer: the part that the next iteration needs, computed in this one."""

from __future__ import annotations

from tewb.ir import ForKind
from tewb.schedule.declare import Refusal, Results, Values, primitive
from tewb.schedule.primitives.store_at import not_kept_around
from tewb.schedule.questions import attached_at, for_now, inside
from tewb.schedule.scans import shares_memory
from tewb.schedule.stage import At, Mark, Stage
from tewb.tensor import ComputeOp, PlaceholderOp


@primitive()
def double_buffer(stage: Stage) -> None:
    """Compute the part that the next iteration of the loop around needs in this one, in memory for two parts.

        for k in n:                      B[0] = f(0)
            B = f(k)              ->     for k in n:
            use B                            if k + 1 < n: B[(k + 1) % 2] = f(k + 1)
                                             use B[k % 2]

    The stage is computed at that loop: call compute_at first.
    """
    stage.do("double_buffer")


@double_buffer.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
    if stage.is_double:
        return Refusal("it is double buffered already", "once is enough", later=True, in_doubt=False)
    if not isinstance(stage.op, ComputeOp):
        kind = "an input" if isinstance(stage.op, PlaceholderOp) else "not a compute"
        return Refusal(f"{stage.name} is {kind}", f"double buffer a copy: s.cache_read({stage.name}, ...)")
    return shares_memory(stage, "double buffer") or for_now(_next_part(stage))


@double_buffer.invariant
def _next_part(stage: Stage) -> Refusal | None:
    """Why the part of a stage that the next iteration needs cannot be made in this one."""
    if not isinstance(stage.attach, At) or stage.is_after:
        return Refusal(
            f"{stage.name} is double buffered at a loop, and so must be computed at one",
            f"s[{stage.name}].compute_at(...) first",
        )
    parent, axis = stage.attach.stage, stage.attach.axis
    name = f"loop {parent.axis_name(axis)} of {parent.name}"
    if not isinstance(parent.op, ComputeOp):
        return Refusal(
            f"{parent.name} is not a compute, and its code knows one part of {stage.name}",
            "leave out double_buffer",
        )
    if parent.loop_kind(axis) is ForKind.PARALLEL:
        return Refusal(
            f"{name} is parallel: there is no next iteration on the same thread",
            f"compute {stage.name} at a loop that is not parallel, or leave out double_buffer",
        )
    if stage.stored:
        return Refusal(f"store_at says where {stage.name} is kept", "choose one of the two")
    kept = not_kept_around(parent, axis)
    if kept is not None:
        return kept
    rolling = next((s for s in attached_at(parent, axis) if s.is_rolling), None)
    if rolling is not None:
        return Refusal(f"{rolling.name} is a rolling buffer along {name}", "choose one of the two")
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
        return Refusal(
            f"{other.name} is not a compute, and its code knows one part of {stage.name}",
            "leave out double_buffer",
        )
    return None


@double_buffer.effect
def _effect(stage: Stage, v: Values, step: int) -> Results:
    stage.unmark("double_buffer")
    stage.mark("double_buffer")
    stage.place(step)
    return []


@double_buffer.stage_property
def is_double(stage: Stage) -> bool:
    """Whether it is computed one iteration ahead, in memory for two parts."""
    return bool(stage.marks_of("double_buffer"))


@double_buffer.mark_text
def _text(stage: Stage, mark: Mark) -> str:
    return "double buffered"
