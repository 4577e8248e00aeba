"""ExpressionParser of TVMScript text: from Python's syntax tree to the nodes that print as this text."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tewb.base import BOOL, INT32, DType, DTypeError, ParseError, TewbError, around, brief, python_lines
from tewb.ir import expressions as ir
from tewb.ir import ops
from tewb.ir.buffers import Buffer, BufferLoad
from tewb.ir.expressions import Expr, IntImm, Var
from tewb.ir.intrinsics import CALLS, DOTS, dot, implied_dtype

Named = Expr | Buffer  # a variable, or an expression that a name stands for

MOST_LANES = 1 << 20

_ARITHMETIC: dict[type, tuple[str, Any]] = {
    ast.Add: ("+", ir.Add),
    ast.Sub: ("-", ir.Sub),
    ast.Mult: ("*", ir.Mul),
    ast.Div: ("/", ir.Div),
    ast.FloorDiv: ("//", ir.FloorDiv),
    ast.Mod: ("%", ir.FloorMod),
}
_COMPARE: dict[type, tuple[str, Any]] = {
    ast.Eq: ("==", ir.EQ),
    ast.NotEq: ("!=", ir.NE),
    ast.Lt: ("<", ir.LT),
    ast.LtE: ("<=", ir.LE),
    ast.Gt: (">", ir.GT),
    ast.GtE: (">=", ir.GE),
}
_PAIRS: dict[str, Any] = {"truncdiv": ir.Div, "truncmod": ir.Mod, "min": ir.Min, "max": ir.Max}


class ExpressionParser:
    """Parses expressions of `text`. `names` holds everything that has a name at the current position."""

    def __init__(self, text: str) -> None:
        self.lines = python_lines(text)
        self.names: dict[str, Named] = {}

    # ---- errors

    def refuse(self, node: ast.AST, why: str, hint: str | None = None) -> ParseError:
        """An error that shows where `node` is. `hint` says what to write instead."""
        line, start = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        end = getattr(node, "end_col_offset", None) if getattr(node, "end_lineno", line) == line else None
        width = max(1, (len(text.encode()) if end is None else end) - start)
        bytes_before = text.encode()[:start]
        return self.problem(line, len(bytes_before.decode(errors="ignore")), why, hint, width)

    def problem(
        self, line: int, column: int, why: str, hint: str | None = None, width: int = 1
    ) -> ParseError:
        """An error at `line`, counted from 1, and `column`, counted from 0."""
        text = self.lines[line - 1].rstrip() if 0 < line <= len(self.lines) else ""
        indent = len(text) - len(text.lstrip())
        text, at = around(text.lstrip(), column - indent)
        marks = " " * at + "^" * max(1, min(width, len(text) - at))
        shown = f"line {line}, column {column + 1}: {brief(why, 1000)}\n    {text}\n    {marks}"
        return ParseError(shown, hint=brief(hint, 1000) if hint else None)

    # ---- names

    @contextmanager
    def scope(self) -> Iterator[None]:
        """What is declared inside is forgotten at the end."""
        outer, self.names = self.names, dict(self.names)
        yield
        self.names = outer

    def dotted(self, node: ast.AST) -> str | None:
        """`i.outer` of a name or of attributes on a name; None for anything else."""
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Attribute):
            before = self.dotted(node.value)
            return None if before is None else f"{before}.{node.attr}"
        return None

    def look_up(self, node: ast.expr) -> Named:
        name = self.dotted(node)
        if name is None:
            raise self.refuse(node, "a name was expected here", "a variable such as i.outer, or a buffer")
        named = self.names.get(name)
        if named is not None:
            return named
        buffer = self.names.get(name.removesuffix(".data"))
        if isinstance(buffer, Buffer) and name.endswith(".data"):
            return buffer.data
        close = difflib.get_close_matches(name, self.names, 1)
        hint = f"did you mean {close[0]}?" if close else f"names here: {', '.join(self.names) or 'none'}"
        raise self.refuse(node, f"{name} is not declared", hint)

    def buffer(self, node: ast.expr) -> Buffer:
        named = self.look_up(node)
        if not isinstance(named, Buffer):
            buffers = ", ".join(n for n, what in self.names.items() if isinstance(what, Buffer))
            raise self.refuse(
                node,
                f"{self.dotted(node)} is a variable, and only buffers have elements",
                f"buffers here: {buffers}",
            )
        return named

    def word(self, node: ast.AST) -> str | None:
        """The x of a call `T.x(...)`; None for anything else."""
        name = self.dotted(node.func) if isinstance(node, ast.Call) else None
        return name[2:] if name is not None and name.startswith("T.") else None

    def arguments(
        self,
        node: ast.Call,
        usage: str,
        count: int,
        keywords: Sequence[str] = (),
        required: Sequence[str] = (),
    ) -> dict[str, ast.expr]:
        """The keyword arguments of a call that takes `count` arguments by position."""
        by_name = {k.arg: k.value for k in node.keywords if k.arg is not None}
        names = {*keywords, *required}
        starred = any(isinstance(a, ast.Starred) for a in node.args) or len(by_name) < len(node.keywords)
        if starred or len(node.args) != count or not set(required) <= by_name.keys() <= names:
            raise self.refuse(node, "these are not the arguments of this call", f"write {usage}")
        return by_name

    # ---- literals

    def dtype(self, node: ast.expr) -> DType:
        name = self.string(node, 'a dtype is text, such as "float32"')
        return self.known_dtype(name, node)

    def known_dtype(self, name: str, node: ast.AST) -> DType:
        try:
            return DType(name)
        except DTypeError as e:
            why, _, hint = e.message.partition("; ")
            raise self.refuse(node, why, hint) from None

    def string(self, node: ast.expr, otherwise: str = "text in quotes was expected here") -> str:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        raise self.refuse(node, otherwise)

    def integer(self, node: ast.expr) -> int:
        value = self.number(node)
        if type(value) is not int:
            raise self.refuse(node, "an integer was expected here", "such as 8 or -1")
        return value

    def number(self, node: ast.expr) -> object:
        """The value of a constant, which may have a minus sign."""
        minus = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
        inner = node.operand if isinstance(node, ast.UnaryOp) and minus else node
        value = inner.value if isinstance(inner, ast.Constant) else None
        if minus and type(value) in (int, float):
            return -value  # type: ignore[operator]
        return None if minus else value

    def literal(self, node: ast.expr) -> Any:
        """Numbers, text, and tuples, lists and dicts of them."""
        try:
            return ast.literal_eval(node)
        except (ValueError, TypeError):
            raise self.refuse(
                node, "a constant was expected here", 'numbers, "text", and lists of them'
            ) from None

    # ---- expressions

    def expr(self, node: ast.expr) -> Expr:
        rule = _EXPRESSIONS.get(type(node))
        if rule is None:
            raise self.refuse(
                node,
                f"{_python_name(node)} is not part of the IR",
                "expressions are numbers, names, A[i], arithmetic, comparisons, `and`, `or`, `not`, T.name(...)",
            )
        return rule(self, node)

    def exprs(self, node: ast.expr) -> tuple[Expr, ...]:
        if not isinstance(node, ast.Tuple):
            raise self.refuse(node, "a tuple was expected here", "such as (4, n), (4,) or ()")
        return tuple(self.expr(e) for e in node.elts)

    def condition(self, node: ast.expr, in_lanes: bool = False) -> Expr:
        """A condition; one that differs from lane to lane only where that has a meaning."""
        e = self.expr(node)
        if (e.dtype.element if in_lanes else e.dtype) is not BOOL:
            raise self.refuse(node, f"a condition is bool, not {e.dtype}", "compare with something: x != 0")
        return e

    def constant(self, node: ast.Constant) -> Expr:
        value: object = node.value
        if isinstance(value, str):
            return ir.StringImm(value)
        if type(value) is int:
            return self.int32(node, value)
        if isinstance(value, bool | float):
            hint = f"write T.{'bool' if isinstance(value, bool) else 'float32'}({value})"
            raise self.refuse(node, f"{value} does not say its dtype", hint)
        raise self.refuse(node, f"{value!r} is no number", "write 3 or T.float32(3.0)")

    def int32(self, node: ast.expr, value: int) -> Expr:
        if not INT32.min_value() <= value <= INT32.max_value():
            raise self.refuse(node, f"{value} does not fit int32", f"write T.int64({value})")
        return IntImm(value, INT32)

    def name(self, node: ast.Name | ast.Attribute) -> Expr:
        named = self.look_up(node)
        if isinstance(named, Buffer):
            raise self.refuse(
                node, f"{self.dotted(node)} is a buffer", "write its element A[i], or A.data for its memory"
            )
        return named

    def same(self, node: ast.expr, sign: str, a: Expr, b: Expr) -> None:
        if a.dtype is not b.dtype:
            raise self.refuse(
                node,
                f"the sides of {sign} are {a.dtype} and {b.dtype}",
                'bring them to one dtype: T.Cast("float32", x), T.Broadcast(x, 4)',
            )

    def arithmetic(self, node: ast.BinOp) -> Expr:
        if type(node.op) not in _ARITHMETIC:
            raise self.refuse(
                node, f"{_python_name(node.op)} is not an operator of the IR", "T.bitwise_and(a, b)"
            )
        sign, cls = _ARITHMETIC[type(node.op)]
        a, b = self.expr(node.left), self.expr(node.right)
        self.same(node, sign, a, b)
        if cls is ir.Div and not a.dtype.is_float:
            raise self.refuse(
                node, f"a / b on {a.dtype} does not say how to round", "a // b or T.truncdiv(a, b)"
            )
        operation: Expr = cls(a, b, a.dtype)
        return operation

    def unary(self, node: ast.UnaryOp) -> Expr:
        if isinstance(node.op, ast.Not):
            a = self.expr(node.operand)
            return ir.Not(a, self.logical(node, a, a).dtype)
        if type(self.number(node)) is not int:
            raise self.refuse(node, f"{_python_name(node.op)} is for constants", "write 0 - x")
        return self.int32(node, self.integer(node))

    def logical(self, node: ast.expr, a: Expr, b: Expr) -> Expr:
        """`b`, when both sides are conditions."""
        for e in (a, b):
            if not e.dtype.is_bool:
                raise self.refuse(
                    node, f"a condition is bool, not {e.dtype}", "compare with something: x != 0"
                )
        self.same(node, "a condition", a, b)
        return b

    def boolean(self, node: ast.BoolOp) -> Expr:
        cls = ir.And if isinstance(node.op, ast.And) else ir.Or
        chain = self.expr(node.values[0])
        for value in node.values[1:]:
            b = self.logical(node, chain, self.expr(value))
            chain = cls(chain, b, b.dtype)
        return chain

    def compare(self, node: ast.Compare) -> Expr:
        sign_and_class = _COMPARE.get(type(node.ops[0]))
        if sign_and_class is None or len(node.ops) > 1:
            raise self.refuse(node, "this is not one comparison", "write a < b, and `and` between two")
        sign, cls = sign_and_class
        a, b = self.expr(node.left), self.expr(node.comparators[0])
        self.same(node, sign, a, b)
        comparison: Expr = cls(a, b, BOOL.with_lanes(a.dtype.lanes))
        return comparison

    # ---- elements

    def load(self, node: ast.Subscript) -> Expr:
        if self.word(node.value) is not None:
            raise self.reduction(node)
        buffer = self.buffer(node.value)
        indices = self.indices(node, buffer)
        return BufferLoad(buffer, indices, element_dtype(buffer, indices))

    def indices(self, node: ast.Subscript, buffer: Buffer) -> tuple[Expr, ...]:
        nodes = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if len(nodes) != len(buffer.shape):
            raise self.refuse(
                node,
                f"{self.dotted(node.value)} has {len(buffer.shape)} dimensions, not {len(nodes)}",
                "one index for each dimension, and A[()] for a scalar",
            )
        return tuple(self.index(i) for i in nodes)

    def index(self, node: ast.expr) -> Expr:
        i = self.slice(node) if isinstance(node, ast.Slice) else self.expr(node)
        if not i.dtype.is_int:
            raise self.refuse(
                node, f"an index of dtype {i.dtype}", 'indices are integers: T.Cast("int32", x)'
            )
        return i

    def slice(self, node: ast.Slice) -> Expr:
        """`a:a + 4`: four neighbours."""
        base, lanes = None, None
        if node.lower is not None and node.upper is not None and node.step is None:
            base, extent = self.span(node.lower, node.upper)
            lanes = extent.value if isinstance(extent, IntImm) else None
        if base is None or lanes is None or lanes < 1:
            raise self.refuse(
                node, "a slice says its start twice and its constant length", "write A[i:i + 4]"
            )
        return ir.Ramp(base, IntImm(1, base.dtype), lanes, base.dtype.with_lanes(lanes))

    def span(self, low: ast.expr, high: ast.expr) -> tuple[Expr | None, Expr | None]:
        """The start and the length of `a, a + n`, or of two constants; None for any other form."""
        start = self.expr(low)
        value = self.number(high)
        if isinstance(start, IntImm) and type(value) is int:
            return start, IntImm(value - start.value, start.dtype)
        same = (
            isinstance(high, ast.BinOp)
            and isinstance(high.op, ast.Add)
            and ast.dump(high.left) == ast.dump(low)
        )
        return start, self.expr(high.right) if same and isinstance(high, ast.BinOp) else None

    # ---- calls

    def call(self, node: ast.Call) -> Expr:
        op = self.word(node)
        if op is None:
            raise self.refuse(
                node, f"{ast.unparse(node.func)} is not a function of the IR", "calls are T.name(...)"
            )
        if any(k.arg == "axis" for k in node.keywords):
            raise self.reduction(node)
        form = _CALLS.get(op)
        if form is not None:
            return form(self, node)
        if op in _PAIRS:
            return self.pair(node, op)
        if op in CALLS:
            return self.intrinsic(node, op)
        dtype = _scalar_dtype(op)
        if dtype is not None:
            return self.typed(node, dtype)
        close = difflib.get_close_matches(op, (*CALLS, *_CALLS, *_PAIRS), 1)
        hint = f"did you mean T.{close[0]}?" if close else "the functions are listed in tewb.ir.intrinsics"
        raise self.refuse(node.func, f"there is no function T.{op}", hint)

    def reduction(self, node: ast.expr) -> ParseError:
        return self.refuse(
            node,
            "a reduction over axes is part of a definition, not of a function",
            "write the loops: lower it first",
        )

    def typed(self, node: ast.Call, dtype: DType) -> Expr:
        """A constant with its dtype: T.int64(3), T.bool(True), T.float32("inf")."""
        self.arguments(node, f"T.{dtype}(constant)", 1)
        value = self.number(node.args[0])
        if dtype.is_bool and type(value) is bool:
            return IntImm(int(value), dtype)
        if dtype.is_float and (type(value) in (int, float) or value in ("inf", "-inf", "nan")):
            return ir.FloatImm(float(value), dtype)  # type: ignore[arg-type]
        if dtype.is_int and type(value) is int and dtype.min_value() <= value <= dtype.max_value():
            return IntImm(value, dtype)
        raise self.refuse(
            node, f"{ast.unparse(node.args[0])} is not a constant of {dtype}", _constants(dtype)
        )

    def pair(self, node: ast.Call, op: str) -> Expr:
        self.arguments(node, f"T.{op}(a, b)", 2)
        a, b = (self.expr(x) for x in node.args)
        self.same(node, f"T.{op}", a, b)
        operation: Expr = _PAIRS[op](a, b, a.dtype)
        return operation

    def select(self, node: ast.Call) -> Expr:
        self.arguments(node, "T.Select(condition, then, other)", 3)
        cond, then, other = (self.expr(x) for x in node.args)
        self.same(node, "T.Select", then, other)
        return ir.Select(cond, then, other, then.dtype)

    def cast(self, node: ast.Call) -> Expr:
        self.arguments(node, 'T.Cast("dtype", value)', 2)
        return ir.Cast(self.expr(node.args[1]), self.dtype(node.args[0]))

    def ramp(self, node: ast.Call) -> Expr:
        self.arguments(node, "T.Ramp(base, stride, lanes)", 3)
        base, stride, lanes = self.expr(node.args[0]), self.expr(node.args[1]), self.lanes(node.args[2])
        self.same(node, "T.Ramp", base, stride)
        return ir.Ramp(base, stride, lanes, base.dtype.with_lanes(lanes))

    def lanes(self, node: ast.expr) -> int:
        count = self.integer(node)
        if not 1 <= count <= MOST_LANES:
            raise self.refuse(
                node, f"a vector of {count} lanes", f"a positive constant, at most {MOST_LANES}"
            )
        return count

    def broadcast(self, node: ast.Call) -> Expr:
        self.arguments(node, "T.Broadcast(value, lanes)", 2)
        value, lanes = self.expr(node.args[0]), self.lanes(node.args[1])
        return ir.Broadcast(value, lanes, value.dtype.with_lanes(lanes))

    def shuffle(self, node: ast.Call) -> Expr:
        usage = "T.Shuffle([a, b], [lane, ...])"
        self.arguments(node, usage, 2)
        lists = [x.elts for x in node.args if isinstance(x, ast.List) and x.elts]
        if len(lists) < 2:
            raise self.refuse(node, "this does not list vectors, and lanes of them", f"write {usage}")
        vectors, lanes = [self.expr(v) for v in lists[0]], [self.integer(i) for i in lists[1]]
        try:
            return ops.shuffle(vectors, lanes)
        except TewbError as e:
            raise self.refuse(node, e.message, f"write {usage}") from None

    def let(self, node: ast.Call) -> Expr:
        usage = "T.Let(body, where={x: value})"
        where = self.arguments(node, usage, 1, required=["where"])["where"]
        target = where.keys[0] if isinstance(where, ast.Dict) and len(where.keys) == 1 else None
        name = None if target is None else self.dotted(target)
        if name is None or not isinstance(where, ast.Dict):
            raise self.refuse(where, "this does not name one variable", f"write {usage}")
        value = self.expr(where.values[0])
        var = Var(name, value.dtype)
        with self.scope():
            self.names[name] = var
            body = self.expr(node.args[0])
        return ir.Let(var, value, body, body.dtype)

    def dot(self, node: ast.Call) -> Expr:
        op = self.word(node)
        self.arguments(node, f"T.{op}(total, a, b)", 3)
        total, a, b = (self.expr(x) for x in node.args)
        try:
            call = dot(total, a, b)
        except DTypeError as e:
            raise self.refuse(node, e.message, e.hint) from None
        if not (isinstance(call, ir.Call) and call.op == op):
            raise self.refuse(node, f"T.{op} takes {DOTS[op or '']}-bit integers, not {a.dtype}")
        return call

    def intrinsic(self, node: ast.Call, op: str) -> Expr:
        keywords = self.arguments(node, f'T.{op}(..., dtype="float32")', len(node.args), ["dtype"])
        args = tuple(self.expr(a) for a in node.args)
        dtype = self.dtype(keywords["dtype"]) if "dtype" in keywords else implied_dtype(op, args)
        if dtype is None:
            raise self.refuse(node, f"T.{op}() does not say its dtype", f'write T.{op}(dtype="int32")')
        return ir.Call(op, args, dtype)


def element_dtype(buffer: Buffer, indices: Sequence[Expr]) -> DType:
    """The dtype of the element, or of the vector of elements, of `buffer` at `indices`."""
    return buffer.dtype.with_lanes(max((i.dtype.lanes for i in indices), default=1))


def _scalar_dtype(name: str) -> DType | None:
    """The dtype of which T.name(...) is a constant."""
    try:
        dtype = DType(name)
    except DTypeError:
        return None
    return dtype if dtype.lanes == 1 and dtype.kind != "handle" else None


def _constants(dtype: DType) -> str:
    if dtype.is_int:
        return f"an integer from {dtype.min_value()} to {dtype.max_value()}"
    return "True or False" if dtype.is_bool else 'a number, "inf", "-inf" or "nan"'


def _python_name(node: ast.AST) -> str:
    return f"Python's {type(node).__name__}"


_EXPRESSIONS: dict[type, Callable[[ExpressionParser, Any], Expr]] = {
    ast.Constant: ExpressionParser.constant,
    ast.Name: ExpressionParser.name,
    ast.Attribute: ExpressionParser.name,
    ast.BinOp: ExpressionParser.arithmetic,
    ast.UnaryOp: ExpressionParser.unary,
    ast.BoolOp: ExpressionParser.boolean,
    ast.Compare: ExpressionParser.compare,
    ast.Subscript: ExpressionParser.load,
    ast.Call: ExpressionParser.call,
}

_CALLS: dict[str, Callable[[ExpressionParser, ast.Call], Expr]] = {
    "Select": ExpressionParser.select,
    "Cast": ExpressionParser.cast,
    "Ramp": ExpressionParser.ramp,
    "Broadcast": ExpressionParser.broadcast,
    "Shuffle": ExpressionParser.shuffle,
    "Let": ExpressionParser.let,
    "dot4": ExpressionParser.dot,
    "dot2": ExpressionParser.dot,
}
