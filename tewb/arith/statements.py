"""Simplification of statements: loops bind their variables, branches assume their conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from tewb.arith.analyzer import Analyzer
from tewb.ir import (
    NOOP,
    Allocate,
    AssertStmt,
    AttrStmt,
    Broadcast,
    BufferLoad,
    BufferStore,
    Call,
    Evaluate,
    Expr,
    For,
    IfThenElse,
    LetStmt,
    Origin,
    Seq,
    Stmt,
    Substitution,
    While,
    const,
    const_int,
    intrinsics,
    is_const,
    is_noop,
    launched,
    ops,
    remembering,
    replace,
    seq,
    walk,
)


def simplify_stmt(s: Stmt, analyzer: Analyzer | None = None) -> Stmt:
    """`s` with simple expressions, without branches that are never taken and loops that run at most once.

    for i in 1: A[i] = x + 0    ->    A[0] = x
    """
    return _Statements(analyzer or Analyzer()).stmt(s)


class _Statements:
    """Sizes, extents and positions are indices; what is stored, compared or an argument of a call is a value."""

    def __init__(self, analyzer: Analyzer) -> None:
        self.analyzer = analyzer
        self.expr: Callable[[Expr], Expr] = analyzer.simplify
        self.value: Callable[[Expr], Expr] = analyzer.simplify_value
        self.substitution: Substitution | None = None  # inside of loops and allocations that are replaced
        self.removed: tuple[Origin, ...] = ()  # the removed loops around, outermost first
        self.origins: dict[
            tuple[Origin | None, bool], Origin
        ] = {}  # the origins of statements inside of these

    def stmt(self, s: Stmt) -> Stmt:
        if self.substitution is not None:
            s = self.replaced(s, self.substitution)
        rule = _RULES.get(s.__class__)
        return rule(self, s) if rule is not None else s.map_children(self.part)

    def part(self, n: Any) -> Any:
        return self.stmt(n) if isinstance(n, Stmt) else self.expr(n)

    def loop(self, s: For) -> Stmt:
        lo, extent = self.expr(s.min), self.expr(s.extent)
        n = const_int(extent)
        if n is not None and n <= 0:
            return NOOP
        if n == 1:
            return self.once(s, lo)
        self.analyzer.bind_extent(s.var, lo, extent)
        if n is not None:
            body = self.stmt(s.body)
        else:
            with self.analyzer.inside_loop(extent):
                body = self.stmt(s.body)
        if body is NOOP:
            return NOOP
        same = lo is s.min and extent is s.extent and body is s.body
        return s if same else replace(s, min=lo, extent=extent, body=body)

    def attribute(self, s: AttrStmt) -> Stmt:
        """An attribute. The threads of a launch are counted from 0."""
        extent, axis = self.expr(s.value), launched(s)
        if axis is not None:
            self.analyzer.bind_extent(axis.var, const(0, axis.dtype), extent)
        body = self.stmt(s.body)
        if body is NOOP and axis is not None:
            return NOOP
        return s if extent is s.value and body is s.body else replace(s, value=extent, body=body)

    def once(self, s: For, lo: Expr) -> Stmt:
        """The body of a loop of one iteration."""
        removed, origins = self.removed, self.origins
        if s.origin is not None and s.origin.steps:
            self.removed, self.origins = (*removed, s.origin), {}
        with self.substituting() as substitution, substitution.variable(s.var, lo):
            body = self.stmt(s.body)
        self.removed, self.origins = removed, origins
        return body

    @contextmanager
    def substituting(self) -> Iterator[Substitution]:
        """Inside of the block variables and buffers are replaced as they are met: walking the body of each removed loop
        would take a second for 200 nested ones."""
        if self.substitution is not None:
            yield self.substitution
            return
        self.substitution = substitution = Substitution()
        expr, value = self.expr, self.value
        self.expr = lambda e: expr(substitution(e))
        self.value = lambda e: value(substitution(e))
        try:
            yield substitution
        finally:
            self.substitution, self.expr, self.value = None, expr, value

    def replaced(self, s: Stmt, substitution: Substitution) -> Stmt:
        """`s` with its own buffer replaced, and with the loops that are removed around it in its origin."""
        changes: dict[str, object] = {}
        buffer = getattr(s, "buffer", None)
        if buffer is not None and not isinstance(s, Allocate):
            changes["buffer"] = substitution.buffer(buffer)
        if self.removed and "origin" in s.field_names:
            key = (s.origin, isinstance(s, For))  # type: ignore[attr-defined]
            if key not in self.origins:
                self.origins[key] = remembering(*key, self.removed)
            changes["origin"] = self.origins[key]
        same = all(getattr(s, name) is new for name, new in changes.items())
        return s if same else replace(s, **changes)

    def branch(self, s: IfThenElse) -> Stmt:
        cond = self.value(s.cond)
        each = cond.value if isinstance(cond, Broadcast) else cond  # of all lanes alike
        if is_const(each, 1):
            return self.stmt(s.then)
        if is_const(each, 0):
            return NOOP if s.other is None else self.stmt(s.other)
        with self.assuming(cond, s.then):
            then = self.stmt(s.then)
        other = s.other
        if other is not None:
            with self.assuming(ops.logical_not(cond), other):
                other = self.stmt(other)
            other = None if is_noop(other) else other
        if then is NOOP and other is None:
            return NOOP
        same = cond is s.cond and then is s.then and other is s.other
        return s if same else replace(s, cond=cond, then=then, other=other)

    def store(self, s: BufferStore) -> Stmt:
        """A store with a simpler value and simpler indices."""
        value = self.value(s.value)
        indices = tuple(self.expr(i) for i in s.indices)
        same = value is s.value and all(i is was for i, was in zip(indices, s.indices, strict=True))
        return s if same else replace(s, value=value, indices=indices)

    def seq(self, s: Seq) -> Stmt:
        simple = s.map_children(self.stmt)
        return s if simple is s else seq(*simple.stmts)

    def let(self, s: LetStmt) -> Stmt:
        value = self.value(s.value)
        self.analyzer.bind_value(s.var, value)
        body = self.stmt(s.body)
        return s if value is s.value and body is s.body else replace(s, value=value, body=body)

    def assertion(self, s: AssertStmt) -> Stmt:
        cond = self.value(s.cond)
        if is_const(cond, 1):
            return self.stmt(s.body)
        with self.assuming(cond, s.body):
            body = self.stmt(s.body)
        return s if cond is s.cond and body is s.body else replace(s, cond=cond, body=body)

    def assuming(self, cond: Expr, body: Stmt) -> AbstractContextManager[None]:
        """`cond` holds in `body`, unless `body` writes the memory that it reads."""
        return self.analyzer.assume(cond, wraps=True) if holds_throughout(cond, body) else nullcontext()

    def while_(self, s: While) -> Stmt:
        cond = self.value(s.cond)
        if is_const(cond, 0):
            return NOOP
        body = self.stmt(s.body)
        return s if cond is s.cond and body is s.body else replace(s, cond=cond, body=body)

    def allocate(self, s: Allocate) -> Stmt:
        """A size that depended on an unrolled loop becomes a number."""
        simple = s.buffer.map_exprs(self.expr)
        if simple is s.buffer:
            return s.map_children(self.part)
        with self.substituting() as substitution, substitution.memory(s.buffer, simple):
            return replace(s, buffer=simple, body=self.stmt(s.body))

    def evaluate(self, s: Evaluate) -> Stmt:
        simple = s.map_children(self.value)
        return NOOP if is_const(simple.value) else simple


def holds_throughout(cond: Expr, body: Stmt) -> bool:
    """Whether `cond`, true at the start of `body`, stays so: nothing in `body` writes what it reads."""
    read = {n.buffer.data for n in walk(cond) if isinstance(n, BufferLoad)}
    if not read:
        return True
    for n in walk(body):
        if isinstance(n, BufferStore) and n.buffer.data in read:
            return False
        if isinstance(n, Call) and n.op not in intrinsics.PURE:
            return False  # a packed function may write anything
    return True


_RULES: dict[type, Callable[[_Statements, Any], Stmt]] = {
    Allocate: _Statements.allocate,
    AttrStmt: _Statements.attribute,
    For: _Statements.loop,
    IfThenElse: _Statements.branch,
    BufferStore: _Statements.store,
    Seq: _Statements.seq,
    LetStmt: _Statements.let,
    AssertStmt: _Statements.assertion,
    While: _Statements.while_,
    Evaluate: _Statements.evaluate,
}
