"""Questions about the syntax tree of a hybrid function."""

from __future__ import annotations

import ast


def set_names(body: list[ast.stmt]) -> dict[str, int]:
    """How often each name is set by the statements, loops included. An augmented assignment counts twice,
    since it also needs what was there."""
    counts: dict[str, int] = {}
    for statement in body:
        for n in ast.walk(statement):
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store):
                counts[n.id] = counts.get(n.id, 0) + 1
            if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name):
                counts[n.target.id] = counts.get(n.target.id, 0) + 1
    return counts


def literal(node: ast.expr) -> int | float | None:
    """The number that an expression is, with its sign; None for other expressions."""
    match node:
        case ast.Constant(value=bool() | int() | float() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
    return None


def written_names(body: list[ast.stmt]) -> set[str]:
    """The names that the statements set, and those whose elements they set."""
    names = set(set_names(body))
    for statement in body:
        for n in ast.walk(statement):
            if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store):
                base = n.value
                while isinstance(base, ast.Subscript):
                    base = base.value
                if isinstance(base, ast.Name):
                    names.add(base.id)
    return names


def subscripts(node: ast.Subscript) -> list[ast.expr]:
    """One expression for each dimension: i and j in a[i, j]."""
    return node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]


def has_slice(node: ast.Subscript) -> bool:
    return any(isinstance(p, ast.Slice) for p in subscripts(node))


def element_load(target: ast.expr) -> ast.expr:
    """The target of an assignment as an expression that reads it, for x += 1 and a[i] += 1."""
    load: ast.expr
    if isinstance(target, ast.Name):
        load = ast.Name(target.id, ast.Load())
    else:
        assert isinstance(target, ast.Subscript)
        load = ast.Subscript(target.value, target.slice, ast.Load())
    return ast.copy_location(load, target)
