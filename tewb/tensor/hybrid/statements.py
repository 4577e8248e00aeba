"""Statements of hybrid functions, from Python's syntax tree to the IR."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tewb.ir import AssertStmt, Buffer, Expr, Stmt, While, free_vars, seq
from tewb.tensor.hybrid import refusals
from tewb.tensor.hybrid.assignments import AssignmentTranslator
from tewb.tensor.hybrid.branches import BranchTranslator
from tewb.tensor.hybrid.emitted import Emitted, Wrap, joined
from tewb.tensor.hybrid.expressions import ExpressionTranslator
from tewb.tensor.hybrid.loops import LoopTranslator
from tewb.tensor.hybrid.names import value_from_outside
from tewb.tensor.hybrid.returns import return_
from tewb.tensor.hybrid.scalars import ScalarTranslator
from tewb.tensor.hybrid.stores import StoreTranslator
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.hybrid.values import Value


class StatementTranslator:
    """The statements of one function. Each kind has a translator of its own; here they are put together."""

    def __init__(self, translation: Translation) -> None:
        self.translation = translation
        self.expressions = ExpressionTranslator(translation)
        self.scalars = ScalarTranslator(translation, self.expressions.arithmetic)
        stores = StoreTranslator(translation, self.expressions, self.scalars)
        assignments = AssignmentTranslator(translation, self.expressions, stores)
        loops = LoopTranslator(translation, self.expressions, self.scalars, self.block)
        branches = BranchTranslator(translation, self.expressions, self.statements, self.block)
        self.rules: dict[type[ast.stmt], Callable[[Any], Emitted]] = {
            ast.Assign: assignments.assign,
            ast.AugAssign: assignments.augmented,
            ast.If: branches.if_,
            ast.For: loops.for_,
            ast.While: branches.while_,
            ast.Return: self.return_,
            ast.Assert: self.assert_,
            ast.Expr: self.bare_expression,
            ast.Pass: self.pass_,
        }

    # ---- functions and blocks

    def function(self, values: Mapping[str, Any]) -> None:
        """Translate the whole function, with `values` for its parameters."""
        translation = self.translation
        tree = translation.source.tree
        statements: list[Stmt | Wrap] = []
        for name, argument in values.items():
            value = value_from_outside(translation, argument, tree)
            self.bind_sizes(value)
            if translation.names.own.get(name) and isinstance(value, Expr | int | float | np.generic):
                statements += self.scalars.declare(name, value, tree)
            else:
                translation.names.set(name, value)
        translation.result.body = joined([*statements, self.block(tree.body)])

    def bind_sizes(self, value: Value) -> None:
        """Sizes of tensors are 0 or more."""
        analyzer = self.translation.analyzer
        for b in value if isinstance(value, tuple) else (value,):
            if isinstance(b, Buffer):
                for v in (v for n in b.shape for v in free_vars(n)):
                    if v not in analyzer.ranges:
                        analyzer.bind(v, 0, None)

    def block(self, nodes: Sequence[ast.stmt]) -> Stmt:
        """The statements of a block. A declaration holds for the rest of it."""
        return joined(self.statements(nodes))

    def statements(self, nodes: Sequence[ast.stmt]) -> list[Stmt | Wrap]:
        return [s for node in nodes for s in self.statement(node)]

    def statement(self, node: ast.stmt) -> list[Stmt | Wrap]:
        """A statement, after the checks and values that come before it."""
        translation = self.translation
        if translation.result.returned is not None:
            raise translation.refuse(node, "nothing can follow the return", "return stands in the last line")
        rule = self.rules.get(type(node))
        if rule is None:
            raise translation.not_in_language(node, refusals.STATEMENTS.get(type(node)))
        emitted = rule(node)
        pending = translation.take_pending()
        if isinstance(emitted, While) and pending:
            # The condition is evaluated before every iteration, and so are its accesses.
            emitted = While(emitted.cond, seq(emitted.body, joined(pending)), emitted.origin)
        if isinstance(emitted, Stmt):
            return [joined([*pending, emitted])]
        return [*pending, *emitted]

    # ---- statements without a block

    def return_(self, node: ast.Return) -> Emitted:
        return return_(self.translation, self.expressions.evaluate, node)

    def assert_(self, node: ast.Assert) -> Emitted:
        translation = self.translation
        cond = self.expressions.condition(node.test)
        if not isinstance(cond, Expr):
            if not cond:
                raise translation.refuse(node, "this assertion does not hold", "it is false for every input")
            return []
        text = f"{translation.name}: assertion failed at {translation.span(node)}"
        if node.msg is not None and not isinstance(node.msg, ast.Constant):
            raise translation.refuse(
                node.msg, "what an assert says is a text", "assert i < n, 'i is too large'"
            )
        if isinstance(node.msg, ast.Constant):
            text = str(node.msg.value) + f" ({translation.span(node)})"
        origin = translation.origin(node)
        return [lambda rest: AssertStmt(cond, text, rest, origin)]

    def bare_expression(self, node: ast.Expr) -> Emitted:
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return []  # a docstring
        kind = type(node.value)
        if kind in refusals.EXPRESSIONS:
            raise self.translation.not_in_language(node.value, refusals.EXPRESSIONS[kind])
        raise self.translation.refuse(node, "an expression alone does nothing", "assign it: x = ...")

    def pass_(self, node: ast.Pass) -> Emitted:
        return []
