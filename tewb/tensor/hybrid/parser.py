"""From the source of a hybrid function to statements: Python's own syntax tree, one rule per construct."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tewb.arith import Analyzer, detect_linear
from tewb.base import BoundError, DType, HybridError, Span, TewbError
from tewb.ir import (
    Allocate,
    AssertStmt,
    AxisKind,
    Buffer,
    BufferLoad,
    BufferStore,
    Expr,
    For,
    ForKind,
    IfThenElse,
    IntImm,
    IterVar,
    Origin,
    Range,
    Stmt,
    Var,
    While,
    const,
    const_int,
    convert,
    ops,
    script,
    seq,
)
from tewb.tensor.hybrid.dependence import why_ordered
from tewb.tensor.hybrid.names import CASTS, FUNCTIONS, LOOPS, check_dtype

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


class Parser:
    """Parses one function. `outer` gives the meaning of names from outside of it."""

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
        if isinstance(value, _Scalar):
            return BufferLoad(value.buffer, (const(0),), value.buffer.dtype)
        return value

    @contextmanager
    def scope(self) -> Iterator[None]:
        self.scopes.append({})
        try:
            yield
        finally:
            self.ended.update(self.scopes.pop())

    # ---- statements

    def block(self, nodes: Sequence[ast.stmt]) -> Stmt:
        """The statements of a block. A declaration holds for the rest of it."""
        parts: list[Stmt | Wrap] = []
        for node in nodes:
            if self.returned is not None and self.depth == 0:
                raise self.refuse(node, "nothing can follow the return")
            self.statement(node, parts)
        made = seq()
        for part in reversed(parts):
            made = seq(part, made) if isinstance(part, Stmt) else part(made)
        return made

    def statement(self, node: ast.stmt, parts: list[Stmt | Wrap]) -> None:
        rule = _STATEMENTS.get(type(node))
        if rule is None:
            word = type(node).__name__.lower()
            raise self.refuse(node, f"{word} is not part of the hybrid language", "see te.hybrid.script")
        made = rule(self, node)
        if isinstance(made, While):
            made = self.checked_while(made)
        elif isinstance(made, Stmt):
            made = self.checked(made)
        elif self.checks:
            pending, self.checks = self.checks, []
            parts.append(lambda rest: _asserts(pending, rest))
        if isinstance(made, list):
            parts.extend(made)
        elif made is not None:
            parts.append(made)

    def checked(self, s: Stmt) -> Stmt:
        """`s` behind checks of the accesses that could not be proved in bounds."""
        checks, self.checks = self.checks, []
        return _asserts(checks, s)

    def checked_while(self, s: While) -> Stmt:
        """The condition is looked at before every iteration, and so are its accesses."""
        checks, self.checks = self.checks, []
        if not checks:
            return s
        body = seq(s.body, _asserts(checks, seq()))
        return _asserts(checks, While(s.cond, body, s.origin))

    def assign(self, node: ast.Assign) -> Any:
        if len(node.targets) != 1:
            raise self.refuse(node, "a = b = c is not part of the hybrid language", "write two assignments")
        target = node.targets[0]
        if (
            isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Name)
            and isinstance(target, ast.Name)
        ):
            if node.value.func.id in ("output_tensor", "allocate"):
                return self.declare(target, node.value)
            function = self.known_function(node.value)
            if function is not None:
                return self.inline(target, node.value, function)
        if isinstance(target, ast.Tuple):
            return self.unpack(target, node.value)
        return self.store(target, self.expression(node.value), node)

    def unpack(self, target: ast.Tuple, value: ast.expr) -> Any:
        function = self.known_function(value) if isinstance(value, ast.Call) else None
        if function is not None and isinstance(value, ast.Call):
            return self.inline(target, value, function)
        if not isinstance(value, ast.Tuple) or len(value.elts) != len(target.elts):
            raise self.refuse(target, "the sides of this assignment do not match")
        values = [self.expression(v) for v in value.elts]
        return [self.store(t, v, target) for t, v in zip(target.elts, values, strict=True)]

    def store(self, target: ast.expr, value: Value, node: ast.AST) -> Any:
        if isinstance(target, ast.Subscript):
            buffer = self.memory(target)
            indices = self.indices(target, buffer)
            return BufferStore(buffer, self.cast(value, buffer.dtype, node), indices, self.origin(node))
        if not isinstance(target, ast.Name):
            raise self.refuse(target, "this cannot be assigned to")
        known = self.find(target.id)
        if isinstance(known, _Scalar):
            stored = self.cast(value, known.buffer.dtype, node)
            return BufferStore(known.buffer, stored, (const(0),), self.origin(node))
        if isinstance(known, Var):
            raise self.refuse(target, f"{target.id} is the variable of a loop and cannot be set")
        if isinstance(known, Buffer):
            raise self.refuse(target, f"{target.id} is a tensor", f"set its elements: {target.id}[i] = ...")
        if isinstance(value, tuple | list | Buffer):
            self.scopes[-1][target.id] = value
            return None
        return self.new_scalar(target.id, value, node)

    def find(self, name: str) -> Value:
        return next((s[name] for s in reversed(self.scopes) if name in s), None)

    def new_scalar(self, name: str, value: Value, node: ast.AST) -> list[Any]:
        e = self.convert(value, node)
        buffer = Buffer(name, e.dtype, (const(1),), scope="local", origin=self.origin(node))
        self.scopes[-1][name] = _Scalar(buffer)
        first = self.checked(BufferStore(buffer, e, (const(0),), self.origin(node)))
        return [self.allocation(buffer, node), first]

    def allocation(self, buffer: Buffer, node: ast.AST) -> Wrap:
        origin = self.origin(node)
        return lambda rest: Allocate(buffer, rest, origin)

    def cast(self, value: Value, dtype: DType, node: ast.AST) -> Expr:
        return ops.cast(self.convert(value, node), dtype)

    def convert(self, value: Value, node: ast.AST) -> Expr:
        try:
            return convert(value)
        except TewbError:
            raise self.refuse(node, f"{value!r} is no number or element") from None

    def declare(self, target: ast.Name, call: ast.Call) -> Any:
        assert isinstance(call.func, ast.Name)
        given = {k.arg: self.expression(k.value) for k in call.keywords}
        names = ("shape", "dtype", "scope")
        for key, a in zip(names, call.args, strict=False):
            given[key] = self.expression(a)
        if "shape" not in given or set(given) - set(names):
            raise self.refuse(call, f"{call.func.id} takes shape, dtype and scope")
        shape = given["shape"] if isinstance(given["shape"], tuple | list) else (given["shape"],)
        dtype = check_dtype(given.get("dtype", "float32"))
        extents = tuple(self.convert(n, call) for n in shape)
        if self.find(target.id) is not None:
            raise self.refuse(target, f"{target.id} is set already", "choose another name")
        output = call.func.id == "output_tensor"
        if output and self.depth > 0:
            raise self.refuse(call, "output_tensor stands outside of loops and branches")
        scope = str(given.get("scope", "global"))
        buffer = Buffer(
            target.id, dtype, extents, scope="global" if output else scope, origin=self.origin(call)
        )
        self.scopes[-1][target.id] = buffer
        if output:
            self.result.outputs.append(buffer)
            return None
        return [self.allocation(buffer, target)]

    def augmented(self, node: ast.AugAssign) -> Any:
        load = ast.copy_location(_as_load(node.target), node.target)
        value = self.binary_values(node, node.op, self.expression(load), self.expression(node.value))
        return self.store(node.target, value, node)

    def branch(self, node: ast.If) -> Any:
        cond = self.condition(node.test)
        if not isinstance(cond, Expr):
            return self.chosen(node.body if cond else node.orelse)
        checks, self.checks = self.checks, []
        self.depth += 1
        with self.scope(), self.assuming(cond):
            then = self.block(node.body)
        other: Stmt | None = None
        if node.orelse:
            with self.scope(), self.assuming(ops.logical_not(cond)):
                other = self.block(node.orelse)
        self.depth -= 1
        self.checks = checks
        return IfThenElse(cond, then, other, self.origin(node))

    def chosen(self, nodes: Sequence[ast.stmt]) -> list[Any]:
        """The side of a branch that is known when the function is parsed: its names stay."""
        parts: list[Stmt | Wrap] = []
        for n in nodes:
            self.statement(n, parts)
        return parts

    @contextmanager
    def assuming(self, cond: Expr) -> Iterator[None]:
        self.guards.append(cond)
        with self.analyzer.assume(cond):
            yield
        self.guards.pop()

    def while_(self, node: ast.While) -> Any:
        if node.orelse:
            raise self.refuse(node, "while ... else is not part of the hybrid language")
        cond = self.condition(node.test)
        checks, self.checks = self.checks, []
        self.depth += 1
        with self.scope():
            body = self.block(node.body)
        self.depth -= 1
        self.checks = checks
        return While(self.convert(cond, node.test), body, self.origin(node))

    def loop(self, node: ast.For) -> Any:
        if node.orelse:
            raise self.refuse(node, "for ... else is not part of the hybrid language")
        if not isinstance(node.target, ast.Name):
            raise self.refuse(node.target, "a loop has one variable")
        call = node.iter
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and not call.keywords):
            raise self.refuse(call, "a loop runs over range(...)", f"also {', '.join(LOOPS)}, const_range")
        bounds = [self.expression(a) for a in call.args]
        if not 1 <= len(bounds) <= 3:
            raise self.refuse(call, f"{call.func.id} takes one to three numbers")
        if call.func.id == "const_range":
            return self.written_out(node, bounds)
        if call.func.id not in LOOPS:
            raise self.refuse(
                call, f"a loop cannot run over {call.func.id}(...)", f"loops are {', '.join(LOOPS)}"
            )
        return self.counted(node, LOOPS[call.func.id], bounds)

    def written_out(self, node: ast.For, bounds: list[Value]) -> list[Any]:
        """const_range: the body once for each value, which is a Python number in it."""
        assert isinstance(node.target, ast.Name)
        numbers = [b if isinstance(b, int) else const_int(b) for b in bounds]
        if any(b is None for b in numbers):
            raise self.refuse(node.iter, "const_range needs numbers that are known here", "use range")
        parts: list[Any] = []
        for i in range(*[b for b in numbers if b is not None]):
            with self.scope():
                self.scopes[-1][node.target.id] = i
                parts.append(self.block(node.body))
        return parts

    def counted(self, node: ast.For, kind: ForKind, bounds: list[Value]) -> Stmt:
        """A loop that counts from 0; its variable is start + count * step."""
        assert isinstance(node.target, ast.Name)
        exprs = [self.index_value(b, node.iter) for b in bounds]
        start = exprs[0] if len(exprs) > 1 else const(0)
        stop = exprs[1] if len(exprs) > 1 else exprs[0]
        step = const_int(exprs[2]) if len(exprs) == 3 else 1
        if step is None or step == 0:
            raise self.refuse(node.iter, "the step of a range must be a number other than 0")
        span = ops.sub(stop, start) if step > 0 else ops.sub(start, stop)
        extent = self.analyzer.simplify(ops.floordiv(ops.add(span, abs(step) - 1), abs(step)))
        extent = self.analyzer.simplify(ops.maximum(extent, 0))
        name = node.target.id
        if self.find(name) is not None and not isinstance(self.find(name), Var):
            raise self.refuse(node.target, f"{name} is set already and cannot be a loop's variable")
        v = Var(name, extent.dtype)
        iv = IterVar(Range(const(0, v.dtype), extent), v, AxisKind.DATA)
        place = len(self.result.axis)
        self.result.axis.append(iv)
        self.analyzer.bind_extent(v, const(0, v.dtype), extent)
        checks, self.checks = self.checks, []
        self.depth += 1
        with self.scope():
            self.scopes[-1][name] = _loop_value(v, start, step)
            body = self.block(node.body)
        self.depth -= 1
        self.checks = checks
        made = For(v, const(0, v.dtype), extent, ForKind.SERIAL, body, (), self.origin(node, name))
        return self.judged(node, made, iv, place, kind)

    def judged(self, node: ast.For, made: For, iv: IterVar, place: int, kind: ForKind) -> Stmt:
        """The loop as its author wants it, if its iterations allow that."""
        why = why_ordered(made)
        if why is not None:
            ordered = IterVar(iv.dom, iv.var, AxisKind.ORDERED)
            self.result.axis[place] = ordered
            self.result.dependence[ordered] = f"{why} (line {self.span(node).line})"
            if kind in (ForKind.PARALLEL, ForKind.VECTORIZED):
                raise self.refuse(node.iter, why, "use range: the iterations run in order")
        return For(made.var, made.min, made.extent, kind, made.body, (), made.origin)

    def returns(self, node: ast.Return) -> None:
        if self.depth:
            raise self.refuse(node, "return stands at the end of the function, outside of loops and branches")
        if node.value is None:
            raise self.refuse(node, "the function must return its output tensors")
        value = self.expression(node.value)
        values = list(value) if isinstance(value, tuple | list) else [value]
        for v in values:
            if not isinstance(v, Buffer) or not any(v is o for o in self.result.outputs):
                raise self.refuse(node.value, "only what output_tensor made can be returned")
        self.returned = values

    def assertion(self, node: ast.Assert) -> Any:
        cond = self.condition(node.test)
        if not isinstance(cond, Expr):
            if not cond:
                raise self.refuse(node, "this assertion does not hold")
            return None
        text = f"{self.name}: assertion failed at {self.span(node)}"
        if isinstance(node.msg, ast.Constant):
            text = str(node.msg.value) + f" ({self.span(node)})"
        origin = self.origin(node)
        return [lambda rest: AssertStmt(cond, text, rest, origin)]

    def bare(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant):
            return  # a docstring
        raise self.refuse(node, "an expression alone does nothing", "assign it")

    def nothing(self, node: ast.Pass) -> None:
        return None

    # ---- other hybrid functions

    def known_function(self, call: ast.Call) -> Any:
        if not isinstance(call.func, ast.Name):
            return None
        value = self.outer.get(call.func.id)
        return value if hasattr(value, "parse_into") else None

    def inline(self, target: ast.expr, call: ast.Call, function: Any) -> list[Any]:
        """The body of another hybrid function in the place of its call; its outputs become local memory."""
        if call.keywords:
            raise self.refuse(call, "keyword arguments are not part of the hybrid language here")
        args = [self.expression(a) for a in call.args]
        inner: Parser = function.parse_into(args, self)
        outputs = inner.returned or []
        targets = list(target.elts) if isinstance(target, ast.Tuple) else [target]
        if len(targets) != len(outputs):
            raise self.refuse(target, f"{function.name} returns {len(outputs)} tensors")
        parts: list[Any] = []
        for t, b in zip(targets, outputs, strict=True):
            if not isinstance(t, ast.Name):
                raise self.refuse(t, "the result of a hybrid function gets a name")
            self.scopes[-1][t.id] = b
            parts.append(self.allocation(b, t))
        self.result.axis += inner.result.axis
        self.result.dependence.update(inner.result.dependence)
        return [*parts, inner.result.body]

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


class _Scalar:
    """A scalar variable: memory for one element."""

    def __init__(self, buffer: Buffer) -> None:
        self.buffer = buffer


def _asserts(checks: Sequence[tuple[Expr, str]], s: Stmt) -> Stmt:
    for cond, text in reversed(checks):
        s = AssertStmt(cond, text, s)
    return s


def _loop_value(v: Var, start: Expr, step: int) -> Expr:
    return ops.add(start, ops.mul(v, step)) if step != 1 or const_int(start) != 0 else v


def _as_load(target: ast.expr) -> ast.expr:
    if isinstance(target, ast.Name):
        return ast.Name(target.id, ast.Load())
    assert isinstance(target, ast.Subscript)
    return ast.Subscript(target.value, target.slice, ast.Load())


_STATEMENTS: dict[type[ast.stmt], Callable[[Parser, Any], Any]] = {
    ast.Assign: Parser.assign,
    ast.AugAssign: Parser.augmented,
    ast.If: Parser.branch,
    ast.For: Parser.loop,
    ast.While: Parser.while_,
    ast.Return: Parser.returns,
    ast.Assert: Parser.assertion,
    ast.Expr: Parser.bare,
    ast.Pass: Parser.nothing,
}

_EXPRESSIONS: dict[type[ast.expr], Callable[[Parser, Any], Value]] = {
    ast.Name: Parser.look_up,
    ast.Constant: Parser.constant,
    ast.Tuple: Parser.tuple_,
    ast.List: Parser.tuple_,
    ast.BinOp: Parser.binary,
    ast.UnaryOp: Parser.unary,
    ast.Compare: Parser.compare,
    ast.BoolOp: Parser.logic,
    ast.IfExp: Parser.choice,
    ast.Attribute: Parser.attribute,
    ast.Subscript: Parser.subscript,
    ast.Call: Parser.call,
}
