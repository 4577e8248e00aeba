"""Whether the iterations of a loop may run in any order, or at once."""

from __future__ import annotations

from tewb.arith import detect_linear
from tewb.arith.intset import Interval, eval_set, interval
from tewb.ir import (
    Allocate,
    Buffer,
    BufferLoad,
    BufferStore,
    Expr,
    For,
    LetStmt,
    Var,
    const_int,
    is_same_expression,
    walk,
    walk_statements,
)


def why_ordered(loop: For) -> str | None:
    """Why the iterations of `loop` must run in order; None when they are independent.

    The test is simple and safe: one index must tell what an iteration writes outside of itself from what every
    other iteration touches. In all accesses it is the same function c*i + r of the loop, where r moves less
    than c.
    """
    own = {n.buffer for n in walk_statements(loop.body) if isinstance(n, Allocate)}
    accesses: dict[Buffer, list[tuple[Expr, ...]]] = {}
    written: dict[Buffer, None] = {}
    for n in walk(loop.body):
        if isinstance(n, BufferLoad | BufferStore) and n.buffer not in own:
            accesses.setdefault(n.buffer, []).append(n.indices)
            if isinstance(n, BufferStore):
                written[n.buffer] = None
    inner = {n.var: interval(n.min, n.extent) for n in walk_statements(loop.body) if isinstance(n, For)}
    changing = {n.buffer for n in walk_statements(loop.body) if isinstance(n, BufferStore)}
    lets = {n.var for n in walk_statements(loop.body) if isinstance(n, LetStmt)}
    for b in written:
        ranks = range(len(b.shape))
        if not any(
            _tells_apart([_fixed(index[d], changing, lets) for index in accesses[b]], loop.var, inner)
            for d in ranks
        ):
            return f"iterations of {loop.var.name} may touch the same elements of {b.name}"
    return None


def _fixed(index: Expr, changing: set[Buffer], lets: set[Var]) -> Expr | None:
    """`index` if one iteration of the loops gives it one value, or None."""
    for n in walk(index):
        if (isinstance(n, BufferLoad) and n.buffer in changing) or n in lets:
            return None
    return index


def _tells_apart(indices: list[Expr | None], v: Var, inner: dict[Var, Interval]) -> bool:
    """Whether one dimension has a different index in every iteration of `v`."""
    first: tuple[int, Expr] | None = None
    for index in indices:
        linear = None if index is None else detect_linear(index, [v])
        if linear is None or v not in linear[0]:
            return False
        slope = const_int(linear[0][v])
        if slope is None or slope == 0:
            return False
        if first is None:
            first = (slope, linear[1])
        elif first[0] != slope or not is_same_expression(first[1], linear[1]):
            return False
    if first is None:
        return False
    moved = eval_set(first[1], inner)
    return moved is not None and moved.width is not None and moved.width < abs(first[0])
