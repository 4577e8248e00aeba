"""Specialisation: a body for rows whose elements lie side by side, and one for any strides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from tewb.ir import (
    EQ,
    Allocate,
    And,
    Buffer,
    BufferLoad,
    BufferStore,
    Expr,
    For,
    ForKind,
    IfThenElse,
    IntImm,
    Node,
    PrimFunc,
    Seq,
    Stmt,
    Var,
    const,
    const_int,
    everywhere,
    ops,
    replace,
    rewriter,
    seq,
    substituter,
    uses,
    walk,
)

LONG = 64  # nodes of a statement, with its unrolled loops written out, that is not to be there twice
RUNS = 1024  # nodes that it goes through in a run, at least


def specialise_strides(f: PrimFunc) -> PrimFunc:
    """Write the body twice when parameters have symbolic innermost strides: for strides of 1, and for any.

        for i in n: B[i*t] = A[i*s]    ->    if s == 1 and t == 1:
                                                 for i in n: B[i] = A[i]
                                             else:
                                                 for i in n: B[i*t] = A[i*s]

    Neighbours become vector loads and stores then. One condition covers all such strides, so that the code
    is twice as long at most. Long statements that use none of them, such as the updates of a tile of registers between
    panels that were packed, stand there once, with a choice before and after them. Functions without such strides, or
    whose accesses are all made elsewhere (by packed functions), come back unchanged.
    """
    units = unit_strides(f)
    return f.with_body(_Choices(units).chosen(f.body)) if units else f


class _Choices:
    """Writes statements for `units` that are all 1, and for any."""

    def __init__(self, units: Sequence[Var]) -> None:
        self.units = units
        self.with_ones: Callable[[Stmt], Stmt] = substituter({v: const(1, v.dtype) for v in units})
        self.is_free = everywhere(lambda n: not _names(n, {*units}))

    def chosen(self, s: Stmt) -> Stmt:
        """`s` with choices between strides of 1 and others, around as much of it as is to be there twice."""
        if self.is_free(s) or not self.has_common_part(s):
            return s if self.is_free(s) else self.choice(s)
        match s:
            case Seq(stmts):
                return seq(*self.in_turn(stmts))
            case IfThenElse(_, then):
                return replace(s, then=self.chosen(then))
        return replace(s, body=self.chosen(s.body))  # type: ignore[attr-defined]

    def in_turn(self, stmts: Sequence[Stmt]) -> Iterator[Stmt]:
        """The statements of a sequence. Neighbours that are to be there twice are so together."""
        for has_own, group in groupby(
            stmts, lambda s: _is_long(s) if self.is_free(s) else self.has_common_part(s)
        ):
            if has_own:
                yield from map(self.chosen, group)
            else:
                yield self.chosen(seq(*group))

    def choice(self, s: Stmt) -> Stmt:
        first, other = (_decided(s, self.units, holds) for holds in (True, False))
        return IfThenElse(all_one(self.units), self.with_ones(first), other)

    def has_common_part(self, s: Stmt) -> bool:
        """Whether a part of a statement that depends on the strides does not, and is long."""
        if self.is_free(s):
            return _is_long(s)
        match s:
            case Seq(stmts):
                return any(map(self.has_common_part, stmts))
            case For(_, low, extent, ForKind.SERIAL | ForKind.PARALLEL, body):
                return self.is_free(low) and self.is_free(extent) and self.has_common_part(body)
            case Allocate(buffer, body):
                return not _of_buffer(buffer, {*self.units}) and self.has_common_part(body)
            case IfThenElse(cond, then, None):
                return self.is_free(cond) and self.has_common_part(then)
        return False


def _names(n: Node, variables: set[Var]) -> bool:
    """Whether a node is one of `variables`, or accesses memory that is laid out by them."""
    buffer = getattr(n, "buffer", None)
    return n in variables if isinstance(n, Var) else buffer is not None and _of_buffer(buffer, variables)


def _of_buffer(b: Buffer, variables: set[Var]) -> bool:
    return any(uses(e, variables) for e in (*b.shape, *b.strides, b.elem_offset))


def _is_long(s: Stmt) -> bool:
    """Whether a statement has so much code, and runs so long, that it is to be there once and a choice costs nothing beside
    it."""
    return _length(s, _copies) >= LONG and _length(s, _iterations) >= RUNS


def _copies(n: For) -> int:
    """How often the body of a loop is written out."""
    return const_int(n.extent) or 1 if n.kind is ForKind.UNROLLED else 1


def _iterations(n: For) -> int:
    """How often it runs; of a size that is not known, some."""
    return 1 if n.kind is ForKind.VECTORIZED else const_int(n.extent) or 16


def _length(s: Stmt, times: Callable[[For], int]) -> int:
    """The nodes of the values that a statement stores, with those in loops so many times."""
    if isinstance(s, BufferStore):
        return sum(1 for _ in walk(s))
    inside = sum([_length(c, times) for c in s.children() if isinstance(c, Stmt)])
    return inside * times(s) if isinstance(s, For) else inside


def _decided(body: Stmt, units: Sequence[Var], holds: bool) -> Stmt:
    """`body` where it is known whether all of `units` are 1. That all of some are, nests ask by themselves
    (`order_loops`)."""

    def choice(n: IfThenElse) -> Stmt:
        asked = _asked(n.cond)
        if asked and asked <= {*units} and n.other is not None:
            if holds:
                return rewrite(n.then)
            if asked == {*units}:
                return rewrite(n.other)
        return n.map_children(rewrite)

    rewrite: Callable[[Stmt], Stmt] = rewriter({IfThenElse: choice})
    return rewrite(body)


def _asked(cond: Expr) -> set[Var]:
    """The variables of which a condition says that all are 1; none if it says something else."""
    match cond:
        case And(a, b):
            x, y = _asked(a), _asked(b)
            return x | y if x and y else set()
        case EQ(Var() as v, IntImm(1)):
            return {v}
    return set()


def all_one(strides: Sequence[Var]) -> Expr:
    """Whether all strides are 1."""
    return ops.all_of(*[ops.equal(v, 1) for v in strides])


def unit_strides(f: PrimFunc) -> list[Var]:
    """The innermost strides of parameters that are variables, no sizes, and used by an access. Where neighbours lie along
    another dimension already, they do not lie along the last one."""
    params = [p for p in f.params if isinstance(p, Buffer)]
    sizes = {e for p in params for e in p.shape}
    candidates = {
        v: None
        for p in params
        if p.strides and isinstance(v := p.strides[-1], Var) and v not in sizes
        if not any(const_int(s) == 1 for s in p.strides)
    }
    if not candidates:
        return []
    used = {e for n in walk(f.body) if isinstance(n, BufferLoad | BufferStore) for e in n.buffer.strides[-1:]}
    return [v for v in candidates if v in used]
