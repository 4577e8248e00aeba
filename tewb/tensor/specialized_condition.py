"""Conditions under which a program is written for a special case."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tewb.base import DTypeError, here
from tewb.ir import Expr, convert

_current: list[SpecializedCondition] = []


class SpecializedCondition:
    """Says, in a `with` block, that what is made there is for the case that all of `conditions` hold: n == 4, m % 8 == 0.

    Programs ask for it by `SpecializedCondition.current()`, and choose. Kernels are right in all cases: nothing is
    concluded from it. Raises DTypeError for what is no condition.
    """

    def __init__(self, conditions: Any) -> None:
        several = isinstance(conditions, Iterable) and not isinstance(conditions, Expr)
        self.clauses: tuple[Expr, ...] = tuple(convert(c) for c in (conditions if several else (conditions,)))
        for c in self.clauses:
            if not c.dtype.is_bool:
                raise DTypeError(
                    f"SpecializedCondition takes conditions, not {c!r} of dtype {c.dtype}",
                    hint="te.SpecializedCondition(n == 4)",
                    span=here(),
                )

    @staticmethod
    def current() -> SpecializedCondition | None:
        """That of the innermost block around, or None."""
        return _current[-1] if _current else None

    def __enter__(self) -> SpecializedCondition:
        _current.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _current.pop()

    def __repr__(self) -> str:
        return f"SpecializedCondition({', '.join(map(str, self.clauses))})"
