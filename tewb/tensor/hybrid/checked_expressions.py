"""Expressions of hybrid functions on numpy arrays, operation by operation, with every access checked."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tewb.tensor.hybrid import refusals
from tewb.tensor.hybrid.checked_arrays import CheckedArray
from tewb.tensor.hybrid.checked_call import CheckedCall, plain
from tewb.tensor.hybrid.checked_elements import CheckedElements, check_number, is_integer
from tewb.tensor.hybrid.operators import BINARY, COMPARE, OF_BOOLEANS
from tewb.tensor.hybrid.syntax import literal
from tewb.tensor.hybrid.typed_numbers import beside, cast_array, matched, typed
from tewb.tensor.hybrid.values import CountedRange, Inlinable
from tewb.tensor.hybrid.words import CASTS, FUNCTIONS, LOOPS, extreme


class CheckedExpressions:
    """The expressions of one call."""

    def __init__(self, call: CheckedCall) -> None:
        self.call = call
        self.elements = CheckedElements(call, self.evaluate)

    def evaluate(self, node: ast.expr) -> Any:
        """The value of an expression: a number, an array or a tuple."""
        match node:
            case ast.Constant(value=bool() | int() | float() | str()):
                return node.value
            case ast.Name():
                return self.call.look_up(node)
            case ast.Tuple(elts=elts) | ast.List(elts=elts):
                return tuple(self.evaluate(e) for e in elts)
            case ast.BinOp(left=left, op=op, right=right):
                return self.binary(node, op, self.evaluate(left), self.evaluate(right))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self.not_(self.truth_value(operand))
            case ast.UnaryOp(op=op, operand=operand):
                x = check_number(self.call, self.evaluate(operand), node)
                return -x if isinstance(op, ast.USub) else ~x if isinstance(op, ast.Invert) else x
            case ast.Compare():
                return self.compare(node)
            case ast.BoolOp(op=op, values=values):
                return self.logic(isinstance(op, ast.And), values)
            case ast.IfExp():
                return self.choice(node)
            case ast.Attribute():
                return self.attribute(node)
            case ast.Subscript():
                return self.elements.subscript(node)
            case ast.Call():
                return self.call_word(node)
        what, hint = refusals.EXPRESSIONS.get(type(node), (type(node).__name__, None))
        raise self.call.error(node, f"{what} is not part of the hybrid language", hint)

    def binary(self, node: ast.AST, op: ast.operator, a: Any, b: Any) -> Any:
        f = BINARY.get(type(op))
        if f is None:
            raise self.call.error(
                node, f"the operator {type(op).__name__} is not part of the hybrid language"
            )
        x, y = matched(
            check_number(self.call, a, node),
            check_number(self.call, b, node),
            count_booleans=not isinstance(op, OF_BOOLEANS),
        )
        if isinstance(op, ast.FloorDiv | ast.Mod) and is_integer(y) and np.any(np.asarray(y) == 0):
            raise self.call.error(node, "division by zero", "guard it with an if")
        if isinstance(op, ast.LShift | ast.RShift) and isinstance(x, np.generic | np.ndarray):
            bits = x.dtype.itemsize * 8
            if np.any((np.asarray(y) < 0) | (np.asarray(y) >= bits)):
                raise self.call.error(node, f"shift of {x.dtype} by {plain(y)}", f"shift by 0 to {bits - 1}")
        try:
            return f(x, y)
        except (ZeroDivisionError, TypeError, ValueError) as e:
            raise self.call.error(node, str(e)) from None

    def compare(self, node: ast.Compare) -> Any:
        left = self.evaluate(node.left)
        result: Any = True
        for op, comparator in zip(node.ops, node.comparators, strict=True):
            right = self.evaluate(comparator)
            pair = COMPARE.get(type(op))
            if pair is None:
                raise self.call.error(node, f"{type(op).__name__} is not part of the hybrid language")
            x, y = left, right
            if not (isinstance(left, str) and isinstance(right, str)):
                x, y = matched(check_number(self.call, left, node), check_number(self.call, right, node))
            result = pair[0](x, y)
            if len(node.ops) > 1 and not result:
                return result
            left = right
        return result

    def logic(self, is_and: bool, values: Sequence[ast.expr]) -> Any:
        result: Any = is_and
        is_typed = False
        for v in values:
            result = self.truth_value(v)
            is_typed = is_typed or isinstance(result, np.generic)
            if bool(result) != is_and:
                break
        return np.bool_(result) if is_typed else bool(result)

    def truth_value(self, node: ast.expr) -> Any:
        value = self.evaluate(node)
        if isinstance(value, np.ndarray):
            raise self.call.error(node, "a slice is neither true nor false", "ask about elements in a loop")
        value = check_number(self.call, value, node)
        return np.bool_(value != 0) if isinstance(value, np.generic) else bool(value)

    def truth(self, node: ast.expr) -> bool:
        return bool(self.truth_value(node))

    def not_(self, value: Any) -> Any:
        return np.bool_(not value) if isinstance(value, np.generic) else not value

    def choice(self, node: ast.IfExp) -> Any:
        cond = self.truth_value(node.test)
        chosen, other = (node.body, node.orelse) if cond else (node.orelse, node.body)
        value, number = self.evaluate(chosen), literal(other)
        return value if number is None or not isinstance(cond, np.generic) else beside(value, number)

    def attribute(self, node: ast.Attribute) -> Any:
        base = self.evaluate(node.value)
        if isinstance(base, CheckedArray) and node.attr in ("shape", "ndim"):
            return getattr(base.data, node.attr)
        if node.attr == "dtype" and isinstance(base, CheckedArray | np.generic):
            return base.data.dtype.name if isinstance(base, CheckedArray) else base.dtype.name
        member = getattr(base, node.attr, None) if isinstance(base, types.ModuleType) else None
        if isinstance(member, bool | int | float | Inlinable):
            return member
        raise self.call.error(
            node, f".{node.attr} is not part of the hybrid language", "tensors have .shape and .dtype"
        )

    # ---- calls

    def callee(self, node: ast.Call) -> str | Inlinable:
        """A word of the language, or another hybrid function."""
        if isinstance(node.func, ast.Attribute):
            member = self.attribute(node.func)
            if isinstance(member, Inlinable):
                return member
        if not isinstance(node.func, ast.Name):
            raise self.call.error(node, "this cannot be called in the hybrid language")
        outer = self.call.outer.get(node.func.id)
        return outer if isinstance(outer, Inlinable) else node.func.id

    def call_word(self, node: ast.Call) -> Any:
        name = self.callee(node)
        args = [self.evaluate(a) for a in node.args]
        if name == "bind" and len(args) == 2:
            return CountedRange("range", (args[1],))
        if name in LOOPS or name == "const_range":
            return CountedRange(name, tuple(args))
        if name == "len":
            return len(args[0].data) if isinstance(args[0], CheckedArray) else len(args[0])
        if name in ("enumerate", "zip"):
            return tuple(enumerate(args[0])) if name == "enumerate" else tuple(zip(*args, strict=False))
        args = [check_number(self.call, a, node) for a in args]
        if name in ("min", "max"):
            return extreme(name, *args)
        if name in CASTS:
            return cast_array(args[0], name)
        if name in ("int", "float"):
            x = typed(args[0])
            return x if x.dtype.kind == ("f" if name == "float" else "i") else cast_array(x, f"{name}32")
        if name not in FUNCTIONS:
            raise self.call.error(node, f"there is no function {name}")
        function: Callable[..., Any] = FUNCTIONS[name][1]
        return function(*args)
