"""Expressions of hybrid functions: Python's own syntax tree, one rule per construct."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tewb.arith import Analyzer, detect_linear
from tewb.base import BoundError, HybridError, Span, TewbError
from tewb.ir import (
    Buffer,
    BufferLoad,
    Expr,
    IntImm,
    IterVar,
    Origin,
    Stmt,
    const,
    const_int,
    convert,
    ops,
    script,
    seq,
)
from tewb.tensor.hybrid.names import CASTS, FUNCTIONS, LOOPS

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: lambda a, b: a % b,
    ast.Pow: lambda a, b: a**b,
    ast.LShift: lambda a, b: a << b,
    ast.RShift: lambda a, b: a >> b,
    ast.BitAnd: lambda a, b: a & b,
    ast.BitOr: lambda a, b: a | b,
    ast.BitXor: lambda a, b: a ^ b,
}

_COMPARE: dict[type[ast.cmpop], tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Expr]]] = {
    ast.Eq: (lambda a, b: a == b, ops.equal),
    ast.NotEq: (lambda a, b: a != b, ops.not_equal),
    ast.Lt: (lambda a, b: a < b, ops.less),
    ast.LtE: (lambda a, b: a <= b, ops.less_equal),
    ast.Gt: (lambda a, b: a > b, ops.greater),
    ast.GtE: (lambda a, b: a >= b, ops.greater_equal),
}

# What a name or an expression can be: an element or number in the making, memory, or a Python value that is
# known now (a number, a tuple, a function).
Value = Any
Wrap = Callable[[Stmt], Stmt]


class Parsed:
    """What a function came to: its body, its outputs, its loops and why some must run in order."""

    def __init__(self) -> None:
        self.outputs: list[Buffer] = []
        self.axis: list[IterVar] = []
        self.dependence: dict[IterVar, str] = {}
        self.body: Stmt = seq()


class Expressions:
    """What parsing one function needs to know, and its expressions. `outer` gives the meaning of names from
    outside of it."""

    def __init__(
        self, name: str, file: str, lines: Sequence[str], first_line: int, outer: dict[str, Any]
    ) -> None:
        self.name, self.file, self.lines, self.first_line, self.outer = name, file, lines, first_line, outer
        self.scopes: list[dict[str, Value]] = [{}]
        self.ended: set[str] = set()
        self.analyzer = Analyzer()
        self.guards: list[Expr] = []
        self.checks: list[tuple[Expr, str]] = []
        self.result = Parsed()
        self.returned: Value = None
        self.depth = 0

    # ---- errors and places

    def refuse(
        self, node: ast.AST, why: str, hint: str | None = None, kind: type[TewbError] = HybridError
    ) -> TewbError:
        line = getattr(node, "lineno", 1)
        column = getattr(node, "col_offset", 0)
        text = self.lines[line - 1].rstrip() if line <= len(self.lines) else ""
        shown = f"hybrid function {self.name}: {why}\n    {text}\n    {' ' * column}^"
        return kind(shown, hint=hint, span=self.span(node))

    def span(self, node: ast.AST) -> Span:
        return Span(self.file, self.first_line + getattr(node, "lineno", 1) - 1)

    def origin(self, node: ast.AST, axis: str | None = None) -> Origin:
        return Origin(self.name, axis, None, self.span(node))

    # ---- names

    def look_up(self, node: ast.Name) -> Value:
        for scope in reversed(self.scopes):
            if node.id in scope:
                value = scope[node.id]
                return self.scalar(value)
        if node.id in self.ended:
            raise self.refuse(
                node,
                f"{node.id} was set inside of a block that has ended",
                "set it before the loop or the if",
            )
        if node.id in self.outer:
            return self.outer[node.id]
        raise self.refuse(node, f"{node.id} has no value here")

    def scalar(self, value: Value) -> Value:
        """A scalar variable is a buffer of one element, and its name means the element."""
        if isinstance(value, Scalar):
            return BufferLoad(value.buffer, (const(0),), value.buffer.dtype)
        return value

    @contextmanager
    def scope(self) -> Iterator[None]:
        self.scopes.append({})
        try:
            yield
        finally:
            self.ended.update(self.scopes.pop())

    # ---- expressions

    def expression(self, node: ast.expr) -> Value:
        rule = _EXPRESSIONS.get(type(node))
        if rule is None:
            raise self.refuse(node, f"{type(node).__name__} is not part of the hybrid language")
        return rule(self, node)

    def constant(self, node: ast.Constant) -> Value:
        if not isinstance(node.value, bool | int | float | str):
            raise self.refuse(node, f"{node.value!r} is no number")
        return node.value

    def tuple_(self, node: ast.Tuple | ast.List) -> Value:
        return tuple(self.expression(e) for e in node.elts)

    def binary(self, node: ast.BinOp) -> Value:
        return self.binary_values(node, node.op, self.expression(node.left), self.expression(node.right))

    def binary_values(self, node: ast.AST, op: ast.operator, a: Value, b: Value) -> Value:
        rule = _BINARY.get(type(op))
        if rule is None:
            raise self.refuse(node, f"the operator {type(op).__name__} is not part of the hybrid language")
        for x in (a, b):
            if isinstance(x, Buffer):
                raise self.refuse(node, f"{x.name} is a tensor", f"take an element: {x.name}[i]")
        try:
            return rule(a, b)
        except TewbError as e:
            raise self.refuse(node, e.message, e.hint) from None
        except (ZeroDivisionError, TypeError) as e:
            raise self.refuse(node, str(e)) from None

    def unary(self, node: ast.UnaryOp) -> Value:
        value = self.expression(node.operand)
        match node.op:
            case ast.USub():
                return -value
            case ast.UAdd():
                return value
            case ast.Invert():
                return ~value
        if isinstance(value, Expr):
            return ops.logical_not(self.truth(value, node))
        return not value

    def truth(self, value: Value, node: ast.AST) -> Expr:
        e = self.convert(value, node)
        return e if e.dtype.is_bool else ops.not_equal(e, 0)

    def condition(self, node: ast.expr) -> Value:
        value = self.expression(node)
        if isinstance(value, Buffer):
            raise self.refuse(node, f"{value.name} is a tensor", f"ask about an element: {value.name}[i] > 0")
        if isinstance(value, Expr):
            cond = self.truth(value, node)
            return bool(cond.value) if isinstance(cond, IntImm) else cond
        return bool(value)

    def compare(self, node: ast.Compare) -> Value:
        values = [self.expression(x) for x in (node.left, *node.comparators)]
        result: Value = True
        for op, a, b in zip(node.ops, values, values[1:], strict=False):
            pair = _COMPARE.get(type(op))
            if pair is None:
                raise self.refuse(node, f"{type(op).__name__} is not part of the hybrid language")
            known = not isinstance(a, Expr) and not isinstance(b, Expr)
            part = pair[0](a, b) if known else pair[1](a, b)
            result = self.both(result, part)
        return result

    def both(self, a: Value, b: Value) -> Value:
        if isinstance(a, Expr) or isinstance(b, Expr):
            return ops.logical_and(convert(a), convert(b))
        return a and b

    def logic(self, node: ast.BoolOp) -> Value:
        is_and = isinstance(node.op, ast.And)
        result: Value = self.condition(node.values[0])
        for part in node.values[1:]:
            if not isinstance(result, Expr) and bool(result) != is_and:
                return result
            guard = convert(result) if is_and else ops.logical_not(convert(result))
            with self.assuming(guard):
                value = self.condition(part)
            result = (ops.logical_and if is_and else ops.logical_or)(convert(result), convert(value))
        return result

    def choice(self, node: ast.IfExp) -> Value:
        cond = self.condition(node.test)
        if not isinstance(cond, Expr):
            return self.expression(node.body if cond else node.orelse)
        with self.assuming(cond):
            then = self.expression(node.body)
        with self.assuming(ops.logical_not(cond)):
            other = self.expression(node.orelse)
        return ops.if_then_else(cond, then, other)

    def attribute(self, node: ast.Attribute) -> Value:
        value = self.expression(node.value)
        if isinstance(value, Buffer) and node.attr == "shape":
            return tuple(n.value if isinstance(n, IntImm) else n for n in value.shape)
        if isinstance(value, Buffer) and node.attr == "dtype":
            return str(value.dtype)
        raise self.refuse(
            node, f".{node.attr} is not part of the hybrid language", "tensors have .shape and .dtype"
        )

    def subscript(self, node: ast.Subscript) -> Value:
        base = self.expression(node.value)
        if isinstance(base, tuple | list):
            index = self.expression(node.slice)
            number = (
                index if isinstance(index, int) else const_int(index) if isinstance(index, Expr) else None
            )
            if number is None or not -len(base) <= number < len(base):
                raise self.refuse(node.slice, f"this needs a number below {len(base)} that is known here")
            return base[number]
        buffer = self.memory(node)
        return BufferLoad(buffer, self.indices(node, buffer), buffer.dtype)

    def memory(self, node: ast.Subscript) -> Buffer:
        base = self.expression(node.value)
        if not isinstance(base, Buffer):
            raise self.refuse(node.value, "this is no tensor and has no elements")
        return base

    def indices(self, node: ast.Subscript, buffer: Buffer) -> tuple[Expr, ...]:
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if any(isinstance(p, ast.Slice) for p in parts):
            raise self.refuse(node, "slices are not part of the hybrid language yet", "write a loop")
        if len(parts) != len(buffer.shape):
            raise self.refuse(node, f"{buffer.name} has {len(buffer.shape)} dimensions, not {len(parts)}")
        made = []
        for d, (p, size) in enumerate(zip(parts, buffer.shape, strict=True)):
            index = self.index_value(self.expression(p), p)
            number = const_int(index)
            if number is not None and number < 0:
                index = ops.add(index, size)
            self.check_index(node, buffer, d, index, size)
            made.append(index)
        return tuple(made)

    def index_value(self, value: Value, node: ast.AST) -> Expr:
        e = self.convert(value, node)
        if not e.dtype.is_int:
            raise self.refuse(node, f"an index is an integer, not {e.dtype}", "int32(x) converts")
        return e

    def check_index(self, node: ast.Subscript, b: Buffer, d: int, index: Expr, size: Expr) -> None:
        """Prove that an access is in bounds, refuse it when it certainly is not, or leave a check for run time."""
        low, high = ops.greater_equal(index, 0), ops.less(index, size)
        if self.analyzer.can_prove(low) and self.analyzer.can_prove(high):
            return
        lo, hi = self.analyzer.const_bounds(index)
        n = const_int(size)
        variables = [iv.var for iv in self.result.axis]
        certain = not self.guards and detect_linear(index, variables) is not None
        if certain and ((lo is not None and lo < 0) or (hi is not None and n is not None and hi >= n)):
            raise self.refuse(
                node,
                f"this reads or writes outside of {b.name}: in dimension {d} the index runs from {lo} to {hi}, and the "
                f"size is {script(size)}",
                "guard it with an if",
                BoundError,
            )
        inside = ops.logical_and(low, high)
        for guard in reversed(self.guards):
            inside = ops.logical_or(ops.logical_not(guard), inside)
        where = self.span(node)
        self.checks.append(
            (inside, f"{self.name} leaves {b.name} in dimension {d} ({where}): {script(index)}")
        )

    def call(self, node: ast.Call) -> Value:
        if not isinstance(node.func, ast.Name):
            raise self.refuse(node, "this cannot be called in the hybrid language")
        name = node.func.id
        if node.keywords:
            raise self.refuse(node, f"{name}: keyword arguments are not part of the hybrid language")
        if name in ("output_tensor", "allocate"):
            raise self.refuse(node, f"{name} gives its tensor a name", f"t = {name}(...)")
        if name in LOOPS or name == "const_range":
            raise self.refuse(node, f"{name} belongs in a for")
        if self.known_function(node) is not None:
            raise self.refuse(node, f"the result of {name} gets a name first", f"t = {name}(...)")
        args = [self.expression(a) for a in node.args]
        return self.function(node, name, args)

    def function(self, node: ast.Call, name: str, args: list[Value]) -> Value:
        for a in args:
            if isinstance(a, Buffer) and name != "len":
                raise self.refuse(node, f"{name}: {a.name} is a tensor", f"take an element: {a.name}[i]")
        try:
            if name == "len" and len(args) == 1 and isinstance(args[0], Buffer):
                return args[0].shape[0]
            if name == "len" and len(args) == 1 and isinstance(args[0], tuple | list):
                return len(args[0])
            if name in ("min", "max") and len(args) >= 2:
                return self.extreme(name, args)
            if name in CASTS and len(args) == 1:
                return ops.cast(convert(args[0]), name)
            if name in ("int", "float") and len(args) == 1:
                return ops.cast(convert(args[0]), "int32" if name == "int" else "float32")
            if name in FUNCTIONS:
                return FUNCTIONS[name][0](*args)
        except TewbError as e:
            raise self.refuse(node, e.message, e.hint) from None
        except TypeError as e:
            raise self.refuse(node, str(e)) from None
        raise self.refuse(
            node, f"there is no function {name}", f"there are {', '.join(sorted(FUNCTIONS))}, min, max"
        )

    def extreme(self, name: str, args: list[Value]) -> Value:
        if not any(isinstance(a, Expr) for a in args):
            return min(args) if name == "min" else max(args)
        result = args[0]
        for a in args[1:]:
            result = (ops.minimum if name == "min" else ops.maximum)(result, a)
        return result

    def known_function(self, call: ast.Call) -> Any:
        if not isinstance(call.func, ast.Name):
            return None
        value = self.outer.get(call.func.id)
        return value if hasattr(value, "parse_into") else None

    @contextmanager
    def assuming(self, cond: Expr) -> Iterator[None]:
        self.guards.append(cond)
        with self.analyzer.assume(cond):
            yield
        self.guards.pop()

    def convert(self, value: Value, node: ast.AST) -> Expr:
        try:
            return convert(value)
        except TewbError:
            raise self.refuse(node, f"{value!r} is no number or element") from None


class Scalar:
    """A scalar variable: memory for one element."""

    def __init__(self, buffer: Buffer) -> None:
        self.buffer = buffer


_EXPRESSIONS: dict[type[ast.expr], Callable[[Expressions, Any], Value]] = {
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
    ast.Subscript: Expressions.subscript,
    ast.Call: Expressions.call,
}
