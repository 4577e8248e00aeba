"""Ranges whose ends are elements: their number of iterations must fit its dtype."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import reduce

from tewb.base import INT64, DType
from tewb.ir import Expr, Var, const, const_int, ops
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.wide_indices import checked_end

Ranges = dict[Var, tuple[int | None, int | None]]


def check_count(
    translation: Translation, node: ast.For, ends: Sequence[Expr], ranges_of: Callable[[Expr], Ranges]
) -> None:
    """Check, when the function runs, that neither the ends of a range that is read from elements nor their
    difference passes its dtype."""
    d = reduce(ops.common_dtype, [e.dtype for e in ends])
    wide = [checked_end(e, ranges_of(e)) for e in ends]
    tests = [_fits(w, d, 0) for w, e in zip(wide, ends, strict=True) if w is not e]
    first = const_int(ends[0])
    if len(ends) > 1 and (first is None or first < 0) and d.kind == "int" and d.bits < 64:
        step = abs(const_int(ends[2]) or 1) if len(ends) == 3 else 1
        tests.append(_fits(ops.sub(ops.cast(wide[1], INT64), ops.cast(wide[0], INT64)), d, step))
    if tests:
        where = f"{ast.unparse(node.iter)} ({translation.span(node)})"
        text = f"{translation.name}: {where} has more iterations than {d} counts"
        translation.check(ops.all_of(*tests), text)


def _fits(e: Expr, d: DType, margin: int) -> Expr:
    """Whether `e` fits `d`, with `margin` at both ends."""
    return ops.logical_and(
        ops.greater_equal(e, const(d.min_value() + margin, e.dtype)),
        ops.less_equal(e, const(d.max_value() - margin, e.dtype)),
    )
