"""A third way to run a hybrid function: operation by operation on numpy arrays, with every access checked.

It walks the syntax tree, so it depends neither on the compiler nor on Python's own meaning of the text, and
gives values the dtypes that the compiled function gives them: a number is an int32 or a float32, a scalar variable
keeps the dtype of its first value.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tewb.base import DType
from tewb.tensor.hybrid import refusals
from tewb.tensor.hybrid.checked_arrays import CheckedArray, as_checked, read_only
from tewb.tensor.hybrid.checked_call import CheckedCall
from tewb.tensor.hybrid.checked_expressions import CheckedExpressions
from tewb.tensor.hybrid.syntax import element_load
from tewb.tensor.hybrid.typed_numbers import cast_array, typed
from tewb.tensor.hybrid.values import CountedRange
from tewb.tensor.hybrid.words import DECLARATIONS

if TYPE_CHECKING:
    from tewb.tensor.hybrid.script import HybridFunction


def run_checked(function: HybridFunction, values: Mapping[str, Any], partly: bool = False) -> Any:
    """The outputs of `function` for arrays and numbers, as numpy arrays. `partly`: what it never writes
    is 0, and may be read."""
    call = CheckedCall(function, {n: as_checked(n, v) for n, v in values.items()}, ())
    with np.errstate(all="ignore"):
        outputs = [a.data for a in CheckedStatements(call, partly).outputs()]
    return outputs[0] if len(outputs) == 1 else tuple(outputs)


class CheckedStatements:
    """The statements of one call."""

    def __init__(self, call: CheckedCall, partly: bool = False) -> None:
        self.call, self.partly = call, partly
        self.expressions = CheckedExpressions(call)
        self.returned: list[CheckedArray] | None = None

    def outputs(self) -> list[CheckedArray]:
        """Run the function; returns what it returns."""
        tree = self.call.source.tree
        self.block(tree.body)
        if self.returned is None:
            raise self.call.error(tree, "the function returns nothing", "return what output_tensor made")
        return self.returned

    def block(self, nodes: Iterable[ast.stmt]) -> None:
        for node in nodes:
            self.statement(node)

    def statement(self, node: ast.stmt) -> None:
        evaluate = self.expressions.evaluate
        match node:
            case ast.Assign(targets=[target], value=value):
                self.assign(target, value, node)
            case ast.AugAssign(target=target, op=op, value=value):
                current = evaluate(element_load(target))
                self.store(target, self.expressions.binary(node, op, current, evaluate(value)), node)
            case ast.If(test=test, body=body, orelse=orelse):
                self.branch(test, body, orelse)
            case ast.While(test=test, body=body, orelse=[]):
                while self.expressions.truth(test):
                    with self.call.block():
                        self.block(body)
            case ast.For(orelse=[]):
                self.loop(node)
            case ast.Return(value=ast.expr() as value):
                self.return_(node, evaluate(value))
            case ast.Assert(test=test, msg=msg):
                if not self.expressions.truth(test):
                    said = f": {msg.value!s}" if isinstance(msg, ast.Constant) else ""
                    raise self.call.error(node, f"the assertion does not hold{said}")
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                pass
            case _:
                what, hint = refusals.STATEMENTS.get(type(node), (type(node).__name__.lower(), None))
                raise self.call.error(node, f"{what} is not part of the hybrid language", hint)

    def branch(self, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt]) -> None:
        cond = self.expressions.evaluate(test)
        if isinstance(cond, np.generic):
            with self.call.block():
                self.block(body if cond else orelse)
        else:  # known when it is compiled: its names stay
            self.block(body if self.expressions.truth(test) else orelse)

    def assign(self, target: ast.expr, value: ast.expr, node: ast.stmt) -> None:
        if isinstance(value, ast.Call):
            function = self.expressions.callee(value)
            if function in DECLARATIONS:
                self.declare(target, value, function)
                return
            if not isinstance(function, str):
                self.call_function(target, value, function)
                return
        result = self.expressions.evaluate(value)
        if isinstance(target, ast.Tuple | ast.List):
            if not isinstance(result, tuple | list) or len(result) != len(target.elts):
                raise self.call.error(target, "the sides of this assignment do not match")
            for t, v in zip(target.elts, result, strict=True):
                self.store(t, v, node)
        else:
            self.store(target, result, node)

    def store(self, target: ast.expr, value: Any, node: ast.stmt) -> None:
        if isinstance(target, ast.Subscript):
            self.expressions.elements.store(target, value, node)
            return
        if not isinstance(target, ast.Name):
            raise self.call.error(target, "this cannot be assigned to", "names and elements can")
        block = self.call.block_of(target.id)
        if target.id in self.call.loops:
            raise self.call.error(target, f"{target.id} is the variable of a loop and cannot be set")
        if block is not None and isinstance(block[target.id], np.generic):
            block[target.id] = cast_array(value, block[target.id].dtype.name)
        elif not isinstance(value, bool | int | float | np.generic) or self.call.own.get(target.id) == 1:
            self.call.set(target.id, value)
        else:
            self.call.set(target.id, typed(value))

    def declare(self, target: ast.expr, call: ast.Call, word: str) -> None:
        if not isinstance(target, ast.Name):
            raise self.call.error(target, f"{word} gives its tensor a name")
        arguments = {str(k.arg): self.expressions.evaluate(k.value) for k in call.keywords}
        arguments.update(
            zip(("shape", "dtype", "scope"), [self.expressions.evaluate(a) for a in call.args], strict=False)
        )
        dtype = arguments.get("dtype", "float32")
        name = dtype if isinstance(dtype, str) else getattr(dtype, "__name__", str(dtype))
        if "shape" not in arguments:
            raise self.call.error(call, f"{word} needs a shape", f"{word}(shape, dtype)")
        shape = arguments["shape"]
        sizes = [int(n) for n in (shape if isinstance(shape, tuple | list) else (shape,))]
        if any(n < 0 for n in sizes):
            raise self.call.error(call, f"a size below 0: {tuple(sizes)}", "max(n, 0)")
        data = np.zeros(sizes, str(DType(name)))
        self.call.set(target.id, CheckedArray(target.id, data, np.full(sizes, self.partly), True))

    def return_(self, node: ast.Return, value: Any) -> None:
        arrays = list(value) if isinstance(value, tuple | list) else [value]
        for array in arrays:
            if not isinstance(array, CheckedArray) or not array.writable:
                raise self.call.error(node, "only what output_tensor made can be returned")
            self.check_written(node, array)
        self.returned = arrays

    def check_written(self, node: ast.AST, array: CheckedArray) -> None:
        missing = np.argwhere(~array.written)
        if len(missing):
            first = ", ".join(str(i) for i in missing[0])
            raise self.call.error(
                node,
                f"{array.name}[{first}] is returned and was never written ({len(missing)} of {array.data.size} elements)",
                f"set all elements: {array.name}[{', '.join([':'] * array.data.ndim)}] = 0",
            )

    # ---- loops

    def loop(self, node: ast.For) -> None:
        over = self.expressions.evaluate(node.iter)
        if isinstance(over, CountedRange):
            known = over.word == "const_range"
            numbers = range(*[int(b) for b in over.bounds])
            values: Iterable[Any] = numbers if known else (np.int32(i) for i in numbers)
        elif isinstance(over, CheckedArray):
            values = (
                self.expressions.elements.load(node.iter, over, (i,)) for i in range(over.data.shape[0])
            )
        elif isinstance(over, tuple | list):
            values = over
        else:
            raise self.call.error(node.iter, "a loop runs over range(...), a tensor or a tuple")
        element = isinstance(over, CheckedArray)
        for value in values:
            with self.call.block():
                shown = self.bind(node.target, value)
                if not element:
                    self.call.loops.update(shown)
                self.block(node.body)
            for name in shown:
                self.call.loops.pop(name, None)

    def bind(self, target: ast.expr, value: Any) -> dict[str, Any]:
        """Give a loop's names their values; returns the numbers among them."""
        if isinstance(target, ast.Name):
            self.call.set(target.id, value)
            return {target.id: value} if isinstance(value, int | np.generic) else {}
        if not isinstance(target, ast.Tuple) or len(target.elts) != len(value):
            raise self.call.error(target, "this does not fit what the loop runs over")
        numbers: dict[str, Any] = {}
        for t, v in zip(target.elts, value, strict=True):
            numbers.update(self.bind(t, v))
        return numbers

    def call_function(self, target: ast.expr, call: ast.Call, function: Any) -> None:
        evaluate = self.expressions.evaluate
        args = [evaluate(a) for a in call.args]
        keywords = {str(k.arg): evaluate(k.value) for k in call.keywords}
        values = {n: read_only(v) for n, v in function.arguments(args, keywords).items()}
        inner = CheckedCall(function, values, (*self.call.callers, self.call.line_of(call)))
        outputs = CheckedStatements(inner).outputs()
        targets = target.elts if isinstance(target, ast.Tuple) else [target]
        if len(targets) != len(outputs):
            raise self.call.error(target, f"{function.name} returns {len(outputs)} tensors")
        for t, array in zip(targets, outputs, strict=True):
            if not isinstance(t, ast.Name):
                raise self.call.error(t, "the result of a hybrid function gets a name")
            self.call.set(t.id, array)
