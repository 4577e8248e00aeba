"""What a compute gives to the derivative by one of its inputs: a term for each element that it reads there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tewb.arith import Key, Keys
from tewb.base import DType
from tewb.ir import (
    Expr,
    IterVar,
    ProducerLoad,
    Reduce,
    Var,
    is_const,
    ops,
    substitute,
    walk,
)
from tewb.tensor.compute import ComputeOp
from tewb.tensor.gradient.equations import Unknown
from tewb.tensor.gradient.partials import Share, partials, product, total
from tewb.tensor.gradient.reducers import combined
from tewb.tensor.gradient.terms import Term
from tewb.tensor.tensor import Tensor

# The parts of the derivative of the output by an element: a function of the indices of both.
Derivative = Callable[[Sequence[Expr], Sequence[Expr]], list[Share]]


@dataclass(frozen=True, slots=True, eq=False)
class Root:
    """An expression that counts in an output by `share`, for all values of `axes`."""

    value: Expr
    share: Share
    axes: tuple[IterVar, ...]


def roots(op: ComputeOp, index: int) -> list[Root]:
    """What output `index` of a compute is made of: its body, or what its reduction combines and starts from."""
    body = op.body[index]
    if not isinstance(body, Reduce):
        return [Root(body, Share(), op.axis)]
    i, k = [iv.var for iv in op.axis], [iv.var for iv in op.reduce_axis]
    where = () if is_const(body.condition, 1) else (body.condition,)
    made = []
    for c in combined(op, index):
        share = c.share(i, k)
        if c.is_start:
            made.append(Root(body.init[c.component], share, op.axis))
        else:
            within = Share((*where, *share.conditions), share.factor)
            made.append(Root(body.source[c.component], within, (*op.axis, *op.reduce_axis)))
    return made


@dataclass(frozen=True, slots=True, eq=False)
class Reads:
    """The elements of `read` from which output `index` of `op` is computed; `derivative` is that by the output, of
    `dtype`."""

    op: ComputeOp
    read: Tensor
    roots: list[Root]
    derivative: Derivative
    dtype: DType

    def terms(self, prefix: Sequence[Expr]) -> list[Term]:
        """A term for each index, with variables of its own."""
        return [
            _renamed(self._term(root, load, own, part))
            for root in self.roots
            for load, own in self._loads(root)
            for part in self.derivative(prefix, [iv.var for iv in self.op.axis])
        ]

    def index_names(self) -> list[str] | None:
        """Names for the dimensions of `read`: those of the axes that are its indices, if all are that."""
        for root in self.roots:
            for load, _ in self._loads(root):
                if all(isinstance(i, Var) for i in load.indices):
                    return [i.name for i in load.indices if isinstance(i, Var)]
        return None

    def _loads(self, root: Root) -> list[tuple[ProducerLoad, Share]]:
        """The elements that are read, each index once for each part of the axes that conditions choose, with their
        shares."""
        found = partials(
            root.value, lambda n: isinstance(n, ProducerLoad) and n.producer is self.read, root.share
        )
        keys = Keys()
        groups: dict[tuple[Key, ...], tuple[ProducerLoad, list[Share]]] = {}
        for load, share in found:
            assert isinstance(load, ProducerLoad)
            key = tuple(map(keys, (*load.indices, *_of_indices(share))))
            groups.setdefault(key, (load, []))[1].append(share)
        return [(load, total(shares, root.value.dtype)) for load, shares in groups.values()]

    def _term(self, root: Root, load: ProducerLoad, own: Share, part: Share) -> Term:
        unknowns = tuple(self._unknown(iv) for iv in root.axes)
        factor = Share((), product(part.factor, own.factor)).value(self.dtype)
        return Term(unknowns, load.indices, (*own.conditions, *part.conditions), ops.cast(factor, self.dtype))

    def _unknown(self, iv: IterVar) -> Unknown:
        dom = self.op.domain(iv)
        assert dom is not None
        return Unknown(iv.var, dom.min, dom.extent, iv in self.op.domains, int(iv in self.op.axis))


def _of_indices(share: Share) -> tuple[Expr, ...]:
    """The conditions that no element decides."""
    return tuple(c for c in share.conditions if not any(isinstance(n, ProducerLoad) for n in walk(c)))


def _renamed(t: Term) -> Term:
    """The term with new variables: each of its loops belongs to one operation."""
    new: dict[Var, Expr] = {}
    unknowns = []
    for u in t.unknowns:
        v = Var(u.var.name, u.var.dtype)
        extent = None if u.extent is None else substitute(u.extent, new)
        unknowns.append(Unknown(v, substitute(u.low, new), extent, u.fixed, u.rank))
        new[u.var] = v
    return Term(
        tuple(unknowns),
        tuple(substitute(e, new) for e in t.index),
        tuple(substitute(e, new) for e in t.conditions),
        substitute(t.value, new),
    )
