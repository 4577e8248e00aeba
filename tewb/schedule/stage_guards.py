"""The conditions under which an iteration of the loops of a compute makes an element of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tewb.arith import Analyzer
from tewb.ir import AxisKind, Expr, IterVar, Range, const_int, ops
from tewb.schedule.ranges_with_gaps import element_at
from tewb.schedule.relation import Extents, Relation, index_up, needed_guards
from tewb.schedule.rounded_tails import rounded_axes

Guards = list[tuple[IterVar, Expr]]


def values_and_guards(
    ranges: Mapping[IterVar, Range],
    extents: Extents,
    relations: Sequence[Relation],
    variables: Mapping[IterVar, Expr],
    analyzer: Analyzer,
) -> tuple[dict[IterVar, Expr], Guards]:
    """The value of every axis, from those of the loops that `relations` lead to, and the guards that keep superfluous
    iterations from running, each with its axis: where splits do not divide, and where a range passes the tensor's edge. Axes
    whose parts run past the end have none."""
    values: dict[IterVar, Expr] = dict(variables)
    guards = needed_guards(relations, index_up(relations, values, extents, analyzer))
    rounded = rounded_axes(relations)
    for iv, r in ranges.items():
        values[iv] = element_at(r, values[iv])
        if iv in rounded:
            continue
        guards += [(iv, g) for g in past_edges(iv, r, values[iv])]
    return values, guards


def past_edges(iv: IterVar, r: Range, value: Expr) -> list[Expr]:
    """Where the box of an axis may pass the edge of the tensor: guards against both ends."""
    dom = iv.dom
    if (
        dom is None
        or r is dom
        or iv.kind is AxisKind.REDUCE
        or (const_int(r.min) == 0 and const_int(r.extent) == const_int(dom.extent) is not None)
    ):
        return []
    return [ops.greater_equal(value, dom.min), ops.less(value, ops.add(dom.min, dom.extent))]


def is_real(iv: IterVar, r: Range, value: Expr) -> list[Expr]:
    """The conditions under which an iteration of an axis, whose parts may run past its end, makes an element of range `r`."""
    return [ops.less(value, ops.add(r.min, r.extent)), *past_edges(iv, r, value)]
