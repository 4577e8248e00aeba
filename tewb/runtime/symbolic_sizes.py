"""Sizes and strides that are expressions of symbols: what they are worth in a call."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping


def evaluated(text: str, symbols: dict[str, int]) -> int:
    """The value of an expression of symbols, often a symbol alone."""
    if text in symbols:
        return symbols[text]
    try:
        return int(eval(text, {"__builtins__": {}, "min": min, "max": max}, dict(symbols)))
    except ZeroDivisionError:
        return _total(ast.parse(text, mode="eval").body, symbols)


# By our own definition a quotient by 0 is 0, and so is the remainder.
_TOTAL: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: lambda a, b: a // b if b else 0,
    ast.Mod: lambda a, b: a % b if b else 0,
}


def _total(e: ast.expr, symbols: Mapping[str, int]) -> int:
    """The value of arithmetic that divides by 0 somewhere."""
    match e:
        case ast.Name(name):
            return symbols[name]
        case ast.UnaryOp(ast.USub(), x):
            return -_total(x, symbols)
        case ast.BinOp(x, op, y):
            return _TOTAL[type(op)](_total(x, symbols), _total(y, symbols))
        case ast.Call(ast.Name(name), args):
            return (min if name == "min" else max)(_total(a, symbols) for a in args)
    return int(ast.literal_eval(e))
