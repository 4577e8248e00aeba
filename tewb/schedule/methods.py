"""The methods of stages and schedules that are primitives, attached by their declarations in `primitives/`.

Editors and mypy read `methods.pyi` instead, which `python -m tewb.schedule.stub` writes.
"""

from __future__ import annotations


class StagePrimitives:
    """What can be done to a stage: `s[C].split(i, 8)`."""

    __slots__ = ()


class SchedulePrimitives:
    """What can be done to a tensor of a schedule and makes another stage: `s.cache_read(A, "local", [C])`."""

    __slots__ = ()
