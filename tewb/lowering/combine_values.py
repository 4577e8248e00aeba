"""The combination of two values, or of two tuples of values, by a reducer, and what a reduction evaluates."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tewb.ir import CommReducer, Expr, Reduce, substitute


def combined(combiner: CommReducer, old: Sequence[Expr], new: Sequence[Expr]) -> list[Expr]:
    """The combination of `old` and `new`, with one value for each result of the reducer."""
    values = dict(zip((*combiner.lhs, *combiner.rhs), (*old, *new), strict=True))
    return [substitute(e, values) for e in combiner.result]


def translated(combiner: CommReducer, translate: Callable[[Expr], Expr]) -> CommReducer:
    """The combination as it is computed where `translate` puts expressions: it may use axes, and elements of tensors."""
    return combiner.map_children(translate)


def started(reduction: Reduce) -> tuple[Expr, ...]:
    """What a reduction starts with."""
    return reduction.init or reduction.combiner.identity


def evaluated(reduction: Reduce) -> tuple[Expr, ...]:
    """What a reduction evaluates to combine a term."""
    return (*reduction.source, reduction.condition, *reduction.combiner.result)
