"""rolling_buffer: what the iteration before has computed is kept, and only the rest is computed."""

from __future__ import annotations

from tewb.ir import ForKind
from tewb.schedule.declare import Refusal, Results, Values, primitive
from tewb.schedule.questions import attached_at, for_now
from tewb.schedule.shared_loops import run_by
from tewb.schedule.stage import At, Mark, Stage
from tewb.tensor import ComputeOp, PlaceholderOp


@primitive()
def rolling_buffer(stage: Stage) -> None:
    """Keep what the iteration before of the loop around has computed of this stage, and compute the rest: no element
    twice as a window slides along. The memory is as large as one window, and goes round.

        for i in n:                              B = allocate((3,))
            B = allocate((3,))                   for i in n:
            for r in 3: B[r] = f(i + r)   ->         for r in 3: if i == 0 or r == 2: B[(i + r) % 3] = f(i + r)
            C[i] = B[0] + B[1] + B[2]                C[i] = B[i % 3] + B[(i + 1) % 3] + B[(i + 2) % 3]

    The stage is computed at that loop, whose iterations run in order. Refused when it is lowered where its window does
    not slide forwards.
    """
    stage.do("rolling_buffer")


@rolling_buffer.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
    if not isinstance(stage.op, ComputeOp):
        kind = "an input" if isinstance(stage.op, PlaceholderOp) else "not a compute"
        return Refusal(f"{stage.name} is {kind}", f"keep a copy: s.cache_read({stage.name}, ...)")
    if stage.is_output:
        return Refusal(f"{stage.name} is an output: all of it is kept", "keep what it reads")
    if stage.is_rolling:
        return Refusal("it is a rolling buffer already", "once is enough", later=True, in_doubt=False)
    return for_now(_in_order(stage))


@rolling_buffer.invariant
def _in_order(stage: Stage) -> Refusal | None:
    """Why an iteration cannot go on with what the one before has left."""
    if not isinstance(stage.attach, At) or stage.is_after:
        return Refusal(
            f"{stage.name} is a rolling buffer along a loop, and so must be computed at one",
            f"s[{stage.name}].compute_at(...)",
        )
    if stage.stored:
        return Refusal(f"store_at says where {stage.name} is kept", "choose one of the two")
    parent, axis = stage.attach.stage, stage.attach.axis
    name = f"loop {parent.axis_name(axis)} of {parent.name}"
    host, loop = run_by(parent, axis)
    if host.loop_kind(loop) is ForKind.PARALLEL:
        return Refusal(
            f"{name} is parallel: there is no iteration before on the same thread",
            f"compute {stage.name} at a loop that is not parallel, or leave out rolling_buffer",
        )
    other = next((s for s in (parent, *stage.readers()) if not isinstance(s.op, ComputeOp)), None)
    if other is not None:
        return Refusal(
            f"{other.name} is not a compute, and its code does not know that {stage.name} goes round",
            f"leave out rolling_buffer: all of {stage.name} is kept then",
        )
    double = next((s for s in attached_at(parent, axis) if s.is_double), None)
    if double is not None:
        return Refusal(f"{double.name} is double buffered at {name}", "choose one of the two")
    return None


@rolling_buffer.effect
def _effect(stage: Stage, v: Values, step: int) -> Results:
    stage.unmark("rolling_buffer")
    stage.mark("rolling_buffer")
    stage.place(step)
    return []


@rolling_buffer.stage_property
def is_rolling(stage: Stage) -> bool:
    """Whether it keeps what the iteration before has computed."""
    return bool(stage.marks_of("rolling_buffer"))


@rolling_buffer.mark_text
def _text(stage: Stage, mark: Mark) -> str:
    return "rolling buffer"
