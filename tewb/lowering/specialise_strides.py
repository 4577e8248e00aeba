"""Specialisation: a body for rows whose elements lie side by side, and one for any strides."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tewb.ir import (
    EQ,
    And,
    Buffer,
    BufferLoad,
    BufferStore,
    Expr,
    IfThenElse,
    IntImm,
    PrimFunc,
    Stmt,
    Var,
    const,
    const_int,
    ops,
    rewriter,
    substitute,
    walk,
)


def specialise_strides(f: PrimFunc) -> PrimFunc:
    """Write the body twice when parameters have symbolic innermost strides: for strides of 1, and for any.

        for i in n: B[i*t] = A[i*s]    ->    if s == 1 and t == 1:
                                                 for i in n: B[i] = A[i]
                                             else:
                                                 for i in n: B[i*t] = A[i*s]

    Neighbours become vector loads and stores then. One condition covers all such strides, so that the code
    is twice as long at most. Functions without them, or whose accesses are all made elsewhere (by packed
    functions), come back unchanged.
    """
    units = unit_strides(f)
    if not units:
        return f
    ones: dict[Var, Expr] = {v: const(1, v.dtype) for v in units}
    cond = all_one(units)
    first, other = (_decided(f.body, units, holds) for holds in (True, False))
    return f.with_body(IfThenElse(cond, substitute(first, ones), other))


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
