"""Known loop nests: what an earlier lowering rewrote is not rewritten again."""

from __future__ import annotations

from collections.abc import Callable

from tewb.arith import Analyzer
from tewb.base import PassContext
from tewb.ir import Allocate, Buffer, PrimFunc, Seq, Stmt, replace, seq
from tewb.schedule import ResultCache

# The attribute of a function whose body is for calls of which this condition holds.
ASSUMED = "tewb.assumed"

Rewrite = Callable[[Stmt], Stmt]


def nests_of(body: Stmt) -> list[Stmt]:
    """The statements that follow one another in the body of a function, without the allocations around them: the
    loop nests of stages."""
    if isinstance(body, Seq):
        return [p for s in body.stmts for p in nests_of(s)]
    return nests_of(body.body) if isinstance(body, Allocate) else [body]


def memory_around(body: Stmt) -> list[Buffer]:
    """The buffers that are allocated around the loop nests of a body."""
    if isinstance(body, Seq):
        return [b for s in body.stmts for b in memory_around(s)]
    return [body.buffer, *memory_around(body.body)] if isinstance(body, Allocate) else []


def on_nests(f: PrimFunc, name: str, rewrite: Rewrite, cache: ResultCache) -> Stmt:
    """`rewrite` applied to each loop nest of the body of `f`. `name` says which rewriting it is; it may depend on
    the parameters of `f`, the condition that it is for, and the options."""
    assumed = f.attrs.get(ASSUMED)
    depends = (
        name,
        tuple([id(p) for p in f.params]),
        id(assumed),
        tuple(PassContext.current().config.items()),
    )

    def nest(s: Stmt) -> Stmt:
        if isinstance(s, Seq):
            rewritten = s.map_children(nest)
            return s if rewritten is s else seq(*rewritten.stmts)
        if isinstance(s, Allocate):
            body = nest(s.body)
            return s if body is s.body else replace(s, body=body)
        return cache.once((id(s), depends), (s, f.params, assumed), lambda: rewrite(s))

    return nest(f.body) if _has_plain_sizes(f.body) else rewrite(f.body)


def _has_plain_sizes(s: Stmt) -> bool:
    """Whether the sizes of the memory around the nests are simple, so that no pass changes it."""
    simplify = Analyzer().simplify
    while isinstance(s, Seq | Allocate):
        if isinstance(s, Allocate):
            if s.buffer.map_exprs(simplify) is not s.buffer:
                return False
            s = s.body
        elif not s.stmts:
            return True
        else:
            s = s.stmts[-1]
    return True
