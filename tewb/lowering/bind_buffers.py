"""Binding: declared buffers are replaced by the buffers that lowering chose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tewb.arith import row_major
from tewb.ir import Buffer, BufferLoad, BufferStore, Expr, Stmt, Var, const, const_int, ops, rewriter


def compact_strides(b: Buffer) -> tuple[Expr, ...]:
    """The strides of a buffer in elements, row-major when it declares none."""
    return b.strides or row_major(b.shape)


def offset_in(offset: Expr, simplify: Callable[[Expr], Expr]) -> Expr:
    """The offset of a view, simplified; that of one that begins where the memory does is the plain 0."""
    simple = simplify(offset)
    return const(0) if const_int(simple) == 0 else simple


def is_compact(b: Buffer) -> bool:
    """Whether the elements of `b` certainly lie side by side, row-major.

    After the first dimension of more than one element, every other must be taken whole.
    """
    step: int | None = 1
    for n, stride in reversed(list(zip(b.shape, compact_strides(b), strict=True))):
        size = const_int(n)
        if size != 1 and (step is None or const_int(stride) != step):
            return not b.strides
        step = None if step is None or size is None else step * size
    return True


def bound_variables(pairs: Mapping[Buffer, Buffer]) -> dict[Var, Expr]:
    """The values of the variables in declared shapes and strides. A stride that is also a size, as `m` in the
    strides (m, 1) of a buffer (n, m), has the value of that size."""
    values: dict[Var, Expr] = {}
    for declared, actual in pairs.items():
        for wanted, given in zip(declared.shape, actual.shape, strict=True):
            if isinstance(wanted, Var):
                values[wanted] = given
    for declared, actual in pairs.items():
        for wanted, given in zip(declared.strides, compact_strides(actual), strict=False):
            if isinstance(wanted, Var):
                values.setdefault(wanted, given)
    return values


def bind_buffers(
    body: Stmt, pairs: Mapping[Buffer, Buffer], starts: Mapping[Buffer, Sequence[Expr]] | None = None
) -> Stmt:
    """`body` with every declared buffer replaced: its loads and stores, its data, and the variables of its
    shape, strides and offset. An actual buffer that holds only a part of the declared one begins at
    `starts[declared]`, and the variables stay."""
    begin = starts or {}
    values = bound_variables({a: b for a, b in pairs.items() if a not in begin})
    for declared, actual in pairs.items():
        values[declared.data] = actual.data
        if declared not in begin and isinstance(declared.elem_offset, Var):
            values[declared.elem_offset] = actual.elem_offset

    def place(n: BufferLoad | BufferStore) -> tuple[Expr, ...]:
        indices = tuple(rewrite(i) for i in n.indices)
        start = begin.get(n.buffer)
        return indices if start is None else tuple(map(ops.sub, indices, start))

    def load(n: BufferLoad) -> Expr:
        return BufferLoad(pairs.get(n.buffer, n.buffer), place(n), n.dtype)

    def store(n: BufferStore) -> Stmt:
        return BufferStore(pairs.get(n.buffer, n.buffer), rewrite(n.value), place(n), n.origin, n.nontemporal)

    rewrite: Any = rewriter({Var: lambda v: values.get(v, v), BufferLoad: load, BufferStore: store})
    bound: Stmt = rewrite(body)
    return bound
