"""Origin: where a node came from. Rewrites carry it along."""

from __future__ import annotations

from dataclasses import dataclass

from tewb.base import Span


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a visible node came from: stage, axis, journal step (counted from 0), the user's line.

    `step` is the one that made it; `steps` are all that shaped it. `gone` are the (stage, axis) of the loops around
    it that lowering has removed: unrolled, vectorized, or of one iteration.
    """

    stage: str | None = None
    axis: str | None = None
    step: int | None = None
    span: Span | None = None
    steps: tuple[int, ...] = ()
    gone: tuple[tuple[str | None, str | None], ...] = ()
