"""Which dimensions of a hybrid function's outputs can be computed in part."""

from __future__ import annotations

from collections.abc import Sequence

from tewb.ir import (
    Allocate,
    AxisKind,
    Buffer,
    BufferLoad,
    BufferStore,
    Expr,
    For,
    IterVar,
    Stmt,
    is_same_expression,
    walk,
    walk_statements,
)


def cut_axes(body: Stmt, outputs: Sequence[Buffer], axes: Sequence[IterVar]) -> tuple[IterVar | None, ...]:
    """For each dimension of the outputs, the loop that computes one index of it in each iteration; None where
    no loop does, so that the dimension is computed as a whole.

        for i in n:
            for j in m:  c[i, j] = ...     ->     (i, j)
        for i in n:
            for j in m:  c[i, j // 2] = ...     ->     (i, None)

    All accesses to outputs have the loop's variable as that index, and the loop has independent iterations,
    as many as the dimension is long, and writes to nothing else: without the iterations that are not needed,
    the others compute what they computed before.
    """
    ranks = {len(b.shape) for b in outputs}
    if len(ranks) != 1:
        return ()
    accesses = [n for n in walk(body) if isinstance(n, BufferLoad | BufferStore) and n.buffer in set(outputs)]
    cut: list[IterVar | None] = []
    for d in range(ranks.pop()):
        indices = {id(n.indices[d]): n.indices[d] for n in accesses}
        index = next(iter(indices.values())) if len(indices) == 1 else None
        taken = {iv.var for iv in cut if iv is not None}
        iv = next((iv for iv in axes if iv.var is index and iv.var not in taken), None)
        sizes = [b.shape[d] for b in outputs]
        cut.append(iv if iv is not None and _may_shrink(body, iv, sizes, outputs) else None)
    return tuple(cut)


def _may_shrink(body: Stmt, iv: IterVar, sizes: Sequence[Expr], outputs: Sequence[Buffer]) -> bool:
    loop = next(n for n in walk_statements(body) if isinstance(n, For) and n.var is iv.var)
    if iv.kind is not AxisKind.DATA or not all(is_same_expression(n, loop.extent) for n in sizes):
        return False
    own: set[Buffer] = {*outputs, *(n.buffer for n in walk_statements(loop.body) if isinstance(n, Allocate))}
    return not any(isinstance(n, BufferStore) and n.buffer not in own for n in walk_statements(loop.body))
