"""Calls of the words of the language."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from tewb.ir import (
    Buffer,
    Expr,
    IntImm,
    convert,
    ops,
)
from tewb.tensor.hybrid.elements import Elements
from tewb.tensor.hybrid.names import CASTS, DECLARATIONS, FUNCTIONS, LOOPS, WORDS
from tewb.tensor.hybrid.shared import Table
from tewb.tensor.hybrid.values import (
    Counted,
    Slice,
    Value,
    kind_of,
)
from tewb.tensor.tensor import Tensor


class Calls(Elements):
    """Calls, on top of elements."""

    def call(self, node: ast.Call) -> Value:
        function = self.callee(node)
        if not isinstance(function, str):
            raise self.refuse(
                node, f"the result of {function.name} gets a name first", f"t = {function.name}(...)"
            )
        if function in DECLARATIONS:
            raise self.refuse(node, f"{function} gives its tensor a name", f"t = {function}(...)")
        if node.keywords:
            raise self.refuse(
                node, f"{function} takes no keyword arguments", f"write the values in order: {function}(x)"
            )
        args = [self.expression(a) for a in node.args]
        if function in LOOPS or function == "const_range":
            return Counted(function, tuple(args))
        return self.function(node, function, args)

    def callee(self, node: ast.Call) -> Any:
        """A word of the language, or another hybrid function."""
        f = node.func
        if isinstance(f, ast.Attribute):
            found = self.attribute(f)
            if hasattr(found, "parse_into"):
                return found
        if not isinstance(f, ast.Name):
            raise self.refuse(
                node,
                "this cannot be called in the hybrid language",
                "call words and hybrid functions by name",
            )
        own = self.find(f.id)
        if own is not None:
            raise self.refuse(
                node, f"{f.id} is {kind_of(self.meaning(own))} here", "choose another name for it"
            )
        outer = self.outer.get(f.id)
        if hasattr(outer, "parse_into"):
            return outer
        if f.id in WORDS or f.id in ("len", "int", "float", "enumerate", "zip"):
            return f.id
        if isinstance(outer, Tensor | np.ndarray):
            raise self.refuse(node, f"{f.id} is a tensor", f"take an element: {f.id}[i]")
        if callable(outer):
            raise self.refuse(
                node, f"{f.id} is plain Python", f"define {f.id} with @te.hybrid.script to call it here"
            )
        raise self.refuse(
            node,
            f"there is no function {f.id}",
            f"there are {', '.join(sorted(FUNCTIONS))}, min, max and casts such as float32",
        )

    def function(self, node: ast.Call, name: str, args: list[Value]) -> Value:
        if name == "len":
            return self.length(node, args)
        if name in ("enumerate", "zip"):
            return self.sequences(node, name, args)
        for a in args:
            if isinstance(a, Buffer | Table):
                raise self.refuse(node, f"{name}: {a.name} is a tensor", f"take an element: {a.name}[i]")
            self.number(a, node)
        if name in ("min", "max"):
            if len(args) < 2:
                raise self.refuse(node, f"{name} takes two or more values", f"{name}(x, y)")
            return self.extreme(node, name, args)
        if name in CASTS or name in ("int", "float"):
            if len(args) != 1:
                raise self.refuse(node, f"{name} takes one value", f"{name}(x)")
            return self.applied(node, lambda x: _converted(name, x), args[0])
        return self.applied(node, FUNCTIONS[name][0], *args)

    def length(self, node: ast.Call, args: list[Value]) -> Value:
        match args:
            case [Buffer() | Table() as t] if t.shape:
                n = t.shape[0]
                return n.value if isinstance(n, IntImm) else n
            case [tuple() | list() as values]:
                return len(values)
        raise self.refuse(node, "len takes a tensor or a tuple", "len(a) is a.shape[0]")

    def sequences(self, node: ast.Call, name: str, args: list[Value]) -> Value:
        if not args or not all(isinstance(a, tuple | list) for a in args):
            raise self.refuse(
                node,
                f"a loop cannot run over {name}(...) of this",
                f"{name} takes tuples of tensors or numbers",
            )
        return tuple(zip(*args, strict=False)) if name == "zip" else tuple(enumerate(args[0]))

    def extreme(self, node: ast.AST, name: str, args: list[Value]) -> Value:
        if not any(isinstance(a, Expr | Slice | np.generic) for a in args):
            return min(args) if name == "min" else max(args)
        result = args[0]
        for a in args[1:]:
            result = self.applied(node, ops.minimum if name == "min" else ops.maximum, result, a)
        return result


def _converted(name: str, x: Any) -> Expr:
    """Casts. int and float keep a wider dtype of their kind."""
    e = convert(x)
    if name == "int":
        name = e.dtype if e.dtype.is_int else "int32"
    elif name == "float":
        name = e.dtype if e.dtype.is_float else "float32"
    return ops.cast(e, name)
