"""Memory that a hybrid function makes: tensors by declaration, variables by their first value."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from tewb.base import DType, DTypeError, brief
from tewb.ir import (
    Allocate,
    Buffer,
    BufferStore,
    Expr,
    const,
    const_int,
    ops,
)
from tewb.tensor.hybrid.loops import Loops
from tewb.tensor.hybrid.values import (
    Scalar,
    Slice,
    Value,
    Wrap,
    reads_memory,
)


class Memory(Loops):
    """Declarations and variables, on top of loops."""

    def declare(self, target: ast.expr, call: ast.Call, word: str) -> Any:
        if not isinstance(target, ast.Name):
            raise self.refuse(target, f"{word} gives its tensor a name", f"t = {word}(...)")
        if self.find(target.id) is not None:
            raise self.refuse(target, f"{target.id} is set already", "choose another name")
        given = self.declared(call, word)
        shape = given["shape"] if isinstance(given["shape"], tuple | list) else (given["shape"],)
        output = word == "output_tensor"
        extents = tuple(self.extent(n, call, output) for n in shape)
        dtype = self.dtype(given.get("dtype", "float32"), call)
        scope = given.get("scope", "global")
        if scope not in ("global", "local", "shared"):
            raise self.refuse(call, f"the scope {scope!r} is not known", "global, local or shared")
        if output and self.depth > 0:
            raise self.refuse(
                call, "output_tensor stands outside of loops and branches", "allocate makes memory in a block"
            )
        buffer = Buffer(
            target.id, dtype, extents, scope="global" if output else scope, origin=self.origin(call)
        )
        self.scopes[-1][target.id] = buffer
        self.made.add(buffer)
        if output:
            self.result.outputs.append(buffer)
            return None
        return [self.allocation(buffer, target)]

    def declared(self, call: ast.Call, word: str) -> dict[str, Value]:
        names = ("shape", "dtype", "scope") if word == "allocate" else ("shape", "dtype")
        form = f"{word}({', '.join(names)})"
        given: dict[str, Value] = {}
        for k in call.keywords:
            if k.arg not in names:
                raise self.refuse(call, f"{word} has no argument {k.arg or '**'}", form)
            given[str(k.arg)] = self.expression(k.value)
        if len(call.args) > len(names):
            raise self.refuse(call, f"{word} takes at most {len(names)} arguments", form)
        for key, a in zip(names, call.args, strict=False):
            if key in given:
                raise self.refuse(call, f"{word}: {key} is given twice", form)
            given[key] = self.expression(a)
        if "shape" not in given:
            raise self.refuse(call, f"{word} needs a shape", form)
        return given

    def extent(self, value: Value, node: ast.AST, output: bool) -> Expr:
        """A size. Memory may have one that is read or counted, an output needs it before the function runs."""
        e = self.index_value(value, node)
        size = const_int(e)
        if size is not None and size < 0:
            raise self.refuse(node, f"a size of {size} is below 0", "sizes are 0 or more: max(n, 0)")
        if not reads_memory(e):
            return e
        if output:
            raise self.refuse(
                node,
                "the size of an output cannot depend on elements or variables",
                "use .shape of an input, a number, or an argument",
            )
        fixed = self.steady(e, "size")
        if not self.analyzer.can_prove(ops.greater_equal(fixed, 0)):
            self.check(ops.greater_equal(fixed, 0), f"{self.name}: a size below 0 ({self.span(node)})")
        return fixed

    def dtype(self, name: Value, node: ast.AST) -> DType:
        text = name if isinstance(name, str) else getattr(name, "__name__", str(name))
        try:
            dtype = DType(text)
        except DTypeError:
            dtype = None
        if dtype is None or dtype.lanes != 1 or dtype.kind == "handle":
            raise self.refuse(
                node,
                f"unknown dtype {brief(repr(text))}",
                "float32, float64, int8 to int64, uint8 to uint64, bool",
            )
        return dtype

    def kept(self, buffer: Buffer, value: Value, node: ast.AST) -> Expr:
        """`value` in the dtype of a scalar variable, which its first value gave it."""
        e = value if isinstance(value, Expr) else self.converted(value, node)
        known = buffer.dtype
        fits = e.dtype == known or (
            isinstance(value, Expr | np.generic) and ops.common_dtype(e.dtype, known) == known
        )
        number = isinstance(value, bool | int | float) and not isinstance(value, np.generic)
        if number:
            fits = known.is_float or (known.is_int and not isinstance(value, float)) or e.dtype == known
        if not fits:
            raise self.refuse(
                node,
                f"{buffer.name} holds {known}, from its first value, and this is {e.dtype}",
                f"start it as {e.dtype}(...), or convert here: {known}(...)",
            )
        return self.constant_of(value, known, node)

    def converted(self, value: Value, node: ast.AST) -> Expr:
        if isinstance(value, Slice):
            raise self.refuse(node, "a slice is no number or element", "take an element: a[i]")
        return self.convert(value, node)

    def new_scalar(self, name: str, value: Value, node: ast.AST) -> list[Any]:
        e = self.converted(value, node)
        buffer = Buffer(name, e.dtype, (const(1),), scope="local", origin=self.origin(node))
        self.scopes[-1][name] = Scalar(buffer)
        before, self.before = self.before, []
        first = BufferStore(buffer, e, (const(0),), self.origin(node))
        return [*before, self.allocation(buffer, node), first]

    def allocation(self, buffer: Buffer, node: ast.AST) -> Wrap:
        origin = self.origin(node)
        return lambda rest: Allocate(buffer, rest, origin)
