"""The combination of two values, or of two tuples of values, by a reducer."""

from __future__ import annotations

from collections.abc import Sequence

from tewb.ir import CommReducer, Expr, substitute


def combined(combiner: CommReducer, old: Sequence[Expr], new: Sequence[Expr]) -> list[Expr]:
    """The combination of `old` and `new`, with one value for each result of the reducer."""
    values = dict(zip((*combiner.lhs, *combiner.rhs), (*old, *new), strict=True))
    return [substitute(e, values) for e in combiner.result]
