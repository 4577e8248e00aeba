"""Assignments in hybrid functions: t = word(...), x = value, a, b = b, a and x += value."""

from __future__ import annotations

import ast

from tewb.ir import Buffer, BufferLoad, BufferStore, Expr, Stmt, const
from tewb.tensor.hybrid.declarations import DeclarationTranslator
from tewb.tensor.hybrid.emitted import Emitted, Wrap, as_list
from tewb.tensor.hybrid.expressions import ExpressionTranslator
from tewb.tensor.hybrid.inlining import inline_call
from tewb.tensor.hybrid.stores import StoreTranslator
from tewb.tensor.hybrid.syntax import element_load
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.hybrid.values import Slice, reads_memory
from tewb.tensor.hybrid.words import DECLARATIONS


class AssignmentTranslator:
    def __init__(
        self, translation: Translation, expressions: ExpressionTranslator, stores: StoreTranslator
    ) -> None:
        self.translation, self.expressions, self.stores = translation, expressions, stores
        self.declarations = DeclarationTranslator(translation, expressions.indices, expressions.evaluate)

    def assign(self, node: ast.Assign) -> Emitted:
        if len(node.targets) != 1:
            raise self.translation.refuse(
                node, "a = b = c is not part of the hybrid language", "write two assignments"
            )
        target = node.targets[0]
        if isinstance(node.value, ast.Call):
            function = self.expressions.calls.callee(node.value)
            if not isinstance(function, str):
                return inline_call(self.translation, self.expressions.evaluate, target, node.value, function)
            if function in DECLARATIONS:
                return self.declarations.declare(target, node.value, function)
        if isinstance(target, ast.Tuple | ast.List):
            return self.unpack(target, node.value)
        return self.stores.store(target, self.expressions.evaluate(node.value), node)

    def unpack(self, target: ast.Tuple | ast.List, value: ast.expr) -> Emitted:
        """a, b = b, a: all values are computed before the first is stored."""
        translation = self.translation
        values = self.expressions.evaluate(value)
        if not isinstance(values, tuple | list) or len(values) != len(target.elts):
            raise translation.refuse(
                target, "the sides of this assignment do not match", "write as many values as names"
            )
        statements: list[Stmt | Wrap] = [*translation.take_pending()]  # the values are read below
        values = list(values)
        for i, v in enumerate(values):
            if isinstance(v, Slice):
                raise translation.refuse(value, "slices are assigned one at a time", "write two assignments")
            if isinstance(v, Expr) and reads_memory(v):
                origin = translation.origin(value)
                copy = Buffer(f"value{i}", v.dtype, (const(1),), scope="local", origin=origin)
                statements.append(translation.allocation(copy, value))
                statements.append(BufferStore(copy, v, (const(0),), origin))
                values[i] = BufferLoad(copy, (const(0),), v.dtype)
        for t, v in zip(target.elts, values, strict=True):
            stored = as_list(self.stores.store(t, v, target))
            statements += [*translation.take_pending(), *stored]
        return statements

    def augmented(self, node: ast.AugAssign) -> Emitted:
        """x += value, a[i] += value."""
        evaluate = self.expressions.evaluate
        current, value = evaluate(element_load(node.target)), evaluate(node.value)
        result = self.expressions.arithmetic.binary(node, node.op, current, value)
        return self.stores.store(node.target, result, node)
