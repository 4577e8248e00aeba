"""Lane masks: which expressions and stores can run in only some lanes of a vector."""

from __future__ import annotations

from tewb.ir.buffers import BufferLoad
from tewb.ir.expressions import Call, Expr, Let, Ramp, Shuffle
from tewb.ir.intrinsics import PURE
from tewb.ir.node import Node
from tewb.ir.ops import const_int
from tewb.ir.statements import BufferStore, Stmt
from tewb.ir.walk import walk


def is_maskable(e: Expr) -> bool:
    """Whether all lanes of `e` may be computed when the lanes that are masked off are not loaded.

    Its vectors are loaded from neighbours; a single element for all lanes, in an index too, is loaded as soon as one
    lane needs it. Its calls are math and choices, whose branches have masks of their own, and no lane moves to the
    position of another. This holds for accesses of any number of indices, and flattening keeps it.
    """
    return all(keeps_lanes(n) for n in walk(e))


def is_maskable_store(s: Stmt) -> bool:
    """Whether `s` stores a vector to neighbours, and can do so in some lanes only."""
    return (
        isinstance(s, BufferStore)
        and is_row(s)
        and s.value.dtype.lanes > 1
        and is_maskable(s.value)
        and all(is_maskable(i) for i in s.indices)
    )


def is_row(n: BufferLoad | BufferStore) -> bool:
    """Whether an access is to neighbours of a row, or to one element."""
    if not n.indices:
        return True
    *rows, last = n.indices
    if any(i.dtype.lanes > 1 for i in rows):
        return False
    dense = not n.buffer.strides or const_int(n.buffer.strides[-1]) == 1
    return last.dtype.lanes == 1 or (dense and is_contiguous(last))


def is_contiguous(index: Expr) -> bool:
    """Whether a vector index names neighbours."""
    return isinstance(index, Ramp) and const_int(index.stride) == 1


def keeps_lanes(n: Node) -> bool:
    """Whether a node of an expression, by itself, is maskable."""
    if isinstance(n, BufferLoad):
        return is_row(n)
    return not isinstance(n, Let | Shuffle) and (not isinstance(n, Call) or n.op in PURE)
