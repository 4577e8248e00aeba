"""Vectorization: the iterations of a loop become the lanes of vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tewb import ir
from tewb.arith import is_wider, stride
from tewb.base import LowerError, option
from tewb.ir import (
    LEAVES,
    conjuncts,
    const,
    const_int,
    intrinsics,
    is_maskable_store,
    ops,
    replace,
    rewriter,
    seq,
    substitute,
    walk,
    without_loop,
)
from tewb.lowering.bind_buffers import compact_strides
from tewb.lowering.transpose_tile import transpose_tile

# Schedules that were measured have vectors of up to 64 lanes; LLVM's time grows with the cube of lanes that are
# loaded one by one: 0.1 s for 64 of them, 0.9 s for 128, 9 s for 256.
MOST_LANES = 64
APART_LANES = 16  # where more are cut, and elements do not lie side by side
WRITTEN_OUT = 4  # vectors in sequence, which may all stay in registers; more of them are a loop


def vectorize_loops(body: ir.Stmt) -> ir.Stmt:
    """Replace every vectorized loop by statements on vectors.

        for i in 8 (vectorized):  A[i*2] = B[i] + 1.0    ->    A[Ramp(0, 2, 8)] = B[0:8] + Broadcast(1.0, 8)

    A condition that differs from lane to lane becomes a mask of the stores that it guards, if their values can be
    computed in any lane:

        for i in 8 (vectorized):               ->    if Ramp(0, 1, 8) < Broadcast(n, 8):
            if likely(i < n): A[i] = B[i]                A[0:8] = B[0:8]

    Vectors have 64 lanes at most, which are four registers of floats, and 16 where elements lie apart: LLVM takes
    minutes for hundreds of lanes that are loaded one by one. More lanes are cut, into a loop where they are many:

        for i in 528 (vectorized):             ->    for i.vector in 8: A[i.vector*64 : i.vector*64 + 64] = ...
            A[i] = B[i] + 1.0                        A[512:528] = B[512:528] + Broadcast(1.0, 16)

    Two vectorized loops, one directly inside of the other, are a tile: the inner one becomes lanes, and accesses to
    neighbours along the outer one are transposed in registers (`transpose_tile`).

    A loop whose body has no vector form (a call that differs from lane to lane, an inner loop of differing
    extent, an extent that is not constant) becomes serial. Afterwards no loop is vectorized, and
    the statements remember the loop that they came from.
    Raises LowerError for a vectorized loop whose extent is not constant.
    """

    def loop(n: ir.For) -> ir.Stmt:
        tile = None if option("tir.disable_vectorize") else transpose_tile(n)
        if tile is not None:
            return rewrite(tile)
        inner = rewrite(n.body)
        if n.kind is not ir.ForKind.VECTORIZED:
            return n if inner is n.body else replace(n, body=inner)
        serial = replace(n, kind=ir.ForKind.SERIAL, body=inner)
        if option("tir.disable_vectorize"):
            return serial
        if any(isinstance(x, ir.For) and x.kind is ir.ForKind.VECTORIZED for x in walk(n.body)):
            return serial  # the lanes are those of the loop inside
        lanes = const_int(n.extent)
        if lanes is None:
            raise LowerError(
                f"vectorize: loop {n.var.name} has an extent that is not constant, {n.extent!r}",
                hint="split it by a constant and vectorize the inner loop",
                span=n.origin.span if n.origin else None,
            )
        if lanes == 1:
            return without_loop(substitute(inner, {n.var: n.min}), n.origin)
        try:
            return without_loop(_vectors(n, inner, lanes), n.origin)
        except _NoVectorForm:
            return serial

    rewrite: Callable[[ir.Stmt], ir.Stmt] = rewriter({ir.For: loop})
    return rewrite(body)


def _vectors(n: ir.For, body: ir.Stmt, lanes: int) -> ir.Stmt:
    """`body` on the lanes of the loop `n`, cut into vectors. No iteration depends on another, so the first vector may
    do all its work before the next begins."""
    width = widest_vector(n.var, body) if lanes > MOST_LANES else lanes
    count, rest = divmod(lanes, width)
    if count <= WRITTEN_OUT:
        vectors: list[ir.Stmt] = [_lanes(n, body, const(k * width, n.var.dtype), width) for k in range(count)]
    else:
        v = ir.Var(f"{n.var.name}.vector", n.var.dtype)
        at = ops.mul(v, const(width, v.dtype))
        inside = _lanes(n, body, at, width)
        zero, extent = const(0, v.dtype), const(count, v.dtype)
        vectors = [replace(n, var=v, min=zero, extent=extent, kind=ir.ForKind.SERIAL, body=inside)]
    if rest:
        vectors.append(_lanes(n, body, const(lanes - rest, n.var.dtype), rest))
    return seq(*vectors)


def widest_vector(lane: ir.Var, body: ir.Stmt) -> int:
    """How many lanes a vector has of a loop of more than MOST_LANES iterations."""
    for n in walk(body):
        if isinstance(n, ir.BufferLoad | ir.BufferStore):
            step = stride(compact_strides(n.buffer), n.indices, lane)
            if step not in (0, 1):
                return APART_LANES
    return MOST_LANES


def _lanes(n: ir.For, body: ir.Stmt, first: ir.Expr, lanes: int) -> ir.Stmt:
    """`body` on `lanes` iterations of the loop `n` from number `first` on, in vectors that fill registers."""
    stmts, start = [], ops.add(n.min, first)
    for width in _registers(lanes, ir.has_nontemporal(body)):
        one = substitute(body, {n.var: start}) if width == 1 else _Lanes(n.var, start, width).stmt(body)
        stmts.append(one)
        start = ops.add(start, const(width, n.var.dtype))
    return seq(*stmts)


def _registers(lanes: int, past_caches: bool = False) -> list[int]:
    """The vectors that `lanes` are cut into. 48 lanes are three vectors of 16: machines have registers of 8 or 16
    lanes, and LLVM keeps no vector in them whose size is no power of two. Of odd lanes the first 16s are vectors, and the
    rest is one: 19 lanes in one vector took 5 times as long. Many odd lanes stay together, and those that are stored past the
    caches: a rest that is stored into the same line by ordinary means would take it back."""
    power = lanes & -lanes
    if power >= 8 and lanes // power <= 8:
        return [power] * (lanes // power)
    whole, rest = (0, lanes) if past_caches or lanes >= MOST_LANES else divmod(lanes, 16)
    return [16] * whole + [rest] * (rest > 0)


MOST_CHECKED = 16  # lanes that are checked at once: each lane of scattered elements takes code of its own


class _NoVectorForm(Exception):
    """The body of a loop cannot run as lanes."""


class _Lanes:
    """Rewrites with `var` standing for `lanes` consecutive values from `start` on."""

    def __init__(self, var: ir.Var, start: ir.Expr, lanes: int) -> None:
        self.lanes = lanes
        self.values: dict[ir.Var, ir.Expr] = {var: ops.ramp(start, const(1, var.dtype), lanes)}
        self.is_index = False  # whether an index of an access is being rewritten
        self.rewritten: dict[
            tuple[ir.Expr, bool], ir.Expr
        ] = {}  # what parts of this statement became, as indices or not

    # ---- expressions

    def expr(self, e: ir.Expr) -> ir.Expr:
        if e.__class__ in LEAVES:
            return self.values.get(e, e) if isinstance(e, ir.Var) else e
        key = (e, self.is_index)
        vector = self.rewritten.get(key)
        if vector is None:
            vector = self.rewritten[key] = self.rewrite(e)
        return vector

    def rewrite(self, e: ir.Expr) -> ir.Expr:
        rule = _EXPRS.get(type(e))
        if rule is not None:
            return rule(self, e)
        if isinstance(e, ir.Binary | ir.Compare):
            return self.pair(e)
        return e

    def wide(self, e: ir.Expr, lanes: int) -> ir.Expr:
        return e if e.dtype.lanes == lanes else ops.broadcast(e, lanes)

    def pair(self, e: Any) -> ir.Expr:
        a, b = self.expr(e.a), self.expr(e.b)
        if a is e.a and b is e.b:
            return e  # type: ignore[no-any-return]
        ramp = _ramp(type(e), a, b)
        if ramp is not None:
            return ramp
        lanes = max(a.dtype.lanes, b.dtype.lanes)
        operation: ir.Expr = type(e)(self.wide(a, lanes), self.wide(b, lanes), e.dtype.with_lanes(lanes))
        return operation

    def not_(self, e: ir.Not) -> ir.Expr:
        a = self.expr(e.a)
        return e if a is e.a else ir.Not(a, a.dtype)

    def cast(self, e: ir.Cast) -> ir.Expr:
        value = self.expr(e.value)
        if self.is_index and isinstance(value, ir.Ramp) and is_wider(e.dtype, value.dtype.element):
            return ops.ramp(ops.cast(value.base, e.dtype), ops.cast(value.stride, e.dtype), value.lanes)
        return e if value is e.value else ir.Cast(value, e.dtype.with_lanes(value.dtype.lanes))

    def select(self, e: ir.Select) -> ir.Expr:
        operands = [self.expr(x) for x in (e.cond, e.then, e.other)]
        if all(a is b for a, b in zip(operands, (e.cond, e.then, e.other), strict=True)):
            return e
        lanes = max(p.dtype.lanes for p in operands)
        c, a, b = (self.wide(p, lanes) for p in operands)
        return ir.Select(c, a, b, e.dtype.with_lanes(lanes))

    def indices(self, n: ir.BufferLoad | ir.BufferStore) -> tuple[ir.Expr, ...]:
        """The indices of an access. These do not overflow, so a ramp that is made wider stays a ramp, which may be
        neighbours."""
        around, self.is_index = self.is_index, True
        indices = tuple(self.expr(i) for i in n.indices)
        self.is_index = around
        return indices

    def load(self, e: ir.BufferLoad) -> ir.Expr:
        indices = self.indices(e)
        if all(a is b for a, b in zip(indices, e.indices, strict=True)):
            return e
        lanes = max(i.dtype.lanes for i in indices)
        return ir.BufferLoad(e.buffer, indices, e.buffer.dtype.with_lanes(lanes))

    def call(self, e: ir.Call) -> ir.Expr:
        args = tuple(self.expr(a) for a in e.args)
        if e.op not in intrinsics.REPEATABLE:
            raise _NoVectorForm  # it may return another number each time
        if all(a is b for a, b in zip(args, e.args, strict=True)):
            return e
        if e.op not in intrinsics.PURE:
            raise _NoVectorForm
        if e.op == "if_then_else" and args[0].dtype.lanes == 1:
            lanes = max(a.dtype.lanes for a in args[1:])
            args = (args[0], *(self.wide(a, lanes) for a in args[1:]))
        else:
            lanes = max(a.dtype.lanes for a in args)
            args = tuple(self.wide(a, lanes) for a in args)
        return ir.Call(e.op, args, e.dtype.with_lanes(lanes))

    def let(self, e: ir.Let) -> ir.Expr:
        value = self.expr(e.value)
        if value.dtype.lanes > 1:
            raise _NoVectorForm
        body = self.expr(e.body)
        return e if value is e.value and body is e.body else ir.Let(e.var, value, body, body.dtype)

    # ---- statements

    def stmt(self, s: ir.Stmt) -> ir.Stmt:
        rule = _STMTS.get(type(s))
        if rule is None:
            raise _NoVectorForm
        self.rewritten = {}
        return rule(self, s)

    def store(self, s: ir.BufferStore) -> ir.Stmt:
        indices = self.indices(s)
        value = self.expr(s.value)
        lanes = max((i.dtype.lanes for i in indices), default=1)
        if lanes == 1 and value.dtype.lanes == 1:
            return s  # the same store in every lane: once is enough
        if lanes == 1:
            raise _NoVectorForm  # every lane stores to one element: order matters
        return ir.BufferStore(s.buffer, self.wide(value, lanes), indices, s.origin, s.nontemporal)

    def seq(self, s: ir.Seq) -> ir.Stmt:
        return s.map_children(self.stmt)

    def branch(self, s: ir.IfThenElse) -> ir.Stmt:
        terms = [(c, self.expr(c)) for c in conjuncts(s.cond)]
        wide = [vector for _, vector in terms if vector.dtype.lanes > 1]
        if not wide:
            other = None if s.other is None else self.stmt(s.other)
            return replace(s, then=self.stmt(s.then), other=other)
        if s.other is not None or not all(is_index(c) for c in wide):
            raise _NoVectorForm
        then = self.stmt(s.then)
        if not all(is_maskable_store(part) for part in (then.stmts if isinstance(then, ir.Seq) else (then,))):
            raise _NoVectorForm
        inside = replace(s, cond=ops.all_of(*wide), then=then)
        same = [c for c, vector in terms if vector.dtype.lanes == 1]
        return replace(s, cond=ops.all_of(*same), then=inside) if same else inside

    def loop(self, s: ir.For) -> ir.Stmt:
        if self.expr(s.min).dtype.lanes > 1 or self.expr(s.extent).dtype.lanes > 1:
            raise _NoVectorForm
        return replace(s, body=self.stmt(s.body))

    def assertion(self, s: ir.AssertStmt) -> ir.Stmt:
        """A check of elements must hold in all lanes, and is made before the body runs in any of them."""
        if self.lanes > MOST_CHECKED or not any(isinstance(n, ir.BufferLoad) for n in walk(s.cond)):
            raise _NoVectorForm
        return replace(s, cond=self.expr(s.cond), body=self.stmt(s.body))

    def let_stmt(self, s: ir.LetStmt) -> ir.Stmt:
        value = self.expr(s.value)
        if value.dtype.lanes == 1:
            return replace(s, body=self.stmt(s.body))
        wide = ir.Var(s.var.name, value.dtype)
        self.values[s.var] = wide
        return replace(s, var=wide, value=value, body=self.stmt(s.body))


def is_index(e: ir.Expr) -> bool:
    """Whether a condition depends on indices only, so that no store changes it."""
    return not any(
        isinstance(n, ir.BufferLoad | ir.Let) or (isinstance(n, ir.Call) and n.op != "likely")
        for n in walk(e)
    )


def _ramp(kind: type, a: ir.Expr, b: ir.Expr) -> ir.Expr | None:
    """Sums and products of a ramp and a scalar are ramps."""
    x = a.value if isinstance(a, ir.Broadcast) else a
    y = b.value if isinstance(b, ir.Broadcast) else b
    if kind is ir.Add and isinstance(a, ir.Ramp) and y.dtype.lanes == 1:
        return ir.Ramp(ops.add(a.base, y), a.stride, a.lanes, a.dtype)
    if kind is ir.Add and isinstance(b, ir.Ramp) and x.dtype.lanes == 1:
        return ir.Ramp(ops.add(x, b.base), b.stride, b.lanes, b.dtype)
    if kind is ir.Sub and isinstance(a, ir.Ramp) and y.dtype.lanes == 1:
        return ir.Ramp(ops.sub(a.base, y), a.stride, a.lanes, a.dtype)
    if kind is ir.Mul and isinstance(a, ir.Ramp) and y.dtype.lanes == 1:
        return ir.Ramp(ops.mul(a.base, y), ops.mul(a.stride, y), a.lanes, a.dtype)
    if kind is ir.Mul and isinstance(b, ir.Ramp) and x.dtype.lanes == 1:
        return ir.Ramp(ops.mul(x, b.base), ops.mul(x, b.stride), b.lanes, b.dtype)
    return None


_EXPRS: dict[type[ir.Node], Callable[[_Lanes, Any], ir.Expr]] = {
    ir.And: _Lanes.pair,
    ir.Or: _Lanes.pair,
    ir.Not: _Lanes.not_,
    ir.Cast: _Lanes.cast,
    ir.Select: _Lanes.select,
    ir.BufferLoad: _Lanes.load,
    ir.Call: _Lanes.call,
    ir.Let: _Lanes.let,
}

_STMTS: dict[type[ir.Node], Callable[[_Lanes, Any], ir.Stmt]] = {
    ir.BufferStore: _Lanes.store,
    ir.Seq: _Lanes.seq,
    ir.IfThenElse: _Lanes.branch,
    ir.For: _Lanes.loop,
    ir.LetStmt: _Lanes.let_stmt,
    ir.AssertStmt: _Lanes.assertion,
}
