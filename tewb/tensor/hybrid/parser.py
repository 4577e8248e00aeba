"""Statements of hybrid functions, from Python's syntax tree to the IR."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from tewb.base import TewbError
from tewb.ir import (
    AssertStmt,
    Buffer,
    BufferLoad,
    BufferStore,
    Expr,
    IfThenElse,
    Stmt,
    While,
    const,
    free_vars,
    ops,
    seq,
    walk,
)
from tewb.tensor.hybrid import refusals
from tewb.tensor.hybrid.memory import Memory
from tewb.tensor.hybrid.names import DECLARATIONS
from tewb.tensor.hybrid.shared import Shared, Table
from tewb.tensor.hybrid.text import Text, set_names, written_names
from tewb.tensor.hybrid.values import (
    LoopVariable,
    Scalar,
    Slice,
    Value,
    Wrap,
    kind_of,
    reads_memory,
)


class Parser(Memory):
    """Parses one function: its statements, on top of its memory, loops, slices and expressions."""

    def __init__(
        self,
        text: Text,
        outer: dict[str, Any],
        shared: Shared | None = None,
        caller: Parser | None = None,
    ) -> None:
        super().__init__(text, outer, set_names(text.tree.body), shared or Shared())
        if caller is not None:
            self.analyzer, self.branches = caller.analyzer, caller.branches

    # ---- functions

    def run(self, values: dict[str, Any]) -> None:
        """Parse the body with `values` for the parameters."""
        parts: list[Stmt | Wrap] = []
        for name, given in values.items():
            value = self.from_outside(given, self.text.tree)
            self.sizes_are_not_negative(value)
            if self.own.get(name) and isinstance(value, Expr | int | float | np.generic):
                parts += self.new_scalar(name, value, self.text.tree)
            else:
                self.scopes[0][name] = value
        body = self.block(self.text.tree.body)
        self.result.body = _joined([*parts, body])

    def sizes_are_not_negative(self, value: Value) -> None:
        for b in value if isinstance(value, tuple) else (value,):
            if isinstance(b, Buffer):
                for v in (v for n in b.shape for v in free_vars(n)):
                    if v not in self.analyzer.ranges:
                        self.analyzer.bind(v, 0, None)

    def block(self, nodes: Sequence[ast.stmt]) -> Stmt:
        """The statements of a block. A declaration holds for the rest of it."""
        parts: list[Stmt | Wrap] = []
        for node in nodes:
            self.statement(node, parts)
        return _joined(parts)

    def statement(self, node: ast.stmt, parts: list[Stmt | Wrap]) -> None:
        if self.returned is not None:
            raise self.refuse(node, "nothing can follow the return", "return stands in the last line")
        rule = _STATEMENTS.get(type(node))
        if rule is None:
            raise self.not_here(node, refusals.STATEMENTS.get(type(node)))
        made = rule(self, node)
        before, self.before = self.before, []
        if isinstance(made, While) and before:
            # The condition is looked at before every iteration, and so are its accesses.
            made = While(made.cond, seq(made.body, _joined(list(before))), made.origin)
        if isinstance(made, Stmt):
            parts.append(_joined([*before, made]))
            return
        parts.extend(before)
        if made is not None:
            parts.extend(_flat(made))

    # ---- assignments

    def assign(self, node: ast.Assign) -> Any:
        if len(node.targets) != 1:
            raise self.refuse(node, "a = b = c is not part of the hybrid language", "write two assignments")
        target = node.targets[0]
        if isinstance(node.value, ast.Call):
            function = self.callee(node.value)
            if function in DECLARATIONS:
                return self.declare(target, node.value, function)
            if not isinstance(function, str):
                return self.inline(target, node.value, function)
        if isinstance(target, ast.Tuple | ast.List):
            return self.unpack(target, node.value)
        return self.store(target, self.expression(node.value), node)

    def unpack(self, target: ast.Tuple | ast.List, value: ast.expr) -> Any:
        """a, b = b, a: all values are made before the first is stored."""
        values = self.expression(value)
        if not isinstance(values, tuple | list) or len(values) != len(target.elts):
            raise self.refuse(
                target, "the sides of this assignment do not match", "write as many values as names"
            )
        parts: list[Any] = []
        for i, v in enumerate(values):
            if isinstance(v, Slice):
                raise self.refuse(value, "slices are assigned one at a time", "write two assignments")
            if isinstance(v, Expr) and reads_memory(v):
                kept = Buffer(f"value{i}", v.dtype, (const(1),), scope="local", origin=self.origin(value))
                parts += [self.allocation(kept, value), BufferStore(kept, v, (const(0),), self.origin(value))]
                values = (*values[:i], BufferLoad(kept, (const(0),), v.dtype), *values[i + 1 :])
        for t, v in zip(target.elts, values, strict=True):
            made = self.store(t, v, target)
            parts += self.before
            self.before = []
            parts.append(made)
        return parts

    def store(self, target: ast.expr, value: Value, node: ast.AST) -> Any:
        if isinstance(target, ast.Subscript):
            return self.store_element(target, value, node)
        if not isinstance(target, ast.Name):
            raise self.refuse(target, "this cannot be assigned to", "names and elements can: x = 1, a[i] = 1")
        known = self.find(target.id)
        if isinstance(known, Scalar):
            stored = self.kept(known.buffer, value, node)
            return BufferStore(known.buffer, stored, (const(0),), self.origin(node))
        if isinstance(known, LoopVariable):
            raise self.refuse(
                target,
                f"{target.id} is the variable of a loop and cannot be set",
                "copy it: k = i, or use a while",
            )
        if isinstance(known, Buffer | Table):
            raise self.refuse(
                target,
                f"{target.id} is a tensor",
                f"set its elements: {target.id}[i] = ..., {target.id}[:] = ...",
            )
        if isinstance(value, Slice):
            raise self.refuse(
                node,
                "a slice gets no name",
                f"allocate {target.id} and set {target.id}[:], or use it in place",
            )
        if isinstance(value, tuple | list | Buffer | Table | str) or self.fixed(target.id, value):
            return self.bind(target, value)
        return self.new_scalar(target.id, value, node)

    def fixed(self, name: str, value: Value) -> bool:
        """Whether a name, set once in the function, stands for a value that no memory can change: then it
        needs no memory itself, and an index made with it can be proved."""
        if self.own.get(name) != 1:
            return False
        if isinstance(value, Expr):
            return not value.dtype.is_float and not reads_memory(value)
        return isinstance(value, bool | int | float)

    def bind(self, target: ast.Name, value: Value) -> None:
        """Give a name to something known. It cannot get another meaning in a block that runs or not."""
        if any(target.id in s for s in self.scopes[:-1]):
            raise self.refuse(
                target,
                f"{target.id} stands for {kind_of(self.meaning(self.find(target.id)))} outside of this block",
                "choose another name in it",
            )
        self.scopes[-1][target.id] = value

    def store_element(self, target: ast.Subscript, value: Value, node: ast.AST) -> Any:
        base = self.expression(target.value)
        if isinstance(base, Table):
            raise self.refuse(
                target, "an array from outside is constant", "allocate a tensor and set its elements"
            )
        buffer = self.memory(target, base)
        if buffer not in self.made:
            raise self.refuse(
                target,
                f"{buffer.name} is an input and cannot be written",
                "write into an output_tensor, or allocate a copy",
            )
        if isinstance(value, Buffer | Table | tuple | str):
            raise self.refuse(
                node,
                f"{getattr(value, 'name', 'it')} is no number or element: it is {kind_of(value)}",
                "take an element a[i], or all of them a[:]",
            )
        parts = target.slice.elts if isinstance(target.slice, ast.Tuple) else [target.slice]
        if any(isinstance(p, ast.Slice) for p in parts):
            return self.slice_store(target, buffer, value, node)
        if isinstance(value, Slice):
            raise self.refuse(
                node, "a slice does not fit into one element", f"write {buffer.name}[:] = ..., or index it"
            )
        indices = self.indices(target, buffer)
        return BufferStore(buffer, self.constant_of(value, buffer.dtype, node), indices, self.origin(node))

    def augmented(self, node: ast.AugAssign) -> Any:
        load = _as_load(node.target)
        value = self.binary_values(node, node.op, self.expression(load), self.expression(node.value))
        return self.store(node.target, value, node)

    # ---- blocks

    def branch(self, node: ast.If) -> Any:
        cond = self.condition(node.test)
        if not isinstance(cond, Expr):
            return self.chosen(node.body if cond else node.orelse)
        before, self.before = self.before, []
        self.depth, self.branches = self.depth + 1, self.branches + 1
        then = self.side(cond, node.body)
        other = self.side(ops.logical_not(cond), node.orelse) if node.orelse else None
        self.depth, self.branches = self.depth - 1, self.branches - 1
        self.before = before
        return IfThenElse(cond, then, other, self.origin(node))

    def side(self, cond: Expr, nodes: list[ast.stmt]) -> Stmt:
        """A side of a branch, where `cond` may be relied on unless the block writes what it reads."""
        written = [self.find(name) for name in written_names(nodes)]
        changed = {b for value in written for b in _memory_of(value)}
        read = {n.buffer for n in walk(cond) if isinstance(n, BufferLoad)}
        with self.scope(), nullcontext() if read & changed else self.analyzer.assume(cond, wraps=True):
            return self.block(nodes)

    def chosen(self, nodes: Sequence[ast.stmt]) -> list[Any]:
        """The side of a branch that is known when the function is parsed: its names stay."""
        parts: list[Stmt | Wrap] = []
        for n in nodes:
            self.statement(n, parts)
        return parts

    def while_(self, node: ast.While) -> Any:
        if node.orelse:
            raise self.refuse(
                node.orelse[0], "while ... else is not part of the hybrid language", "put it after the loop"
            )
        cond = self.condition(node.test)
        if cond is True:
            raise self.refuse(node.test, "this loop would never end", "ask about a variable that changes")
        before, self.before = self.before, []
        self.depth, self.branches = self.depth + 1, self.branches + 1
        with self.scope():
            body = self.block(node.body)
        self.depth, self.branches = self.depth - 1, self.branches - 1
        self.before = before
        return While(self.convert(cond, node.test), body, self.origin(node))

    def returns(self, node: ast.Return) -> None:
        if self.depth:
            raise self.refuse(
                node,
                "return stands at the end of the function, outside of loops and branches",
                "set the outputs, and return them in the last line",
            )
        if node.value is None:
            raise self.refuse(node, "the function must return its output tensors", "return b")
        value = self.expression(node.value)
        values = list(value) if isinstance(value, tuple | list) else [value]
        for v in values:
            if not isinstance(v, Buffer) or not any(v is o for o in self.result.outputs):
                raise self.refuse(
                    node.value,
                    "only what output_tensor made can be returned",
                    "copy it into an output: b[:] = ...",
                )
        if len(set(values)) != len(values):
            raise self.refuse(node.value, "an output is returned twice", "return each output once")
        for o in self.result.outputs:
            if not any(o is v for v in values):
                raise self.refuse(
                    node.value, f"the output {o.name} is not returned", f"return it, or allocate {o.name}"
                )
        self.returned = values

    def assertion(self, node: ast.Assert) -> Any:
        cond = self.condition(node.test)
        if not isinstance(cond, Expr):
            if not cond:
                raise self.refuse(node, "this assertion does not hold", "it is false for every input")
            return None
        text = f"{self.name}: assertion failed at {self.span(node)}"
        if node.msg is not None and not isinstance(node.msg, ast.Constant):
            raise self.refuse(node.msg, "what an assert says is a text", "assert i < n, 'i is too large'")
        if isinstance(node.msg, ast.Constant):
            text = str(node.msg.value) + f" ({self.span(node)})"
        origin = self.origin(node)
        return [lambda rest: AssertStmt(cond, text, rest, origin)]

    def bare(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return  # a docstring
        if type(node.value) in refusals.EXPRESSIONS:
            raise self.not_here(node.value, refusals.EXPRESSIONS[type(node.value)])
        raise self.refuse(node, "an expression alone does nothing", "assign it: x = ...")

    def nothing(self, node: ast.Pass) -> None:
        return None

    # ---- other hybrid functions

    def inline(self, target: ast.expr, call: ast.Call, function: Any) -> list[Any]:
        """The body of another hybrid function in the place of its call; its outputs become local memory."""
        if any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords):
            raise self.refuse(call, "* and ** are not part of the hybrid language", "write the arguments out")
        args = [self.argument(a) for a in call.args]
        keywords = {str(k.arg): self.argument(k.value) for k in call.keywords}
        try:
            values = function.arguments(args, keywords)
        except TewbError as e:
            raise self.refuse(call, e.message, e.hint) from None
        if function in self.shared.calls:
            raise self.refuse(call, f"{function.name} calls itself", "a loop or a while repeats")
        before, self.before = self.before, []
        inner: Parser = function.parse(values, self)
        outputs = inner.returned
        targets = list(target.elts) if isinstance(target, ast.Tuple) else [target]
        if len(targets) != len(outputs):
            raise self.refuse(
                target, f"{function.name} returns {len(outputs)} tensors", f"write {len(outputs)} names"
            )
        parts: list[Any] = [*before]
        for t, b in zip(targets, outputs, strict=True):
            if not isinstance(t, ast.Name):
                raise self.refuse(
                    t, "the result of a hybrid function gets a name", f"t = {function.name}(...)"
                )
            known = self.find(t.id)
            if isinstance(known, Scalar | LoopVariable):
                raise self.refuse(t, f"{t.id} is a number already", "choose another name")
            self.bind(t, b)
            self.made.add(b)
            parts.append(self.allocation(b, t))
        self.result.axis += inner.result.axis
        self.result.dependence.update(inner.result.dependence)
        return [*parts, inner.result.body]

    def argument(self, node: ast.expr) -> Value:
        value = self.expression(node)
        if isinstance(value, Slice):
            raise self.refuse(
                node, "a slice cannot be an argument", "pass the tensor, or copy the slice into one"
            )
        return value


def _joined(parts: Sequence[Stmt | Wrap]) -> Stmt:
    """Statements and what wraps the rest of them, as one statement."""
    made = seq()
    for part in reversed(parts):
        made = seq(part, made) if isinstance(part, Stmt) else part(made)
    return made


def _flat(parts: Any) -> list[Stmt | Wrap]:
    if not isinstance(parts, list):
        return [] if parts is None else [parts]
    return [p for part in parts for p in _flat(part)]


def _memory_of(value: Value) -> list[Buffer]:
    if isinstance(value, tuple | list):
        return [b for v in value for b in _memory_of(v)]
    if isinstance(value, LoopVariable):
        return _memory_of(value.value)
    return [value.buffer] if isinstance(value, Scalar) else [value] if isinstance(value, Buffer) else []


def _as_load(target: ast.expr) -> ast.expr:
    made: ast.expr
    if isinstance(target, ast.Name):
        made = ast.Name(target.id, ast.Load())
    else:
        assert isinstance(target, ast.Subscript)
        made = ast.Subscript(target.value, target.slice, ast.Load())
    return ast.copy_location(made, target)


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
