"""Expressions of hybrid functions: Python's own syntax tree, one rule per construct."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from tewb.ir import Buffer, Expr, convert, ops
from tewb.tensor.hybrid import refusals
from tewb.tensor.hybrid.arithmetic import Arithmetic
from tewb.tensor.hybrid.attributes import attribute
from tewb.tensor.hybrid.calls import CallTranslator
from tewb.tensor.hybrid.elements import ElementTranslator
from tewb.tensor.hybrid.indices import IndexTranslator
from tewb.tensor.hybrid.names import look_up
from tewb.tensor.hybrid.operators import COMPARE
from tewb.tensor.hybrid.shared_buffers import ConstantTable
from tewb.tensor.hybrid.slices import SliceTranslator
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.hybrid.values import Slice, Value, kind_of


class ExpressionTranslator:
    """The expressions of one function. Subscripts, calls and arithmetic have translators of their own."""

    def __init__(self, translation: Translation) -> None:
        self.translation = translation
        self.arithmetic = Arithmetic(translation)
        self.indices = IndexTranslator(translation, self.arithmetic, self.evaluate)
        self.slices = SliceTranslator(translation, self.indices, self.evaluate)
        self.elements = ElementTranslator(translation, self.indices, self.slices, self.evaluate)
        self.calls = CallTranslator(translation, self.arithmetic, self.evaluate)
        self.rules: dict[type[ast.expr], Callable[[Any], Value]] = {
            ast.Name: self.name,
            ast.Constant: self.constant,
            ast.Tuple: self.tuple_,
            ast.List: self.tuple_,
            ast.BinOp: self.binary,
            ast.UnaryOp: self.unary,
            ast.Compare: self.compare,
            ast.BoolOp: self.logic,
            ast.IfExp: self.choice,
            ast.Attribute: self.attribute,
            ast.Subscript: self.elements.subscript,
            ast.Call: self.calls.call,
        }

    def evaluate(self, node: ast.expr) -> Value:
        """The value of an expression: known now, or an expression of the IR."""
        rule = self.rules.get(type(node))
        if rule is None:
            raise self.translation.not_in_language(node, refusals.EXPRESSIONS.get(type(node)))
        return rule(node)

    def condition(self, node: ast.expr) -> bool | Expr:
        """A value where only its truth counts: a bool that is known now, or an expression."""
        value = self.logic(node, True) if isinstance(node, ast.BoolOp) else self.evaluate(node)
        return self.arithmetic.truth(value, node)

    # ---- names and numbers

    def name(self, node: ast.Name) -> Value:
        return look_up(self.translation, node)

    def constant(self, node: ast.Constant) -> Value:
        if not isinstance(node.value, bool | int | float | str):
            raise self.translation.refuse(
                node, f"{node.value!r} is no number", "numbers are 1, 0.5, 1e-3, True, False"
            )
        return node.value

    def tuple_(self, node: ast.Tuple | ast.List) -> Value:
        return tuple(self.evaluate(e) for e in node.elts)

    def attribute(self, node: ast.Attribute) -> Value:
        return attribute(self.translation, node, self.evaluate(node.value))

    # ---- operators

    def binary(self, node: ast.BinOp) -> Value:
        return self.arithmetic.binary(node, node.op, self.evaluate(node.left), self.evaluate(node.right))

    def unary(self, node: ast.UnaryOp) -> Value:
        is_not = isinstance(node.op, ast.Not)
        value = self.condition(node.operand) if is_not else self.evaluate(node.operand)
        self.arithmetic.check_number(value, node)
        match node.op:
            case ast.USub():
                return self.arithmetic.apply(node, lambda x: -x, value)
            case ast.UAdd():
                return value
            case ast.Invert():
                return self.arithmetic.apply(node, lambda x: ~x, value)
        return ops.logical_not(value) if isinstance(value, Expr) else not value

    def compare(self, node: ast.Compare) -> Value:
        """a < b < c is a < b and b < c; what comes later is only evaluated where the first comparison holds."""
        result: Value = True
        left = self.evaluate(node.left)
        for op, comparator in zip(node.ops, node.comparators, strict=True):
            if type(op) not in COMPARE:
                raise self.arithmetic.not_an_operator(node, op)
            if isinstance(result, Expr):
                with self.translation.assuming(result):
                    right = self.evaluate(comparator)
            else:
                right = self.evaluate(comparator)
            comparison = self.arithmetic.compare(node, op, left, right)
            if isinstance(comparison, Slice) and len(node.ops) > 1:
                raise self.translation.refuse(
                    node, "a chain of comparisons takes no slices", "write (a < b) & (b < c)"
                )
            result = comparison if result is True else _both(result, comparison)
            left = right
        return result

    def logic(self, node: ast.BoolOp, only_truth: bool = False) -> Value:
        """and, or: the later values are only evaluated where they decide."""
        is_and = isinstance(node.op, ast.And)
        result: Value = self.operand(node.values[0], only_truth)
        for operand in node.values[1:]:
            if not isinstance(result, Expr):
                if bool(result) != is_and:
                    return result
                result = self.operand(operand, only_truth)
                continue
            with self.translation.assuming(result if is_and else ops.logical_not(result)):
                value = self.operand(operand, only_truth)
            result = (ops.logical_and if is_and else ops.logical_or)(result, convert(value))
        return result

    def operand(self, node: ast.expr, only_truth: bool) -> Value:
        if isinstance(node, ast.BoolOp):
            return self.logic(node, only_truth)
        value = self.evaluate(node)
        number = (isinstance(value, Expr) and not value.dtype.is_bool) or type(value) in (int, float)
        if number and not only_truth:
            what = value.dtype if isinstance(value, Expr) else repr(value)
            raise self.translation.refuse(node, f"and, or take conditions, not {what}", "compare: x != 0")
        return self.arithmetic.truth(value, node)

    def choice(self, node: ast.IfExp) -> Value:
        cond = self.condition(node.test)
        if not isinstance(cond, Expr):
            return self.evaluate(node.body if cond else node.orelse)
        with self.translation.assuming(cond):
            then = self.evaluate(node.body)
        with self.translation.assuming(ops.logical_not(cond)):
            other = self.evaluate(node.orelse)
        for value, side in ((then, node.body), (other, node.orelse)):
            if isinstance(value, Slice | tuple | Buffer | ConstantTable):
                raise self.translation.refuse(
                    side, f"{kind_of(value)} cannot be chosen", "choose elements, or write an if"
                )
            self.arithmetic.check_number(value, side)
        return self.arithmetic.apply(node, ops.if_then_else, cond, then, other)


def _both(a: Value, b: Value) -> Value:
    """Whether both conditions hold."""
    if isinstance(a, Expr) or isinstance(b, Expr):
        return ops.logical_and(convert(bool(a) if not isinstance(a, Expr) else a), convert(b))
    return a and b
