"""Branches of hybrid functions: if and while."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from contextlib import nullcontext

from tewb.ir import BufferLoad, Expr, IfThenElse, Stmt, While, is_noop, ops, walk
from tewb.tensor.hybrid.emitted import Emitted, Wrap
from tewb.tensor.hybrid.expressions import ExpressionTranslator
from tewb.tensor.hybrid.syntax import written_names
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.hybrid.values import buffers_of


class BranchTranslator:
    """`statements` translates statements in the block at hand, and `block` those of a block of their own."""

    def __init__(
        self,
        translation: Translation,
        expressions: ExpressionTranslator,
        statements: Callable[[Sequence[ast.stmt]], list[Stmt | Wrap]],
        block: Callable[[Sequence[ast.stmt]], Stmt],
    ) -> None:
        self.translation, self.expressions = translation, expressions
        self.statements, self.block = statements, block

    def if_(self, node: ast.If) -> Emitted:
        cond = self.expressions.condition(node.test)
        if not isinstance(cond, Expr):  # known now: only one side remains, and the names that it sets stay
            return self.statements(node.body if cond else node.orelse)
        with self.translation.inside_branch():
            then = self.side(cond, node.body)
            other = self.side(ops.logical_not(cond), node.orelse) if node.orelse else None
        if other is not None and is_noop(other):  # an elif that is known not to hold
            other = None
        return IfThenElse(cond, then, other, self.translation.origin(node))

    def side(self, cond: Expr, nodes: list[ast.stmt]) -> Stmt:
        """A side of a branch, where `cond` holds unless the block writes what the condition reads."""
        names = self.translation.names
        written = {b for name in written_names(nodes) for b in buffers_of(names.find(name))}
        read = {n.buffer for n in walk(cond) if isinstance(n, BufferLoad)}
        may_change = bool(read & written)
        assumed = nullcontext() if may_change else self.translation.analyzer.assume(cond, wraps=True)
        with names.block(), assumed:
            return self.block(nodes)

    def while_(self, node: ast.While) -> Emitted:
        translation = self.translation
        if node.orelse:
            raise translation.refuse(
                node.orelse[0], "while ... else is not part of the hybrid language", "put it after the loop"
            )
        cond = self.expressions.condition(node.test)
        if cond is True:
            raise translation.refuse(
                node.test, "this loop would never end", "ask about a variable that changes"
            )
        with translation.inside_branch(), translation.names.block():
            body = self.block(node.body)
        return While(self.expressions.arithmetic.convert(cond, node.test), body, translation.origin(node))
