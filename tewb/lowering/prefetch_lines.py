"""The requests of a prefetch: one for each cache line of a box of a tensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tewb.ir import (
    Buffer,
    Call,
    Evaluate,
    Expr,
    For,
    ForKind,
    Origin,
    Range,
    Stmt,
    Var,
    const,
    const_int,
    load,
    ops,
)
from tewb.lowering.bind_buffers import compact_strides

LINE = 64  # bytes


def prefetch_lines(
    buffer: Buffer, box: Sequence[Range], simplify: Callable[[Expr], Expr], origin: Origin | None
) -> Stmt:
    """Ask for the lines of `box`, which is counted from the start of `buffer`.

        box (i, 1) x (0, 64) of floats    ->    for line in 4: prefetch(A[i, line*16])

    Boxes may lie past the end: prefetching an invalid address does nothing.
    """
    strides = compact_strides(buffer)
    loops: list[tuple[Var, Expr]] = []
    indices: list[Expr] = []
    for d, r in enumerate(box):
        step = _elements_in_line(buffer, strides[d]) if d == len(box) - 1 else 1
        count = simplify(ops.floordiv(ops.add(r.extent, step - 1), step))
        if const_int(count) == 1:
            indices.append(simplify(r.min))
            continue
        v = Var("line" if d == len(box) - 1 else f"row{d}", count.dtype)
        loops.append((v, count))
        indices.append(ops.add(simplify(r.min), ops.mul(v, step)))
    body: Stmt = Evaluate(Call("prefetch", (load(buffer, tuple(indices)),), buffer.dtype), origin)
    for v, count in reversed(loops):
        body = For(v, const(0, v.dtype), count, ForKind.SERIAL, body, origin)
    return body


def _elements_in_line(buffer: Buffer, stride: Expr) -> int:
    """How many elements along a dimension share a line; 1 where the stride is not known."""
    step = const_int(stride)
    return 1 if step is None else max(1, LINE // max(buffer.dtype.nbytes * abs(step), 1))
