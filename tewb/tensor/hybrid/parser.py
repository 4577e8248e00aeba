"""Statements of hybrid functions, from Python's syntax tree to the IR."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from tewb.base import DType
from tewb.ir import (
    Allocate,
    AssertStmt,
    AxisKind,
    Buffer,
    BufferStore,
    Expr,
    For,
    ForKind,
    IfThenElse,
    IterVar,
    Range,
    Stmt,
    Var,
    While,
    const,
    const_int,
    ops,
    seq,
)
from tewb.tensor.hybrid.dependence import why_ordered
from tewb.tensor.hybrid.expressions import Expressions, Scalar, Value, Wrap
from tewb.tensor.hybrid.names import LOOPS, check_dtype


class Parser(Expressions):
    """Parses one function: its statements, on top of its expressions."""

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
        if isinstance(known, Scalar):
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
        self.scopes[-1][name] = Scalar(buffer)
        first = self.checked(BufferStore(buffer, e, (const(0),), self.origin(node)))
        return [self.allocation(buffer, node), first]

    def allocation(self, buffer: Buffer, node: ast.AST) -> Wrap:
        origin = self.origin(node)
        return lambda rest: Allocate(buffer, rest, origin)

    def cast(self, value: Value, dtype: DType, node: ast.AST) -> Expr:
        return ops.cast(self.convert(value, node), dtype)

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
