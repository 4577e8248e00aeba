"""The windows of stages that are kept around the loops in which they are computed, and what cannot be kept so."""

from __future__ import annotations

from tewb.base import LowerError
from tewb.ir import Var, const_int, uses
from tewb.schedule import Stage, Window, loop_name, runs_in_order, window_of
from tewb.schedule.bounds import Bounds


def checked_window(stage: Stage, bounds: Bounds, is_argument: bool) -> Window | None:
    """The window of `stage`; None where its memory is at its own place. Raises LowerError where threads run the loops that
    it is kept around, and for memory that is the caller's."""
    between = bounds.between(stage)
    if not between:
        return None
    word = "rolling_buffer" if stage.is_rolling else "store_at"
    if is_argument:
        raise _refused(
            word,
            stage,
            "it is an argument, so all of it is kept",
            f"take {stage.name} off the arguments",
        )
    for parent, iv in between:
        if not runs_in_order(parent, iv):
            name = parent.axis_name(iv)
            raise _refused(
                word,
                stage,
                f"the threads that run loop {name} of stage {parent.name} do not run one after the other",
                f"s[{stage.name}].{word if word == 'store_at' else 'compute_at'}(s[{parent.name}], ...) "
                + ("inside of that loop" if word == "store_at" else "at a loop that is not bound"),
            )
    window = window_of(stage, bounds)
    if stage.is_rolling and window is not None:
        ((parent, iv),) = between
        _check_rolling(stage, window, loop_name(parent, iv), bounds.stages[parent].vars[iv])
    return window


def _check_rolling(stage: Stage, window: Window, loop: str, v: Var) -> None:
    """Raise LowerError for a rolling buffer whose memory would not go round, or that would be computed whole each time."""
    if any(s.marks_of("tensorize") for s in (stage, *stage.readers())):
        return  # refused by the intrinsic, which is told what it reads and writes
    if not window.box:
        hint = "compute it further out"
        raise _refused("rolling_buffer", stage, f"{stage.name} is one element, and no part of it", hint)
    why = None if window.is_apart else window.whole.get(loop)
    if any(uses(r.extent, [v]) for r in window.box):
        why = f"how much of {stage.name} an iteration of {loop} needs differs from one to the next"
    elif not window.is_apart and any(const_int(r.extent) is None for r in window.box if uses(r.min, [v])):
        why = f"how much of {stage.name} an iteration of {loop} needs is not a constant"
    if why is not None:
        raise _refused("rolling_buffer", stage, why, "compute it without rolling_buffer")


def _refused(word: str, stage: Stage, why: str, hint: str) -> LowerError:
    return LowerError(
        f"{word} on stage {stage.name}: {why}", loops=stage.loops(), hint=hint, span=stage.origin().span
    )
