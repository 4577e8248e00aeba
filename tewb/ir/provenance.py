"""Provenance of loops that lowering removes: the statements inside of them remember it."""

from __future__ import annotations

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
            origins[key] = _remembers(*key, loop)
        return replace(rebuilt, origin=origins[key])

    rewritten: Stmt = rewrite(body)
    return rewritten


def _remembers(own: Origin | None, is_loop: bool, loop: Origin) -> Origin:
    """`own`, the origin of a loop or of another statement, with `loop` among what shaped it."""
    gone = (loop.stage, loop.axis)
    if own is None:
        return Origin(loop.stage, None if is_loop else loop.axis, loop.step, loop.span, loop.steps, (gone,))
    # A statement that no step made is shown as made by the step of its loop; a loop keeps its own.
    taken = own if is_loop or own.step is not None else loop
    steps = tuple(sorted({*own.steps, *loop.steps}))
    return Origin(own.stage, taken.axis, taken.step, own.span or loop.span, steps, (*own.gone, gone))
