"""Integer expressions as Python text, in which a journal keeps them: variables and numbers with `+ - * // %`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from tewb.base import INT32, INT64
from tewb.ir import Add, Expr, FloorDiv, FloorMod, Mul, Sub, const, const_int, ops

_SIGNS: dict[type, str] = {Add: "+", Sub: "-", Mul: "*", FloorDiv: "//", FloorMod: "%"}
_OPERATORS: dict[type, Callable[[Expr, Expr], Expr]] = {
    ast.Add: ops.add, ast.Sub: ops.sub, ast.Mult: ops.mul, ast.FloorDiv: ops.floordiv, ast.Mod: ops.floormod,
}  # fmt: skip


def read_integer(node: ast.AST, known: Mapping[str, Expr], unknown: str, what: str) -> Expr:
    """The expression that a syntax tree means, of the variables `known`. Raises ValueError: `unknown` says with the name
    in the place of `{}` that there is no such variable, `what` names the things that are read."""

    def read(node: ast.AST) -> Expr:
        match node:
            case ast.Name(id=name) if name in known:
                return known[name]
            case ast.Name(id=name):
                raise ValueError(unknown.format(name))
            case ast.Constant(value=int() as n) if not isinstance(n, bool) and abs(n) < 1 << 62:
                return const(n, INT32 if abs(n) < 1 << 31 else INT64)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return ops.neg(read(operand))
            case ast.BinOp(left=a, op=op, right=b) if type(op) in _OPERATORS:
                x, y = ops.match(read(a), read(b))
                if type(op) in (ast.FloorDiv, ast.Mod) and const_int(y) == 0:
                    raise ValueError("it divides by zero")
                return _OPERATORS[type(op)](x, y)
        raise ValueError(f"{what} are made with + - * // and %")

    return read(node)


def operation_text(e: Expr, text_of: Callable[[Expr], str]) -> str | None:
    """An operation of two sides in Python, whose sides are written by `text_of`; None for what is no such operation."""
    if type(e) not in _SIGNS:
        return None
    a, b = (text_of(x) for x in (e.a, e.b))  # type: ignore[attr-defined]
    a, b = (t if t.isidentifier() or t.isdigit() else f"({t})" for t in (a, b))
    return f"{a} {_SIGNS[type(e)]} {b}"
