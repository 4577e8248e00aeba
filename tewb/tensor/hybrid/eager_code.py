"""The code of a hybrid function for an eager run: its own lines, with the arithmetic of the compiled function.

    b[i] = a[i] * 3 - x      ->      b[i] = stored(sub(mul(a[i], 3), x), b)

Names that are set more than once are variables, and keep the dtype of their first value; line numbers stay, so that
debuggers and tracebacks show the function as it was written.
"""

from __future__ import annotations

import ast
import copy
import linecache
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from tewb.tensor.hybrid.operators import BINARY, COMPARE, OF_BOOLEANS
from tewb.tensor.hybrid.source_text import SourceText
from tewb.tensor.hybrid.syntax import element_load, literal, set_names
from tewb.tensor.hybrid.typed_numbers import beside, cast_array, matched, typed


def _arithmetic(op: type[ast.operator]) -> Callable[[Any, Any], Any]:
    f, counts = BINARY[op], op not in OF_BOOLEANS
    return lambda a, b: f(*matched(a, b, count_booleans=counts)) if _are_numbers(a, b) else f(a, b)


def _comparison(op: type[ast.cmpop]) -> Callable[[Any, Any], Any]:
    f = COMPARE[op][0]
    return lambda a, b: f(*matched(a, b)) if _are_numbers(a, b) else f(a, b)


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(v, bool | int | float | np.generic | np.ndarray) for v in values)


def first(value: Any) -> Any:
    """The first value of a variable: a number gets its dtype."""
    return typed(value) if isinstance(value, bool | int | float) else value


def kept(value: Any, before: Any) -> Any:
    """A later value of a variable: a number gets the dtype that the variable has."""
    is_number = isinstance(before, np.generic) and isinstance(value, bool | int | float | np.generic)
    return cast_array(value, before.dtype.name) if is_number else first(value)


def stored(value: Any, array: Any) -> Any:
    """`value` as it is stored in an array."""
    is_typed = isinstance(array, np.ndarray) and isinstance(value, np.generic | np.ndarray)
    return cast_array(value, array.dtype.name) if is_typed else value


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{op.__name__: _arithmetic(op) for op in BINARY},
    **{op.__name__: _comparison(op) for op in COMPARE},
    "first": first,
    "kept": kept,
    "stored": stored,
    "beside": beside,
}
NAMES = {f"__tewb_{name}": f for name, f in _FUNCTIONS.items()}  # what the code needs among its globals


def eager_code(text: SourceText, f: Callable[..., Any]) -> types.CodeType:
    """The code of `f` with typed arithmetic. It needs `NAMES` among its globals."""
    function = copy.deepcopy(text.tree)
    function.decorator_list, function.returns, function.args.defaults = [], None, []
    for a in function.args.args:
        a.annotation = None
    _TypedArithmetic(function).rewrite()
    free: Sequence[str] = f.__code__.co_freevars
    around = ast.parse(f"def around({', '.join(free)}): return {function.name}").body[0]
    around.body.insert(0, function)  # type: ignore[attr-defined]
    _shift_columns(function, text)
    module = ast.fix_missing_locations(ast.Module([around], []))
    ast.increment_lineno(module, text.first_line - 1)
    return _inner(_inner(compile(module, text.file, "exec"), "around"), function.name)


def _inner(code: types.CodeType, name: str) -> types.CodeType:
    return next(c for c in code.co_consts if isinstance(c, types.CodeType) and c.co_name == name)


def _shift_columns(function: ast.FunctionDef, text: SourceText) -> None:
    """The text begins at the left margin; tracebacks mark columns of the file."""
    line = linecache.getline(text.file, text.first_line)
    margin = len(line) - len(line.lstrip())
    if margin:
        for n in ast.walk(function):
            if hasattr(n, "col_offset"):
                n.col_offset += margin
            if getattr(n, "end_col_offset", None) is not None:
                n.end_col_offset += margin  # type: ignore[attr-defined]


N = TypeVar("N", bound=ast.AST)


