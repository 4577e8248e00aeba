"""Stores that fill one another's gaps: vectors of one stride are shuffled into one vector of neighbours.

    P[0:256:4] = a;  P[1:256:4] = b;  P[2:256:4] = c;  P[3:256:4] = d        (64 lanes each)
->  P[0:256] = a[0] b[0] c[0] d[0] a[1] b[1] ...

Lanes that are stored one by one take an instruction each; a shuffle takes one instruction for each register.
"""

from __future__ import annotations

from collections.abc import Sequence

from tewb.arith import Analyzer
from tewb.base import DType
from tewb.codegen.function import Function
from tewb.codegen.types import memory_type
from tewb.ir import (
    BufferLoad,
    BufferStore,
    Call,
    Ramp,
    Stmt,
    const_int,
    intrinsics,
    is_same_expression,
    ops,
    walk,
)

WIDTHS = (2, 4, 8)  # numbers of vectors that are interleaved
MOST_STORES = WIDTHS[-1]
MOST_LANES = 1024  # of the vector that they become


def interleaved(stmts: Sequence[Stmt]) -> list[BufferStore]:
    """The stores at the beginning of `stmts` that make up one vector of neighbours, in their order; or none."""
    first = _strided(stmts[0])
    if first is None:
        return []
    (start,) = first.indices
    assert isinstance(start, Ramp)
    count = const_int(start.stride)
    if count not in WIDTHS or count * start.lanes > MOST_LANES or len(stmts) < count:
        return []
    stores = [s for s in map(_strided, stmts[:count]) if s is not None and s.buffer is first.buffer]
    if len(stores) < count or not all(_follows(start, s, q) for q, s in enumerate(stores)):
        return []
    return stores


def _strided(s: Stmt) -> BufferStore | None:
    """`s`, when it stores lanes with gaps whose values can be computed before any store near it."""
    if not (isinstance(s, BufferStore) and isinstance(s.indices[0], Ramp)) or s.buffer.dtype.is_sub_byte:
        return None
    for n in walk(s.value):
        reads = isinstance(n, BufferLoad) and n.buffer.data is s.buffer.data
        if reads or (isinstance(n, Call) and n.op not in intrinsics.PURE):
            return None
    return s


def _follows(start: Ramp, s: BufferStore, q: int) -> bool:
    """Whether the lanes of `s` lie `q` elements behind those of `start`."""
    (index,) = s.indices
    if not (
        isinstance(index, Ramp)
        and index.lanes == start.lanes
        and is_same_expression(index.stride, start.stride)
    ):
        return False
    return const_int(Analyzer().simplify(ops.sub(index.base, start.base))) == q


def shuffle(f: Function, values: Sequence[str], d: DType) -> str:
    """The vectors `values` of dtype `d`, first lanes first."""
    scalar, lanes, count = memory_type(d.element), d.lanes, len(values)
    vectors = list(values)
    width = lanes
    while len(vectors) > 2:
        t, every = f"<{width} x {scalar}>", _shuffle_mask(range(2 * width))
        vectors = [
            f.ins(f"shufflevector {t} {a}, {t} {b}, {every}")
            for a, b in zip(vectors[::2], vectors[1::2], strict=True)
        ]
        width *= 2
    t = f"<{width} x {scalar}>"
    order = _shuffle_mask([q * lanes + lane for lane in range(lanes) for q in range(count)])
    return f.ins(f"shufflevector {t} {vectors[0]}, {t} {vectors[1]}, {order}")


def _shuffle_mask(at: Sequence[int]) -> str:
    return f"<{len(at)} x i32> <" + ", ".join(f"i32 {i}" for i in at) + ">"
