"""Domains of reduce axes that depend on other axes or on elements of tensors: rows of a sparse matrix, triangles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tewb.arith import Analyzer
from tewb.base import INT64
from tewb.ir import Expr, IterVar, ProducerLoad, Range, Var, const_int, ops, walk
from tewb.tensor.wide_indices import wide_ends


@dataclass(frozen=True, slots=True, eq=False)
class Domain:
    """The integers from `begin` up to `end`, without `end`: none where `end` is no more than `begin`. Of a domain
    `in_order` it is known that `end` is never less than `begin`."""

    begin: Expr
    end: Expr
    in_order: bool = False

    @property
    def exprs(self) -> tuple[Expr, Expr]:
        return self.begin, self.end

    @property
    def reads_elements(self) -> bool:
        """Whether its ends are read from elements of tensors."""
        return any(isinstance(n, ProducerLoad) for e in self.exprs for n in walk(e))

    @property
    def range(self) -> Range:
        """The same with an extent, which is never negative. Differences of elements are counted in int64: they pass
        int32."""
        if self.reads_elements:  # ends are compared whatever they are: also a difference of int64 may wrap
            begin, end, first = self.begin, self.end, const_int(self.begin)
            if first is None or first < 0:
                begin, end = ops.cast(begin, INT64), ops.cast(end, INT64)
            return Range(begin, ops.sub(end if self.in_order else ops.maximum(end, begin), begin))
        extent = Analyzer().simplify(ops.sub(self.end, self.begin))
        return Range(self.begin, extent if self.in_order else ops.maximum(extent, 0))

    def map(self, f: Callable[[Expr], Expr]) -> Domain:
        return Domain(f(self.begin), f(self.end), self.in_order)


Domains = Mapping[IterVar, Domain]


def dependent_domains(axis: Sequence[IterVar], reduce_axis: Sequence[IterVar]) -> dict[IterVar, Domain]:
    """The domains of the reduce axes that depend on other axes or on elements."""
    variables = {iv.var for iv in (*axis, *reduce_axis)}
    domains: dict[IterVar, Domain] = {}
    for iv in reduce_axis:
        if iv.dom is not None and any(_varies(e, variables) for e in (iv.dom.min, iv.dom.extent)):
            end = Analyzer().simplify(ops.add(iv.dom.min, iv.dom.extent))
            domains[iv] = Domain(*wide_ends(iv.dom.min, end, (*axis, *reduce_axis)))
    return _outer_first(domains, axis, inner_last(reduce_axis, domains)) if domains else domains


def _varies(e: Expr, variables: set[Var]) -> bool:
    return any(isinstance(n, ProducerLoad) or (isinstance(n, Var) and n in variables) for n in walk(e))


def _outer_first(
    domains: Domains, axis: Sequence[IterVar], inner: Sequence[IterVar]
) -> dict[IterVar, Domain]:
    """The domains, outer ones first, with what is known of the order of their ends."""
    ordered, analyzer = {}, Analyzer()
    for iv in (*axis, *inner):
        r = iv.dom
        if r is None:
            continue
        if iv in domains:
            domain = domains[iv]
            in_order = not domain.reads_elements and analyzer.can_prove(
                ops.less_equal(domain.begin, domain.end)
            )
            ordered[iv] = Domain(domain.begin, domain.end, in_order)
            r = ordered[iv].range
        analyzer.bind_extent(iv.var, r.min, r.extent)
    return ordered


def depends_on(iv: IterVar, domains: Domains, others: Sequence[IterVar]) -> list[IterVar]:
    """The axes among `others` that the range of `iv` depends on."""
    if iv not in domains:
        return []
    used = {n for e in domains[iv].exprs for n in walk(e) if isinstance(n, Var)}
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
