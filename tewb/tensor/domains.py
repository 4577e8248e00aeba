"""Domains of reduce axes that depend on other axes or on elements of tensors: rows of a sparse matrix, triangles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tewb.arith import Analyzer
from tewb.ir import Expr, IterVar, Max, ProducerLoad, Range, Var, const_int, ops, walk

Domains = Mapping[IterVar, Range]


def dependent_domains(axis: Sequence[IterVar], reduce_axis: Sequence[IterVar]) -> dict[IterVar, Range]:
    """The ranges that depend on other axes or on elements, with extents that are never negative."""
    variables = {iv.var for iv in (*axis, *reduce_axis)}
    found = {}
    for iv in reduce_axis:
        if iv.dom is not None and any(_varies(e, variables) for e in (iv.dom.min, iv.dom.extent)):
            found[iv] = iv.dom
    return _not_negative(found, axis, inner_last(reduce_axis, found)) if found else found


def _varies(e: Expr, variables: set[Var]) -> bool:
    return any(isinstance(n, ProducerLoad) or (isinstance(n, Var) and n in variables) for n in walk(e))


def _not_negative(found: Domains, axis: Sequence[IterVar], inner: Sequence[IterVar]) -> dict[IterVar, Range]:
    """Ranges that end before they begin have no iterations: an extent is 0 then."""
    made, analyzer = {}, Analyzer()
    for iv in (*axis, *inner):
        r = iv.dom
        if r is None:
            continue
        if iv in found:
            extent = analyzer.simplify(r.extent)
            if not analyzer.can_prove(ops.greater_equal(extent, 0)):
                extent = ops.maximum(extent, 0)
            r = made[iv] = Range(r.min, extent)
        analyzer.bind_extent(iv.var, r.min, r.extent)
    return made


def last_value(domain: Range) -> Expr:
    """The last value of a range that has values: where it has none, this is one less than the first, or even less."""
    extent = domain.extent
    if isinstance(extent, Max) and const_int(extent.b) == 0:
        extent = extent.a
    return Analyzer().simplify(ops.sub(ops.add(domain.min, extent), 1))


def depends_on(iv: IterVar, domains: Domains, others: Sequence[IterVar]) -> list[IterVar]:
    """The axes among `others` that the range of `iv` depends on."""
    r = domains.get(iv)
    if r is None:
        return []
    used = {n for e in (r.min, r.extent) for n in walk(e) if isinstance(n, Var)}
    return [a for a in others if a.var in used]


def inner_last(axes: Sequence[IterVar], domains: Domains) -> tuple[IterVar, ...]:
    """`axes` in an order in which each comes after those that its range depends on."""
    ordered: dict[IterVar, None] = {}

    def visit(iv: IterVar) -> None:
        if iv not in ordered:
            for a in depends_on(iv, domains, axes):
                visit(a)
            ordered[iv] = None

    for iv in axes:
        visit(iv)
    return tuple(ordered)