class _TypedArithmetic(ast.NodeTransformer):
    """Rewrites one function. `blocks` are the variables that are set so far, innermost block last."""

    def __init__(self, function: ast.FunctionDef) -> None:
        self.function = function
        self.parameters = [a.arg for a in function.args.args]
        self.variables = {
            n for n, times in set_names(function.body).items() if times > 1 or n in self.parameters
        }
        self.blocks: list[set[str]] = [{n for n in self.parameters if n in self.variables}]
        self.count = 0

    def rewrite(self) -> None:
        at = self.function.body[0]
        typed_parameters: list[ast.stmt] = [
            _located(ast.Assign([ast.Name(n, ast.Store())], self.called("first", _name(n))), at)
            for n in self.parameters
            if n in self.variables
        ]
        self.function.body = [*typed_parameters, *self.statements(self.function.body)]

    def statements(self, nodes: Sequence[ast.stmt]) -> list[ast.stmt]:
        rewritten: list[ast.stmt] = []
        for n in nodes:
            new = self.visit(n)
            rewritten += new if isinstance(new, list) else [new]
        return rewritten

    @contextmanager
    def block(self) -> Iterator[None]:
        self.blocks.append(set())
        try:
            yield
        finally:
            self.blocks.pop()

    def inside(self, nodes: Sequence[ast.stmt]) -> list[ast.stmt]:
        with self.block():
            return self.statements(nodes)

    def called(self, function: str, *args: ast.expr) -> ast.Call:
        return ast.Call(ast.Name(f"__tewb_{function}", ast.Load()), list(args), [])

    def fresh(self) -> str:
        self.count += 1
        return f"__tewb_{self.count}"

    # ---- expressions

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if type(node.op) not in BINARY:
            return node
        return _located(self.called(type(node.op).__name__, node.left, node.right), node)

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """a < b < c is lt(a, t := b) and lt(t, c)."""
        self.generic_visit(node)
        if any(type(op) not in COMPARE for op in node.ops):
            return node
        comparisons: list[ast.expr] = []
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            following = right
            if right is not node.comparators[-1]:
                name = self.fresh()
                right, following = ast.NamedExpr(ast.Name(name, ast.Store()), right), _name(name)
            comparisons.append(self.called(type(op).__name__, left, right))
            left = following
        both = comparisons[0] if len(comparisons) == 1 else ast.BoolOp(ast.And(), comparisons)
        return _located(both, node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        numbers = literal(node.body), literal(node.orelse)
        self.generic_visit(node)
        if numbers[1] is not None:
            node.body = self.called("beside", node.body, ast.Constant(numbers[1]))
        if numbers[0] is not None:
            node.orelse = self.called("beside", node.orelse, ast.Constant(numbers[0]))
        return _located(node, node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        return node

    # ---- statements

    def visit_Assign(self, node: ast.Assign) -> ast.stmt | list[ast.stmt]:
        node.value = self.visit(node.value)
        if len(node.targets) != 1:
            return node
        target = node.targets[0]
        if not isinstance(target, ast.Tuple | ast.List):
            return self.store(target, node.value, node)
        if not all(isinstance(t, ast.Name | ast.Subscript) for t in target.elts):
            return node
        names = [self.fresh() for _ in target.elts]
        unpacked = ast.Assign([ast.Tuple([ast.Name(n, ast.Store()) for n in names], ast.Store())], node.value)
        stores = [self.store(t, _name(n), node) for t, n in zip(target.elts, names, strict=True)]
        return [_located(unpacked, node), *stores]

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        if type(node.op) not in BINARY:
            return node
        current, value = self.visit(element_load(node.target)), self.visit(node.value)
        return self.store(node.target, self.called(type(node.op).__name__, current, value), node)

    def store(self, target: ast.expr, value: ast.expr, node: ast.stmt) -> ast.stmt:
        """An assignment to one name or element: it gets a value of its own dtype."""
        if isinstance(target, ast.Subscript):
            memory = self.visit(copy.deepcopy(target.value))
            value = self.called("stored", value, memory)
            target = self.visit(target)
        elif isinstance(target, ast.Name) and target.id in self.variables:
            if any(target.id in b for b in self.blocks):
                value = self.called("kept", value, _name(target.id))
            else:
                self.blocks[-1].add(target.id)
                value = self.called("first", value)
        return _located(ast.Assign([target], value), node)

    def visit_If(self, node: ast.If) -> ast.stmt:
        node.test = self.visit(node.test)
        node.body, node.orelse = self.inside(node.body), self.inside(node.orelse)
        return node

    def visit_While(self, node: ast.While) -> ast.stmt:
        node.test = self.visit(node.test)
        node.body, node.orelse = self.inside(node.body), self.inside(node.orelse)
        return node

    def visit_For(self, node: ast.For) -> ast.stmt:
        node.iter = self.visit(node.iter)
        node.body, node.orelse = self.inside(node.body), self.inside(node.orelse)
        return node


def _name(identifier: str) -> ast.expr:
    return ast.Name(identifier, ast.Load())


def _located(node: N, at: ast.AST) -> N:
    """`node`, and what it is made of, at the place of `at` where it has none of its own."""
    return ast.fix_missing_locations(ast.copy_location(node, at))


def function_of(
    code: types.CodeType, f: Callable[..., Any], names: Mapping[str, Any], arrays: Mapping[str, Any]
) -> Callable[..., Any]:
    """The function of `code` with `names` for globals; it shares the closure of `f`, but for the tensors in `arrays`."""
    cells = dict(zip(f.__code__.co_freevars, f.__closure__ or (), strict=True))
    closure = tuple(types.CellType(arrays[n]) if n in arrays else cells[n] for n in code.co_freevars)
    return types.FunctionType(code, {**names, **NAMES}, f.__name__, f.__defaults__, closure)
