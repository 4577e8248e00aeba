"""Errors for a schedule that cannot be turned into loops: which stage, its loops now, the user's line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tewb.base import LowerError, Span, here
from tewb.schedule import Schedule, Stage, Step, in_recipe


@contextmanager
def explained(schedule: Schedule) -> Iterator[None]:
    """Add to a LowerError what it lacks: the stage and its loops now, and the line of the primitive."""
    try:
        yield
    except LowerError as e:
        stage = _stage_at(schedule, e.span)
        if stage is None:
            loops = "; ".join(f"{s.name}: {s.loops()}" for s in schedule.stages if not s.is_placeholder)
        else:
            loops = stage.loops()
        about = "" if stage is None or stage.name in e.message else f"stage {stage.name}: "
        span, made = e.span or here(), _made_at(schedule, e.span)
        if made is not None:
            about, span = f"{in_recipe(made)}{about}", made.calls[0].span or span
        raise LowerError(
            f"{about}{e.message}", loops=e.loops or loops, hint=e.hint, span=span
        ) from e.__cause__


def _made_at(schedule: Schedule, span: Span | None) -> Step | None:
    """The step that a recipe made on a line, where one call made all that this line did."""
    steps = [step for step in schedule.journal if span is not None and step.span == span]
    calls = {step.calls for step in steps}
    return steps[0] if len(calls) == 1 and steps[0].calls else None


def _stage_at(schedule: Schedule, span: Span | None) -> Stage | None:
    """The stage of the primitives on the user's line; None where that is not exactly one stage."""
    named = {step.stage for step in schedule.journal if span is not None and step.span == span}
    return schedule.find(next(iter(named))) if len(named) == 1 else None
