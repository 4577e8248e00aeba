"""Expressions of hybrid functions: Python's own syntax tree, one rule per construct."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Sequence
from typing import Any

from tewb.base import HybridError, TewbError
from tewb.ir import (
    Buffer,
    Expr,
    IntImm,
    convert,
    ops,
)
from tewb.tensor.hybrid import refusals
from tewb.tensor.hybrid.context import Context
from tewb.tensor.hybrid.operators import BINARY, BUILD, COMPARE
from tewb.tensor.hybrid.shared import Table
from tewb.tensor.hybrid.values import (
    Counted,
    Slice,
    Value,
    elementwise,
    kind_of,
)


class Expressions(Context):
    """Values and operators. Elements and calls have files of their own."""

    def expression(self, node: ast.expr) -> Value:
        rule = _EXPRESSIONS.get(type(node))
        if rule is None:
            raise self.not_here(node, refusals.EXPRESSIONS.get(type(node)))
        return rule(self, node)

    def constant(self, node: ast.Constant) -> Value:
        if not isinstance(node.value, bool | int | float | str):
            raise self.refuse(node, f"{node.value!r} is no number", "numbers are 1, 0.5, 1e-3, True, False")
        return node.value

    def tuple_(self, node: ast.Tuple | ast.List) -> Value:
        return tuple(self.expression(e) for e in node.elts)

    def binary(self, node: ast.BinOp) -> Value:
        return self.binary_values(node, node.op, self.expression(node.left), self.expression(node.right))

    def binary_values(self, node: ast.AST, op: ast.operator, a: Value, b: Value) -> Value:
        known = not any(isinstance(x, Expr | Slice) for x in (a, b))
        rule = (BINARY if known else BUILD).get(type(op))
        if rule is None:
            what, hint = refusals.OPERATORS[type(op)]
            raise self.refuse(node, f"the operator {what} is not part of the hybrid language", hint)
        for x in (a, b):
            self.number(x, node)
        return self.applied(node, rule, a, b)

    def number(self, value: Value, node: ast.AST) -> None:
        """Refuse what arithmetic cannot take."""
        if isinstance(value, Buffer | Table):
            raise self.refuse(
                node,
                f"{value.name} is a tensor",
                f"take an element, {value.name}[i], or all of them, {value.name}[:]",
            )
        if isinstance(value, Counted | str | tuple | list):
            raise self.refuse(
                node, f"{kind_of(value)} is no number", "numbers and elements go into arithmetic"
            )

    def applied(self, node: ast.AST, f: Callable[..., Any], *values: Value) -> Value:
        """`f` of the values, element by element when there are slices. Its errors become ours."""
        try:
            if not any(isinstance(v, Slice) for v in values):
                return f(*values)
            made = elementwise(f, self.common_shape(node, values), *values)
            _ = made.dtype  # a mistake shows here
            return made
        except HybridError:
            raise
        except TewbError as e:
            raise self.refuse(node, e.message, e.hint) from None
        except (ZeroDivisionError, TypeError, ValueError, OverflowError) as e:
            raise self.refuse(node, str(e)) from None

    def common_shape(self, node: ast.AST, values: Sequence[Value]) -> tuple[Expr, ...]:
        raise NotImplementedError

    def unary(self, node: ast.UnaryOp) -> Value:
        value = (
            self.condition(node.operand) if isinstance(node.op, ast.Not) else self.expression(node.operand)
        )
        self.number(value, node)
        match node.op:
            case ast.USub():
                return self.applied(node, lambda x: -x, value)
            case ast.UAdd():
                return value
            case ast.Invert():
                return self.applied(node, lambda x: ~x, value)
        return ops.logical_not(value) if isinstance(value, Expr) else not value

    def truth(self, value: Value, node: ast.AST) -> Expr:
        e = self.convert(value, node)
        return e if e.dtype.is_bool else ops.not_equal(e, 0)

    def condition(self, node: ast.expr) -> Value:
        """A value where only its truth counts: a bool that is known now, or an expression."""
        value = self.logic(node, True) if isinstance(node, ast.BoolOp) else self.expression(node)
        return self.truth_of(value, node)

    def truth_of(self, value: Value, node: ast.AST) -> Value:
        if isinstance(value, Buffer | Table):
            raise self.refuse(node, f"{value.name} is a tensor", f"ask about an element: {value.name}[i] > 0")
        if isinstance(value, Slice):
            raise self.refuse(node, "a slice is neither true nor false", "ask about elements in a loop")
        if isinstance(value, Expr):
            cond = self.truth(value, node)
            return bool(cond.value) if isinstance(cond, IntImm) else cond
        return bool(value)

    def compare(self, node: ast.Compare) -> Value:
        """a < b < c is a < b and b < c; what comes later is only looked at when the first part holds."""
        result: Value = True
        left = self.expression(node.left)
        for op, right in zip(node.ops, node.comparators, strict=True):
            pair = COMPARE.get(type(op))
            if pair is None:
                what, hint = refusals.OPERATORS[type(op)]
                raise self.refuse(node, f"the operator {what} is not part of the hybrid language", hint)
            if isinstance(result, Expr):
                with self.assuming(result):
                    value = self.expression(right)
            else:
                value = self.expression(right)
            known = not any(isinstance(x, Expr | Slice) for x in (left, value))
            for x in (left, value):
                if not (known and isinstance(x, str)):
                    self.number(x, node)
            part = self.applied(node, pair[0] if known else pair[1], left, value)
            if isinstance(part, Slice) and len(node.ops) > 1:
                raise self.refuse(node, "a chain of comparisons takes no slices", "write (a < b) & (b < c)")
            result = part if result is True else self.both(result, part)
            left = value
        return result

    def both(self, a: Value, b: Value) -> Value:
        if isinstance(a, Expr) or isinstance(b, Expr):
            return ops.logical_and(convert(bool(a) if not isinstance(a, Expr) else a), convert(b))
        return a and b

    def logic(self, node: ast.BoolOp, only_truth: bool = False) -> Value:
        """and, or: the later values are only looked at when they decide."""
        is_and = isinstance(node.op, ast.And)
        result: Value = self.operand(node.values[0], only_truth)
        for part in node.values[1:]:
            if not isinstance(result, Expr):
                if bool(result) != is_and:
                    return result
                result = self.operand(part, only_truth)
                continue
            with self.assuming(result if is_and else ops.logical_not(result)):
                value = self.operand(part, only_truth)
            result = (ops.logical_and if is_and else ops.logical_or)(result, convert(value))
        return result

    def operand(self, node: ast.expr, only_truth: bool) -> Value:
        if isinstance(node, ast.BoolOp):
            return self.logic(node, only_truth)
        value = self.expression(node)
        number = (isinstance(value, Expr) and not value.dtype.is_bool) or type(value) in (int, float)
        if number and not only_truth:
            what = value.dtype if isinstance(value, Expr) else repr(value)
            raise self.refuse(node, f"and, or take conditions, not {what}", "compare: x != 0")
        return self.truth_of(value, node)

    def choice(self, node: ast.IfExp) -> Value:
        cond = self.condition(node.test)
        if not isinstance(cond, Expr):
            return self.expression(node.body if cond else node.orelse)
        with self.assuming(cond):
            then = self.expression(node.body)
        with self.assuming(ops.logical_not(cond)):
            other = self.expression(node.orelse)
        for value, side in ((then, node.body), (other, node.orelse)):
            if isinstance(value, Slice | tuple | Buffer | Table):
                raise self.refuse(
                    side, f"{kind_of(value)} cannot be chosen", "choose elements, or write an if"
                )
            self.number(value, side)
        return self.applied(node, ops.if_then_else, cond, then, other)

    def attribute(self, node: ast.Attribute) -> Value:
        value = self.expression(node.value)
        if isinstance(value, Buffer | Table) and node.attr == "shape":
            return tuple(n.value if isinstance(n, IntImm) else n for n in value.shape)
        if isinstance(value, Buffer | Table) and node.attr == "ndim":
            return len(value.shape)
        if isinstance(value, Buffer | Table | Expr) and node.attr == "dtype":
            return str(value.dtype)
        if isinstance(value, types.ModuleType):
            found = getattr(value, node.attr, None)
            if isinstance(found, bool | int | float) or hasattr(found, "parse_into"):
                return found
            raise self.refuse(
                node,
                f"{value.__name__}.{node.attr} is not part of the hybrid language",
                "numbers of modules are, as math.pi; functions are words: exp(x), sqrt(x)",
            )
        raise self.refuse(
            node, f".{node.attr} is not part of the hybrid language", "tensors have .shape, .ndim and .dtype"
        )

    def subscript(self, node: ast.Subscript) -> Value:
        raise NotImplementedError

    def call(self, node: ast.Call) -> Value:
        raise NotImplementedError


_EXPRESSIONS: dict[type[ast.expr], Callable[[Any, Any], Value]] = {
    ast.Name: Expressions.look_up,
    ast.Constant: Expressions.constant,
    ast.Tuple: Expressions.tuple_,
    ast.List: Expressions.tuple_,
    ast.BinOp: Expressions.binary,
    ast.UnaryOp: Expressions.unary,
    ast.Compare: Expressions.compare,
    ast.BoolOp: Expressions.logic,
    ast.IfExp: Expressions.choice,
    ast.Attribute: Expressions.attribute,
    ast.Subscript: lambda p, n: p.subscript(n),
    ast.Call: lambda p, n: p.call(n),
}
