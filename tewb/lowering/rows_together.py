"""Rows together: a loop over rows, with stages computed in it, whose rows lie side by side in columns.

    for i in n:                              for i.outer in n // 64:
        T = allocate(8)                          T = allocate(8, 64)
        for j in 8: T[j] = A[i, j]       ->      for j in 8: for i.inner in 64: T[j, i.inner] = A[i, j]
        for j in 8: B[i] += T[j]                 for j in 8: for i.inner in 64: B[i] += T[j, i.inner]

Each row has memory of its own, and the same operations in the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tewb.arith import slope
from tewb.ir import (
    Allocate,
    Buffer,
    BufferLoad,
    BufferStore,
    Call,
    Expr,
    For,
    ForKind,
    IfThenElse,
    Seq,
    Stmt,
    Var,
    const,
    const_int,
    is_same_expression,
    ops,
    replace,
    rewriter,
    seq,
    substitute,
    uses,
    walk,
    walk_statements,
)

ROWS = 64  # that run together: several cache lines of each column
_FEW_BYTES = 1 << 19  # of their memory: what the second-level cache holds


def rows_together(loop: For) -> Stmt | None:
    """The rows of a loop in blocks, each statement for all rows of a block before the next; None where rows may not be
    independent, or need much memory."""
    own = {n.buffer: n for n in walk_statements(loop.body) if isinstance(n, Allocate)}
    if not own or not _is_plain(loop.body, loop.var) or not _are_apart(loop, own):
        return None
    sizes = [const_int(_elements(b)) for b in own]
    if (const_int(loop.extent) or ROWS) < ROWS or any(
        n is None or n * b.dtype.nbytes * ROWS > _FEW_BYTES for n, b in zip(sizes, own, strict=True)
    ):
        return None
    dtype = loop.var.dtype
    outer, inner = (Var(f"{loop.var.name}.{part}", dtype) for part in ("outer", "inner"))
    rows = const(ROWS, dtype)
    first = ops.mul(outer, rows)
    n = const_int(loop.extent)
    left = rows if n is not None and n % ROWS == 0 else ops.minimum(rows, ops.sub(loop.extent, first))
    row = replace(loop, var=inner, min=const(0, dtype), extent=left, kind=ForKind.SERIAL)
    wide = {b: _for_rows(b) for b in own}
    of_rows = substitute(_distributed(loop.body, loop.var, row, wide), {loop.var: ops.add(first, inner)})
    count = ops.floordiv(ops.add(loop.extent, ROWS - 1), rows)
    return replace(loop, var=outer, extent=count, body=_with_memory(of_rows, wide, inner))


def _elements(b: Buffer) -> Expr:
    size: Expr = const(1)
    for n in b.shape:
        size = ops.mul(size, n)
    return size


def _for_rows(b: Buffer) -> Buffer:
    return Buffer(b.name, b.dtype, (*b.shape, const(ROWS)), scope=b.scope, origin=b.origin)


def _is_plain(s: Stmt, row: Var) -> bool:
    """Whether a statement is loops, guards, memory and stores, as often and in the same order in each row."""
    match s:
        case Seq(stmts):
            return all(_is_plain(x, row) for x in stmts)
        case Allocate(b, body):
            return not b.strides and b.scope == "global" and _is_plain(body, row)
        case For(_, low, extent, kind, body):
            is_here = (
                kind in (ForKind.SERIAL, ForKind.VECTORIZED)
                and not uses(low, [row])
                and not uses(extent, [row])
            )
            return is_here and _is_plain(body, row)
        case IfThenElse(cond, then, None):
            # A guard on values stands before what may change them.
            is_fixed = not any(isinstance(n, BufferLoad) for n in walk(cond))
            return isinstance(then, BufferStore) or (is_fixed and _is_plain(then, row))
        case BufferStore():
            return not s.nontemporal and not any(
                isinstance(n, Call) and n.op == "address_of" for n in walk(s)
            )
    return False


def _are_apart(loop: For, own: dict[Buffer, Allocate]) -> bool:
    """Whether no row touches what another writes: what is written outside of its own memory has the row as an index."""
    accesses = [n for n in walk(loop.body) if isinstance(n, BufferLoad | BufferStore)]
    written = {n.buffer.data for n in accesses if isinstance(n, BufferStore)} - {b.data for b in own}
    inner = [n.var for n in walk_statements(loop.body) if isinstance(n, For)]
    for data in written:
        mine = [n for n in accesses if n.buffer.data is data]
        indices = mine[0].indices
        if not any(
            slope(e, loop.var)
            and not uses(e, inner)
            and all(n.buffer is mine[0].buffer and is_same_expression(n.indices[d], e) for n in mine)
            for d, e in enumerate(indices)
        ):
            return False
    return True


def _distributed(s: Stmt, row: Var, rows: For, wide: dict[Buffer, Buffer]) -> Stmt:
    """`s` with the loop `rows` around each of its stores."""
    match s:
        case Seq(stmts):
            return seq(*[_distributed(x, row, rows, wide) for x in stmts])
        case Allocate(b, body):
            return replace(s, buffer=wide[b], body=_distributed(body, row, rows, wide))
        case For(_, _, _, _, body):
            return replace(s, kind=ForKind.SERIAL, body=_distributed(body, row, rows, wide))
        case IfThenElse(cond, then, None) if not _is_of_row(cond, row, wide):
            return replace(s, then=_distributed(then, row, rows, wide))
        case IfThenElse():
            return (
                replace(rows, body=s) if isinstance(s.then, BufferStore) else _pushed_in(s, row, rows, wide)
            )
    return replace(rows, body=s)


def _is_of_row(e: Expr, row: Var, wide: dict[Buffer, Buffer]) -> bool:
    return uses(e, [row]) or any(isinstance(n, BufferLoad) for n in walk(e))


def _pushed_in(s: IfThenElse, row: Var, rows: For, wide: dict[Buffer, Buffer]) -> Stmt:
    """A guard that differs from row to row, at each statement that it guards."""
    match s.then:
        case Seq(stmts):
            return seq(*[_distributed(replace(s, then=x), row, rows, wide) for x in stmts])
        case For(_, _, _, _, body) | Allocate(_, body):
            inside: Any = replace(s.then, body=replace(s, then=body))
            return _distributed(inside, row, rows, wide)
        case IfThenElse(cond, then, None):
            both = replace(s, cond=ops.logical_and(s.cond, cond), then=then)
            return _distributed(both, row, rows, wide)
    raise AssertionError(type(s.then))


def _with_memory(s: Stmt, wide: dict[Buffer, Buffer], row: Var) -> Stmt:
    """`s` whose accesses to the memory of rows are to that of this row."""

    def load(n: BufferLoad) -> Any:
        indices = tuple([rewrite(i) for i in n.indices])
        return (
            replace(n, buffer=wide[n.buffer], indices=(*indices, row))
            if n.buffer in wide
            else replace(n, indices=indices)
        )

    def store(n: BufferStore) -> Any:
        value, indices = rewrite(n.value), tuple([rewrite(i) for i in n.indices])
        if n.buffer not in wide:
            return replace(n, value=value, indices=indices)
        return replace(n, buffer=wide[n.buffer], value=value, indices=(*indices, row))

    rewrite: Callable[[Any], Any] = rewriter({BufferLoad: load, BufferStore: store})
    moved: Stmt = rewrite(s)
    return moved
