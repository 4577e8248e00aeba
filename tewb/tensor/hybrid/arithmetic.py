"""Numbers and elements in hybrid functions: conversions, operators and conditions."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np

from tewb.base import DType, DTypeError, HybridError, TewbError
from tewb.ir import Buffer, Expr, IntImm, const, convert, ops
from tewb.tensor.hybrid import refusals
from tewb.tensor.hybrid.broadcast import common_shape
from tewb.tensor.hybrid.operators import BINARY, BUILD, COMPARE
from tewb.tensor.hybrid.shared_buffers import ConstantTable
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.hybrid.values import CountedRange, Slice, Value, elementwise, kind_of


class Arithmetic:
    """What is computed from values that have been translated. `node` is where a mistake is shown."""

    def __init__(self, translation: Translation) -> None:
        self.translation = translation

    # ---- conversions

    def convert(self, value: Value, node: ast.AST) -> Expr:
        """A number or element as an expression."""
        if isinstance(value, Expr):
            return value
        if isinstance(value, bool | int | float | np.generic):
            try:
                return convert(value)
            except TewbError as e:
                raise self.translation.refuse(node, e.message) from None
        is_tensor = isinstance(value, Buffer | ConstantTable)
        what = f"{value.name}, a tensor," if is_tensor else kind_of(value)
        raise self.translation.refuse(node, f"{what} is no number or element", "take an element: a[i]")

    def convert_to(self, value: Value, dtype: DType, node: ast.AST) -> Expr:
        """`value` as it is stored in memory of `dtype`."""
        if isinstance(value, bool | int) and dtype.is_int:
            try:
                return const(int(value), dtype)
            except DTypeError as e:
                raise self.translation.refuse(node, e.message, f"{dtype}({value}) wraps") from None
        return ops.cast(self.convert(value, node), dtype)

    def check_number(self, value: Value, node: ast.AST) -> None:
        """Refuse what arithmetic cannot take."""
        if isinstance(value, Buffer | ConstantTable):
            raise self.translation.refuse(
                node,
                f"{value.name} is a tensor",
                f"take an element, {value.name}[i], or all of them, {value.name}[:]",
            )
        if isinstance(value, CountedRange | str | tuple | list):
            raise self.translation.refuse(
                node, f"{kind_of(value)} is no number", "numbers and elements go into arithmetic"
            )

    # ---- operators

    def apply(self, node: ast.AST, f: Callable[..., Any], *values: Value) -> Value:
        """`f` of the values, element by element when there are slices. Its errors become ours."""
        try:
            if not any(isinstance(v, Slice) for v in values):
                return f(*values)
            result = elementwise(f, common_shape(self.translation, node, values), *values)
            _ = result.dtype  # a mistake shows here
            return result
        except HybridError:
            raise
        except TewbError as e:
            raise self.translation.refuse(node, e.message, e.hint) from None
        except (ZeroDivisionError, TypeError, ValueError, OverflowError) as e:
            raise self.translation.refuse(node, str(e)) from None

    def binary(self, node: ast.AST, op: ast.operator, a: Value, b: Value) -> Value:
        rule = (BINARY if _is_known(a, b) else BUILD).get(type(op))
        if rule is None:
            raise self.not_an_operator(node, op)
        for x in (a, b):
            self.check_number(x, node)
        return self.apply(node, rule, a, b)

    def compare(self, node: ast.AST, op: ast.cmpop, a: Value, b: Value) -> Value:
        known = _is_known(a, b)
        for x in (a, b):
            if not (known and isinstance(x, str)):
                self.check_number(x, node)
        of_numbers, of_elements = COMPARE[type(op)]
        return self.apply(node, of_numbers if known else of_elements, a, b)

    def not_an_operator(self, node: ast.AST, op: ast.AST) -> TewbError:
        what, hint = refusals.OPERATORS[type(op)]
        return self.translation.refuse(node, f"the operator {what} is not part of the hybrid language", hint)

    # ---- conditions

    def truth(self, value: Value, node: ast.AST) -> bool | Expr:
        """Whether a value is true: a bool when that is known now, or an expression."""
        if isinstance(value, Buffer | ConstantTable):
            raise self.translation.refuse(
                node, f"{value.name} is a tensor", f"ask about an element: {value.name}[i] > 0"
            )
        if isinstance(value, Slice):
            raise self.translation.refuse(
                node, "a slice is neither true nor false", "ask about elements in a loop"
            )
        if isinstance(value, Expr):
            cond = value if value.dtype.is_bool else ops.not_equal(value, 0)
            return bool(cond.value) if isinstance(cond, IntImm) else cond
        return bool(value)


def _is_known(*values: Value) -> bool:
    """Whether all values are known when the function is translated."""
    return not any(isinstance(v, Expr | Slice) for v in values)
