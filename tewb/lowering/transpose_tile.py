"""Tiles of two vectorized loops: accesses contiguous along the outer loop are transposed in registers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tewb.arith import Turn, is_turned, stride, turn
from tewb.base import INT32, INT64
from tewb.ir import (
    Allocate,
    And,
    Buffer,
    BufferLoad,
    BufferStore,
    Call,
    Expr,
    For,
    ForKind,
    IfThenElse,
    Let,
    Or,
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
)
from tewb.lowering.bind_buffers import compact_strides
from tewb.lowering.flatten_storage import fits_int32
from tewb.lowering.shuffle_network import ShuffleStage, transposition

CHUNK = 16  # bytes: registers of all machines are made of such parts, and shuffles within them are cheap

BufferAccess = BufferLoad | BufferStore
Indices = tuple[Expr, ...]


def transpose_tile(rows: For) -> Stmt | None:
    """Two vectorized loops, one directly inside of the other, by way of registers: what is contiguous along the outer
    one is loaded or stored along it, and transposed in registers. None where no access is.

        for r in 4 (vectorized):              for l in 4 (unroll): A.tile[0, l, 0:4] = A[l, 0:4]
            for l in 4 (vectorized):   ->     for p in 2 (unroll): A.tile[1, ..] = T.Shuffle([A.tile[0, ..], ..], ..)
                B[r, l] = A[l, r] + 1         for p in 2 (unroll): A.tile[0, ..] = T.Shuffle([A.tile[1, ..], ..], ..)
                                              for r in 4 (unroll): B[r, 0:4] = A.tile[0, r, 0:4] + 1

    Needs powers of two. Where all elements of a tile lie side by side, as the channels of an image do, any small
    number of rows will do: the tile is loaded as one vector, and each row takes every n-th lane of it.
    The iterations of vectorized loops do not depend on each other, so all loads may come before all stores.
    """
    lanes = rows.body
    if not (_is_vector(rows) and isinstance(lanes, For) and _is_vector(lanes)):
        return None
    return _Tile(rows, lanes).stmt(lanes.body)


def _is_vector(n: For) -> bool:
    return n.kind is ForKind.VECTORIZED and const_int(n.min) == 0 and (const_int(n.extent) or 0) > 1


@dataclass(frozen=True, slots=True)
class _Turned:
    """An access by way of `tile`. `statements` transpose it, before the loads of a tile or after its stores; the
    element of an iteration is at `indices` of the tile after that, or before."""

    access: BufferAccess
    tile: Buffer
    indices: Indices
    statements: tuple[Stmt, ...]


class _Tile:
    """The loops of a tile. Its rows are written out, each of them a vector along `lanes`."""

    def __init__(self, rows: For, lanes: For) -> None:
        self.rows, self.lanes = rows, lanes
        self.n, self.m = _extent(rows), _extent(lanes)

    # ---- statements

    def stmt(self, s: Stmt) -> Stmt | None:
        match s:
            case BufferStore():
                return self.store(s)
            case Seq(stmts):
                # No iteration depends on another, so each statement may run for all before the next begins.
                transposed = [self.stmt(x) for x in stmts]
                if all(p is None for p in transposed):
                    return None
                return seq(
                    *[self.as_ever(x) if p is None else p for x, p in zip(stmts, transposed, strict=True)]
                )
            case IfThenElse(cond, then, None) if not uses(cond, [self.rows.var, self.lanes.var]):
                inside = self.stmt(then)
                return None if inside is None else replace(s, then=inside)
        return None

    def as_ever(self, s: Stmt) -> Stmt:
        """`s` in the loops of the tile, with nothing transposed."""
        return _loop(self.rows, _loop(self.lanes, s, ForKind.VECTORIZED), ForKind.SERIAL)

    def along_lanes(self, s: Stmt) -> Stmt:
        """`s` as vectors along the lanes, one for each row."""
        return _loop(self.rows, _loop(self.lanes, s, ForKind.VECTORIZED), ForKind.UNROLLED)

    def along_rows(self, s: Stmt) -> Stmt:
        return _loop(self.lanes, _loop(self.rows, s, ForKind.VECTORIZED), ForKind.UNROLLED)

    def store(self, s: BufferStore) -> Stmt | None:
        loads = self.turned_loads(s)
        own = self.turned(s, s)
        if not loads and own is None:
            return None
        value = _with_loads(s.value, loads)
        work = replace(s, value=value) if own is None else BufferStore(own.tile, value, own.indices, s.origin)
        before = [x for turned in loads for x in turned.statements]
        body = seq(*before, self.along_lanes(work), *(own.statements if own else ()))
        for turned in (*loads, *([own] if own else [])):
            body = Allocate(turned.tile, body, s.origin)
        return body

    # ---- which accesses are turned

    def turned_loads(self, s: BufferStore) -> list[_Turned]:
        """The loads of `s` that are made in every iteration and gain from transposition, each once."""
        loads: list[_Turned] = []
        for n in _always_loaded(s.value):
            if not any(_is_same(n, other.access) for other in loads):
                turned = self.turned(n, s)
                loads += [] if turned is None else [turned]
        return loads

    def turned(self, access: BufferAccess, s: BufferStore) -> _Turned | None:
        """How an access of the statement `s` is transposed; None where its neighbours do not lie along the rows, or
        lie along the lanes as well."""
        strides = compact_strides(access.buffer)
        along = stride(strides, access.indices, self.rows.var)
        across = stride(strides, access.indices, self.lanes.var)
        nbytes = access.buffer.dtype.nbytes
        match turn(self.n, self.m, across, nbytes) if is_turned(along, across) else None:
            case Turn.LINE:
                return self.by_line(access, s)
            case Turn.NETWORK:
                return self.by_network(access, s)
        return None

    # ---- powers of two: a network of shuffles

    def by_network(self, access: BufferAccess, s: BufferStore) -> _Turned:
        """The vectors along the rows go through a network that transposes them."""
        n, width = min(self.n, self.m), max(self.n, self.m)
        tile = _tile(access.buffer, 2, n, width)
        network = transposition(n, width, CHUNK // tile.dtype.nbytes)
        stages = [self.stage(tile, k % 2, stage, s) for k, stage in enumerate(network)]
        first, last = const(0), const(len(stages) % 2)
        if isinstance(access, BufferLoad):
            fill = BufferStore(tile, access, (first, *self.place(self.lanes, self.rows)), s.origin)
            indices = (last, *self.place(self.rows, self.lanes))
            return _Turned(access, tile, indices, (self.along_rows(fill), *stages))
        turned = BufferLoad(tile, (last, *self.place(self.lanes, self.rows)), tile.dtype)
        out = self.along_rows(replace(access, value=turned))
        return _Turned(access, tile, (first, *self.place(self.rows, self.lanes)), (*stages, out))

    def place(self, vector: For, lane: For) -> Indices:
        """Which vector holds the element of an iteration, and in which lane. Where there are fewer vectors than
        iterations of `vector`, they are used again, further along."""
        n = min(self.n, self.m)
        if _extent(vector) == n:
            return vector.var, lane.var
        block = ops.floordiv(vector.var, n)
        return ops.floormod(vector.var, n), ops.add(ops.mul(block, n), lane.var)

    def stage(self, tile: Buffer, part: int, stage: ShuffleStage, s: BufferStore) -> Stmt:
        """A stage of the network, from one half of `tile` to the other."""
        n, width = (const_int(size) or 0 for size in tile.shape[1:])
        group, groups = _counter("group", n // (2 * stage.distance))
        pair, pairs = _counter("pair", stage.distance)
        first = ops.add(ops.mul(group, 2 * stage.distance), pair)
        both = (first, ops.add(first, stage.distance))
        given = [_whole_vector(tile, const(part), v) for v in both]
        stores = [
            BufferStore(tile, ops.shuffle(given, picked), (const(1 - part), v, _all_lanes(width)), s.origin)
            for v, picked in zip(both, (stage.low, stage.high), strict=True)
        ]
        return groups(pairs(seq(*stores), self.lanes), self.rows)

    # ---- elements side by side: every n-th lane of a line

    def by_line(self, access: BufferAccess, s: BufferStore) -> _Turned:
        """All elements of the tile are one vector, of which row r is lanes r, r + n, r + 2*n, ..."""
        tile = _tile(access.buffer, self.n, self.m)
        indices = (self.rows.var, self.lanes.var)
        line, at = self.line(access)
        if isinstance(access, BufferLoad):
            whole = BufferLoad(line, (at,), line.dtype.with_lanes(self.n * self.m))
            rows = [ops.shuffle([whole], range(r, self.n * self.m, self.n)) for r in range(self.n)]
            fill = [
                BufferStore(tile, x, (const(r), _all_lanes(self.m)), s.origin) for r, x in enumerate(rows)
            ]
            return _Turned(access, tile, indices, tuple(fill))
        vectors = [_whole_vector(tile, const(r)) for r in range(self.n)]
        mixed = ops.shuffle(vectors, [r * self.m + k for k in range(self.m) for r in range(self.n)])
        return _Turned(access, tile, indices, (BufferStore(line, mixed, (at,), s.origin),))

    def line(self, access: BufferAccess) -> tuple[Buffer, Expr]:
        """The memory of an access as one line of elements, and where in it those of the tile are."""
        b = access.buffer
        strides = compact_strides(b)
        dtype = INT32 if fits_int32(b) else INT64
        start: dict[Var, Expr] = {n.var: const(0, n.var.dtype) for n in (self.rows, self.lanes)}
        at: Expr = const(0, dtype)
        last: Expr = const(0, dtype)
        for i, size, step in zip(access.indices, b.shape, strides, strict=True):
            at = ops.add(at, ops.mul(ops.cast(substitute(i, start), dtype), ops.cast(step, dtype)))
            last = ops.add(last, ops.mul(ops.cast(ops.sub(size, 1), dtype), ops.cast(step, dtype)))
        line = b.with_(shape=(ops.add(last, 1),), strides=())
        return line, ops.ramp(at, const(1, dtype), self.n * self.m)


def _extent(n: For) -> int:
    return const_int(n.extent) or 0


def _loop(n: For, body: Stmt, kind: ForKind) -> For:
    return replace(n, kind=kind, body=body)


def _counter(name: str, n: int) -> tuple[Expr, Callable[[Stmt, For], Stmt]]:
    """A variable from 0 to n - 1 and its unrolled loop, which has the origin of a loop of the tile."""
    v = Var(name, INT32)
    if n == 1:
        return const(0), lambda body, of: body
    return v, lambda body, of: For(v, const(0), const(n), ForKind.UNROLLED, body, of.origin)


def _tile(b: Buffer, *shape: int) -> Buffer:
    """The vectors of a tile of `b`: as all their indices become numbers, the machine keeps them in registers."""
    return Buffer(f"{b.name}.tile", b.dtype, tuple(const(n) for n in shape), scope="register")


def _whole_vector(tile: Buffer, *place: Expr) -> BufferLoad:
    """A whole vector of `tile`."""
    width = const_int(tile.shape[-1]) or 0
    return BufferLoad(tile, (*place, _all_lanes(width)), tile.dtype.with_lanes(width))


def _all_lanes(width: int) -> Expr:
    return ops.ramp(const(0), 1, width)


def _is_same(a: BufferAccess, b: BufferAccess) -> bool:
    """Whether two accesses are to one element."""
    return a.buffer is b.buffer and is_same_expression(a.indices, b.indices)


def _with_loads(e: Expr, loads: list[_Turned]) -> Expr:
    """`e` with the loads among `loads` read from their tiles."""

    def load(n: BufferLoad) -> Expr:
        for turned in loads:
            if _is_same(n, turned.access):
                return BufferLoad(turned.tile, turned.indices, n.dtype)
        return n.map_children(rewrite)

    rewrite: Callable[[Any], Any] = rewriter({BufferLoad: load})
    rewritten: Expr = rewrite(e)
    return rewritten


def _always_loaded(e: Expr) -> Iterator[BufferLoad]:
    """The loads that every evaluation of `e` makes, except those in the body of a `Let`."""
    pending, seen = [e], {e}
    while pending:
        match pending.pop():
            case BufferLoad() as load:
                yield load
                continue
            case Call("if_then_else", (cond, _, _)):
                children: tuple[Expr, ...] = (cond,)
            case And(a) | Or(a):
                children = (a,)
            case Let(_, value):
                children = (value,)
            case other:
                children = other.children()
        new = [c for c in reversed(children) if c not in seen]
        seen.update(new)
        pending += new
