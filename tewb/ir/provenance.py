"""Provenance of loops that lowering removes: the statements inside of them remember it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tewb.ir.node import replace
from tewb.ir.origin import Origin
from tewb.ir.statements import For, Stmt


def without_loop(body: Stmt, loop: Origin | None) -> Stmt:
    """`body`, whose statements remember `loop`: the loop that was around them and is removed.

    Loops that no step of the journal shaped are forgotten.
    """
    if loop is None or not loop.steps:
        return body
    origins: dict[tuple[Origin | None, bool], Origin] = {}

    def rewrite(n: Any) -> Any:
        if not isinstance(n, Stmt):
            return n
        rebuilt = n.map_children(rewrite)
        if "origin" not in rebuilt.field_names:
            return rebuilt
        key = (rebuilt.origin, isinstance(rebuilt, For))  # type: ignore[attr-defined]
        if key not in origins:
            origins[key] = remembering(*key, (loop,))
        return replace(rebuilt, origin=origins[key])

    rewritten: Stmt = rewrite(body)
    return rewritten


def remembering(own: Origin | None, is_loop: bool, loops: Sequence[Origin]) -> Origin:
    """`own`, the origin of a loop or of another statement, with `loops` among what shaped it: those that were around
    it and are removed, outermost first. Each remembers those around it already."""
    gone = tuple([(loop.stage, loop.axis) for loop in loops])
    if own is None:
        first = loops[0]
        own = Origin(first.stage, None if is_loop else first.axis, first.step, first.span, first.steps)
    # A statement that no step made is shown as made by the step of its loop; a loop keeps its own.
    taken = own
    if not is_loop and own.step is None:
        taken = next((loop for loop in loops if loop.step is not None), loops[-1])
    span = own.span or next((loop.span for loop in loops if loop.span), None)
    steps = tuple(sorted({*own.steps, *loops[-1].steps}))
    return Origin(own.stage, taken.axis, taken.step, span, steps, (*own.gone, *gone))
