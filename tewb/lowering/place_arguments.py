"""Placing: the caller's pointers are the addresses of first elements."""

from __future__ import annotations

from typing import Any

from tewb.arith import Analyzer
from tewb.ir import (
    Allocate,
    Buffer,
    BufferLoad,
    BufferStore,
    Call,
    DeclBuffer,
    Expr,
    PrimFunc,
    Stmt,
    Var,
    const,
    free_vars,
    ops,
    replace,
    rewriter,
    substitute,
)


def place_arguments(f: PrimFunc) -> PrimFunc:
    """Take the elem_offset that parameters declare out of every access, since numpy's pointer includes it.

        A: elem_offset=16, and a view of it at i*8 + 16    ->    A: elem_offset=0, and a view of it at i*8

    A variable that occurs only as an offset is 0. Afterwards the offset of every parameter is 0.
    """
    params = [p for p in f.params if isinstance(p, Buffer)]
    if all(ops.is_const(p.elem_offset, 0) for p in params):
        return f
    given = {p for p in f.params if isinstance(p, Var)}
    given |= {v for p in params for e in (*p.shape, *p.strides) for v in free_vars(e)}
    zeros: dict[Var, Expr] = {
        v: const(0, v.dtype) for p in params if isinstance(v := p.elem_offset, Var) and v not in given
    }
    starts: dict[Var, Expr] = {p.data: substitute(p.elem_offset, zeros) for p in params}
    placed = {p: p.with_(elem_offset=None) for p in params}
    body = _moved(f.body, zeros, starts, placed)
    own = tuple(placed.get(p, p) if isinstance(p, Buffer) else p for p in f.params)
    return PrimFunc(f.name, own, body, f.outputs, f.attrs)


def _moved(body: Stmt, zeros: dict[Var, Expr], starts: dict[Var, Expr], placed: dict[Buffer, Buffer]) -> Stmt:
    """`body` with the buffers and packed arguments on each memory `starts` elements earlier."""
    moved_buffers = dict(placed)
    simplify = Analyzer().simplify

    def earlier(data: Any, offset: Expr) -> Expr:
        start = starts.get(data) if isinstance(data, Var) else None
        if start is None or ops.is_const(start, 0):
            return offset
        return simplify(ops.sub(offset, start))

    def variable(v: Var) -> Expr:
        return zeros.get(v, v)

    def buffer(b: Buffer) -> Buffer:
        if b not in moved_buffers:
            rewritten = b.map_exprs(rewrite)
            offset = earlier(
                rewritten.data, rewritten.elem_offset if rewritten is b else simplify(rewritten.elem_offset)
            )
            moved_buffers[b] = (
                rewritten if offset is rewritten.elem_offset else rewritten.with_(elem_offset=offset)
            )
        return moved_buffers[b]

    def access(n: Any) -> Any:
        rewritten = n.map_children(rewrite)
        there = buffer(n.buffer)
        return rewritten if there is n.buffer else replace(rewritten, buffer=there)

    def call(n: Call) -> Any:
        rewritten: Any = n.map_children(rewrite)
        if n.op != "tvm_stack_make_array":
            return rewritten
        offset = earlier(rewritten.args[0], rewritten.args[-1])
        return (
            rewritten
            if offset is rewritten.args[-1]
            else replace(rewritten, args=(*rewritten.args[:-1], offset))
        )

    rules: dict[type, Any] = dict.fromkeys((BufferLoad, BufferStore, Allocate, DeclBuffer), access)
    rules |= {Var: variable, Call: call}
    rewrite: Any = rewriter(rules)
    moved: Stmt = rewrite(body)
    return moved
