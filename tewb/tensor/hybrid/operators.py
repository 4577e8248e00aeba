"""The operators of the language: on numbers known now, and on elements."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from tewb.ir import Expr, ops

BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: _product(a, b),
    ast.Div: lambda a, b: a / b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: lambda a, b: a % b,
    ast.Pow: lambda a, b: _power(a, b),
    ast.LShift: lambda a, b: _shifted(a, b),
    ast.RShift: lambda a, b: a >> b,
    ast.BitAnd: lambda a, b: a & b,
    ast.BitOr: lambda a, b: a | b,
    ast.BitXor: lambda a, b: a ^ b,
}


MOST_BITS = 512  # of a number that is known now


def _power(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int) and (abs(b) > 64 or a.bit_length() * abs(b) > MOST_BITS):
        raise ValueError(f"the exponent {b} is too large")
    return a**b


def _shifted(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int) and (b > 64 or a.bit_length() + b > MOST_BITS):
        raise ValueError(f"a shift by {b} is too large")
    return a << b


def _product(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int) and a.bit_length() + b.bit_length() > MOST_BITS:
        raise ValueError("the product is too large")
    return a * b


OF_BOOLEANS = (ast.BitAnd, ast.BitOr, ast.BitXor)  # others count booleans as int32

# On numbers known now, and on elements.
BUILD: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    **BINARY,
    ast.Pow: lambda a, b: a**b,
    ast.LShift: ops.shift_left,
    ast.RShift: ops.shift_right,
}

COMPARE: dict[type[ast.cmpop], tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Expr]]] = {
    ast.Eq: (lambda a, b: a == b, ops.equal),
    ast.NotEq: (lambda a, b: a != b, ops.not_equal),
    ast.Lt: (lambda a, b: a < b, ops.less),
    ast.LtE: (lambda a, b: a <= b, ops.less_equal),
    ast.Gt: (lambda a, b: a > b, ops.greater),
    ast.GtE: (lambda a, b: a >= b, ops.greater_equal),
}
