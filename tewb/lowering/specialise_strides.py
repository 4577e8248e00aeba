"""Specialisation: a body for rows whose elements lie side by side, and one for any strides."""

from __future__ import annotations

from tewb.ir import (
    Buffer,
    BufferLoad,
    BufferStore,
    Expr,
    IfThenElse,
    PrimFunc,
    Var,
    const,
    ops,
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
    units = _unit_strides(f)
    if not units:
        return f
    ones: dict[Var, Expr] = {v: const(1, v.dtype) for v in units}
    cond = ops.all_of(*[ops.equal(v, 1) for v in units])
    body = IfThenElse(cond, substitute(f.body, ones), f.body)
    return f.with_body(body)


def _unit_strides(f: PrimFunc) -> list[Var]:
    """The innermost strides of parameters that are variables, no sizes, and used by an access."""
    params = [p for p in f.params if isinstance(p, Buffer)]
    sizes = {e for p in params for e in p.shape}
    candidates = {
        v: None for p in params if p.strides and isinstance(v := p.strides[-1], Var) and v not in sizes
    }
    if not candidates:
        return []
    used = {e for n in walk(f.body) if isinstance(n, BufferLoad | BufferStore) for e in n.buffer.strides[-1:]}
    return [v for v in candidates if v in used]
