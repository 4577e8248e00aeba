"""Calls in hybrid functions: words of the language, with values as arguments."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from tewb.ir import Buffer, Expr, IntImm, convert, ops
from tewb.tensor.hybrid.arithmetic import Arithmetic
from tewb.tensor.hybrid.attributes import attribute
from tewb.tensor.hybrid.names import read_value
from tewb.tensor.hybrid.shared_buffers import ConstantTable
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.hybrid.values import CountedRange, Evaluate, Inlinable, Slice, Value, kind_of
from tewb.tensor.hybrid.words import CASTS, DECLARATIONS, FUNCTIONS, LOOPS, WORDS
from tewb.tensor.tensor import Tensor


class CallTranslator:
    """Calls inside of expressions. `evaluate` translates an expression."""

    def __init__(self, translation: Translation, arithmetic: Arithmetic, evaluate: Evaluate) -> None:
        self.translation, self.arithmetic, self.evaluate = translation, arithmetic, evaluate

    def call(self, node: ast.Call) -> Value:
        function = self.callee(node)
        if not isinstance(function, str):
            raise self.translation.refuse(
                node, f"the result of {function.name} gets a name first", f"t = {function.name}(...)"
            )
        if function in DECLARATIONS:
            raise self.translation.refuse(node, f"{function} gives its tensor a name", f"t = {function}(...)")
        if node.keywords:
            raise self.translation.refuse(
                node, f"{function} takes no keyword arguments", f"write the values in order: {function}(x)"
            )
        args = [self.evaluate(a) for a in node.args]
        if function in LOOPS or function == "const_range":
            return CountedRange(function, tuple(args))
        return self.function(node, function, args)

    def callee(self, node: ast.Call) -> str | Inlinable:
        """A word of the language, or another hybrid function."""
        f = node.func
        if isinstance(f, ast.Attribute):
            member = attribute(self.translation, f, self.evaluate(f.value))
            if isinstance(member, Inlinable):
                return member
        if not isinstance(f, ast.Name):
            raise self.translation.refuse(
                node,
                "this cannot be called in the hybrid language",
                "call words and hybrid functions by name",
            )
        own = self.translation.names.find(f.id)
        if own is not None:
            raise self.translation.refuse(
                node, f"{f.id} is {kind_of(read_value(own))} here", "choose another name for it"
            )
        outer = self.translation.names.outer.get(f.id)
        if isinstance(outer, Inlinable):
            return outer
        if f.id in WORDS or f.id in ("len", "int", "float", "enumerate", "zip"):
            return f.id
        if isinstance(outer, Tensor | np.ndarray):
            raise self.translation.refuse(node, f"{f.id} is a tensor", f"take an element: {f.id}[i]")
        if callable(outer):
            raise self.translation.refuse(
                node, f"{f.id} is plain Python", f"define {f.id} with @te.hybrid.script to call it here"
            )
        raise self.translation.refuse(
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
            if isinstance(a, Buffer | ConstantTable):
                raise self.translation.refuse(
                    node, f"{name}: {a.name} is a tensor", f"take an element: {a.name}[i]"
                )
            self.arithmetic.check_number(a, node)
        if name in ("min", "max"):
            if len(args) < 2:
                raise self.translation.refuse(node, f"{name} takes two or more values", f"{name}(x, y)")
            return self.extreme(node, name, args)
        if name in CASTS or name in ("int", "float"):
            if len(args) != 1:
                raise self.translation.refuse(node, f"{name} takes one value", f"{name}(x)")
            return self.arithmetic.apply(node, lambda x: _cast(name, x), args[0])
        return self.arithmetic.apply(node, FUNCTIONS[name][0], *args)

    def length(self, node: ast.Call, args: list[Value]) -> Value:
        match args:
            case [Buffer() | ConstantTable() as t] if t.shape:
                n = t.shape[0]
                return n.value if isinstance(n, IntImm) else n
            case [tuple() | list() as values]:
                return len(values)
        raise self.translation.refuse(node, "len takes a tensor or a tuple", "len(a) is a.shape[0]")

    def sequences(self, node: ast.Call, name: str, args: list[Value]) -> Value:
        if not args or not all(isinstance(a, tuple | list) for a in args):
            raise self.translation.refuse(
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
            result = self.arithmetic.apply(node, ops.minimum if name == "min" else ops.maximum, result, a)
        return result


def _cast(name: str, x: Any) -> Expr:
    """Casts. int and float keep a wider dtype of their kind."""
    e = convert(x)
    if name == "int":
        name = e.dtype if e.dtype.is_int else "int32"
    elif name == "float":
        name = e.dtype if e.dtype.is_float else "float32"
    return ops.cast(e, name)
