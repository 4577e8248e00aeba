"""What the translators of one hybrid function share: its source, its names, and what has been emitted."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tewb.arith import Analyzer
from tewb.base import HybridError, Span, TewbError
from tewb.ir import Allocate, AssertStmt, Buffer, Expr, IterVar, LetStmt, Origin, Stmt, Var, ops, seq
from tewb.tensor.hybrid.emitted import Wrap
from tewb.tensor.hybrid.name_scope import NameScope
from tewb.tensor.hybrid.shared_buffers import ConstantTable, SharedBuffers
from tewb.tensor.hybrid.source_text import SourceText
from tewb.tensor.hybrid.syntax import set_names
from tewb.tensor.hybrid.values import reads_memory


class TranslatedFunction:
    """The loops of a function: its body, the outputs that it declared and returned, its loops as axes, and
    why some of them must run in order."""

    def __init__(self) -> None:
        self.outputs: list[Buffer] = []
        self.returned: list[Buffer] | None = None
        self.axis: list[IterVar] = []
        self.dependence: dict[IterVar, str] = {}
        self.body: Stmt = seq()


class Translation:
    """One hybrid function while it is translated.

    `outer` gives the values of names from the code around the function. A function that another one calls is
    translated in the place of the call: it shares the buffers and the facts of its `caller`.
    """

    def __init__(
        self,
        function: object,
        source: SourceText,
        outer: Mapping[str, Any],
        caller: Translation | None = None,
    ) -> None:
        self.source, self.name = source, source.name
        self.names = NameScope(outer, set_names(source.tree.body))
        self.buffers: SharedBuffers = caller.buffers if caller else SharedBuffers()
        self.analyzer: Analyzer = caller.analyzer if caller else Analyzer()
        self.active: tuple[object, ...] = (
            *(caller.active if caller else ()),
            function,
        )  # functions being translated
        self.branches: int = caller.branches if caller else 0  # ifs and whiles around the statement at hand
        self.depth = 0  # blocks around the statement at hand
        self.guards: list[Expr] = []  # conditions that hold where the expression at hand is evaluated
        self.pending: list[Wrap] = []  # checks and values that come before the statement at hand
        self.writable: set[Buffer] = set()
        self.result = TranslatedFunction()

    # ---- errors and provenance

    def refuse(
        self, node: ast.AST, why: str, hint: str | None = None, kind: type[TewbError] = HybridError
    ) -> TewbError:
        return self.source.error(node, why, hint or "te.hybrid.script says what is allowed", kind)

    def not_in_language(self, node: ast.AST, entry: tuple[str, str] | None) -> TewbError:
        what, hint = entry or (type(node).__name__.lower(), None)
        return self.refuse(node, f"{what} is not part of the hybrid language", hint)

    def span(self, node: ast.AST) -> Span:
        return self.source.span(node)

    def origin(self, node: ast.AST, axis: str | None = None) -> Origin:
        return Origin(self.name, axis, None, self.span(node))

    # ---- what comes before the statement at hand

    def take_pending(self) -> list[Wrap]:
        pending, self.pending = self.pending, []
        return pending

    def check(self, holds: Expr, text: str) -> None:
        """Check `holds` when the function runs, before the statement at hand."""
        for guard in reversed(self.guards):
            holds = ops.logical_or(ops.logical_not(guard), holds)
        self.pending.append(lambda rest: AssertStmt(holds, text, rest))

    def value_before(self, e: Expr, name: str) -> Expr:
        """The value that `e` has before the statement at hand, which may change what `e` reads."""
        if not reads_memory(e):
            return e
        v = Var(name, e.dtype)
        self.analyzer.bind_value(v, e)
        self.pending.append(lambda rest: LetStmt(v, e, rest))
        return v

    # ---- where the statement at hand stands

    @contextmanager
    def assuming(self, cond: Expr) -> Iterator[None]:
        """An expression inside is only evaluated where `cond` holds."""
        self.guards.append(cond)
        try:
            with self.analyzer.assume(cond, wraps=True):
                yield
        finally:
            self.guards.pop()

    @contextmanager
    def inside_loop(self) -> Iterator[None]:
        """The body of a loop. What is pending for the loop itself waits until the body has been translated."""
        pending = self.take_pending()
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1
            self.pending = pending

    @contextmanager
    def inside_branch(self) -> Iterator[None]:
        """A block that may not run at all: a side of an if, or the body of a while."""
        self.branches += 1
        try:
            with self.inside_loop():
                yield
        finally:
            self.branches -= 1

    # ---- memory

    def allocation(self, buffer: Buffer, node: ast.AST) -> Wrap:
        """`buffer` is alive in the rest of the block."""
        origin = self.origin(node)
        return lambda rest: Allocate(buffer, rest, origin)

    def table_buffer(self, table: ConstantTable, node: ast.AST) -> Buffer:
        try:
            return self.buffers.table_buffer(table)
        except HybridError as e:
            raise self.refuse(node, e.message, e.hint) from None
