"""A third way to run a hybrid function: operation by operation on numpy arrays, with every access looked at.

It walks the syntax tree, so it depends neither on the compiler nor on Python's own meaning of the text, and
gives values the dtypes that the compiled function gives them: a number takes the dtype of what it meets, a
scalar variable keeps the dtype of its first value.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tewb.base import DType
from tewb.tensor.hybrid import refusals
from tewb.tensor.hybrid.evaluate import Evaluator, Memory, as_memory, plain
from tewb.tensor.hybrid.names import DECLARATIONS, cast_array
from tewb.tensor.hybrid.values import Counted

if TYPE_CHECKING:
    from tewb.tensor.hybrid.script import HybridFunction


def interpret(function: HybridFunction, values: Mapping[str, Any]) -> Any:
    """The outputs of `function` for arrays and numbers, as numpy arrays."""
    run = Interpreter(function, {n: as_memory(n, v) for n, v in values.items()}, ())
    with np.errstate(all="ignore"):
        outputs = [m.data for m in run.outputs()]
    return outputs[0] if len(outputs) == 1 else tuple(outputs)


class Interpreter(Evaluator):
    """One call of one function: its statements, on top of its expressions."""

    returned: list[Memory] | None = None

    def outputs(self) -> list[Memory]:
        self.block(self.text.tree.body)
        if self.returned is None:
            raise self.error(self.text.tree, "the function returns nothing", "return what output_tensor made")
        return self.returned

    def block(self, nodes: Iterable[ast.stmt]) -> None:
        for node in nodes:
            self.statement(node)

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=[target], value=value):
                self.assign(target, value, node)
            case ast.AugAssign(target=target, op=op, value=value):
                load: Any = (
                    ast.Name(target.id, ast.Load())
                    if isinstance(target, ast.Name)
                    else ast.Subscript(getattr(target, "value"), getattr(target, "slice"), ast.Load())  # noqa: B009
                )
                old = self.value(ast.copy_location(load, target))
                self.store(target, self.binary(node, op, old, self.value(value)), node)
            case ast.If(test=test, body=body, orelse=orelse):
                self.branch(test, body, orelse)
            case ast.While(test=test, body=body, orelse=[]):
                while self.truth(test):
                    with self.scope():
                        self.block(body)
            case ast.For(orelse=[]):
                self.loop(node)
            case ast.Return(value=ast.expr() as value):
                self.returns(node, self.value(value))
            case ast.Assert(test=test, msg=msg):
                if not self.truth(test):
                    said = f": {msg.value!s}" if isinstance(msg, ast.Constant) else ""
                    raise self.error(node, f"the assertion does not hold{said}")
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                pass
            case _:
                what, hint = refusals.STATEMENTS.get(type(node), (type(node).__name__.lower(), None))
                raise self.error(node, f"{what} is not part of the hybrid language", hint)

    def branch(self, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt]) -> None:
        cond = self.value(test)
        if isinstance(cond, np.generic):
            with self.scope():
                self.block(body if cond else orelse)
        else:  # known when it is compiled: its names stay
            self.block(body if self.truth(test) else orelse)

    def assign(self, target: ast.expr, value: ast.expr, node: ast.stmt) -> None:
        if isinstance(value, ast.Call):
            function = self.callee(value)
            if function in DECLARATIONS:
                self.declare(target, value, function)
                return
            if not isinstance(function, str):
                self.call_function(target, value, function)
                return
        got = self.value(value)
        if isinstance(target, ast.Tuple | ast.List):
            if not isinstance(got, tuple | list) or len(got) != len(target.elts):
                raise self.error(target, "the sides of this assignment do not match")
            for t, v in zip(target.elts, got, strict=True):
                self.store(t, v, node)
        else:
            self.store(target, got, node)

    def store(self, target: ast.expr, value: Any, node: ast.stmt) -> None:
        if isinstance(target, ast.Subscript):
            self.store_element(target, value, node)
            return
        if not isinstance(target, ast.Name):
            raise self.error(target, "this cannot be assigned to", "names and elements can")
        scope = self.find(target.id)
        if target.id in self.loops:
            raise self.error(target, f"{target.id} is the variable of a loop and cannot be set")
        if scope is not None and isinstance(scope[target.id], np.generic):
            scope[target.id] = cast_array(value, scope[target.id].dtype.name)
        elif not isinstance(value, bool | int | float | np.generic) or self.own.get(target.id) == 1:
            self.scopes[-1][target.id] = value
        else:
            self.scopes[-1][target.id] = self.typed(value)

    def declare(self, target: ast.expr, call: ast.Call, word: str) -> None:
        if not isinstance(target, ast.Name):
            raise self.error(target, f"{word} gives its tensor a name")
        given = {str(k.arg): self.value(k.value) for k in call.keywords}
        given.update(zip(("shape", "dtype", "scope"), [self.value(a) for a in call.args], strict=False))
        dtype = given.get("dtype", "float32")
        name = dtype if isinstance(dtype, str) else getattr(dtype, "__name__", str(dtype))
        if "shape" not in given:
            raise self.error(call, f"{word} needs a shape", f"{word}(shape, dtype)")
        shape = given["shape"]
        sizes = [int(n) for n in (shape if isinstance(shape, tuple | list) else (shape,))]
        if any(n < 0 for n in sizes):
            raise self.error(call, f"a size below 0: {tuple(sizes)}", "max(n, 0)")
        data = np.zeros(sizes, str(DType(name)))
        self.scopes[-1][target.id] = Memory(target.id, data, np.zeros(sizes, bool), True)

    def returns(self, node: ast.Return, value: Any) -> None:
        made = list(value) if isinstance(value, tuple | list) else [value]
        for m in made:
            if not isinstance(m, Memory) or not m.writable:
                raise self.error(node, "only what output_tensor made can be returned")
            self.all_written(node, m)
        self.returned = made

    def all_written(self, node: ast.AST, m: Memory) -> None:
        missing = np.argwhere(~m.written)
        if len(missing):
            first = ", ".join(str(i) for i in missing[0])
            raise self.error(
                node,
                f"{m.name}[{first}] is returned and was never written ({len(missing)} of {m.data.size} elements)",
                f"set all elements: {m.name}[{', '.join([':'] * m.data.ndim)}] = 0",
            )

    # ---- loops

    def loop(self, node: ast.For) -> None:
        over = self.value(node.iter)
        if isinstance(over, Counted):
            known = over.word == "const_range"
            numbers = range(*[int(b) for b in over.bounds])
            values: Iterable[Any] = numbers if known else (np.int32(i) for i in numbers)
        elif isinstance(over, Memory):
            values = (self.load(node.iter, over, (i,)) for i in range(over.data.shape[0]))
        elif isinstance(over, tuple | list):
            values = over
        else:
            raise self.error(node.iter, "a loop runs over range(...), a tensor or a tuple")
        element = isinstance(over, Memory)
        for value in values:
            with self.scope():
                shown = self.bind(node.target, value)
                if not element:
                    self.loops.update(shown)
                self.block(node.body)
            for name in shown:
                self.loops.pop(name, None)

    def bind(self, target: ast.expr, value: Any) -> dict[str, Any]:
        """Give a loop's names their values; returns the numbers among them."""
        if isinstance(target, ast.Name):
            self.scopes[-1][target.id] = value
            return {target.id: value} if isinstance(value, int | np.generic) else {}
        if not isinstance(target, ast.Tuple) or len(target.elts) != len(value):
            raise self.error(target, "this does not fit what the loop runs over")
        found: dict[str, Any] = {}
        for t, v in zip(target.elts, value, strict=True):
            found.update(self.bind(t, v))
        return found

    def call_function(self, target: ast.expr, call: ast.Call, function: Any) -> None:
        args = [self.value(a) for a in call.args]
        keywords = {str(k.arg): self.value(k.value) for k in call.keywords}
        loops = "".join(f", {n} = {plain(v)}" for n, v in self.loops.items())
        where = f"{self.text.name}{loops}, {self.text.span(call)}"
        values = {n: _read_only(v) for n, v in function.arguments(args, keywords).items()}
        inner = Interpreter(function, values, (*self.callers, where))
        made = inner.outputs()
        targets = target.elts if isinstance(target, ast.Tuple) else [target]
        if len(targets) != len(made):
            raise self.error(target, f"{function.name} returns {len(made)} tensors")
        for t, m in zip(targets, made, strict=True):
            if not isinstance(t, ast.Name):
                raise self.error(t, "the result of a hybrid function gets a name")
            self.scopes[-1][t.id] = m


def _read_only(value: Any) -> Any:
    """Memory of the caller as the called function sees it."""
    if isinstance(value, Memory):
        return Memory(value.name, value.data, value.written, False)
    return tuple(_read_only(v) for v in value) if isinstance(value, tuple | list) else value
