"""Declarations in hybrid functions: t = output_tensor(shape, dtype) and t = allocate(shape, dtype, scope)."""

from __future__ import annotations

import ast

from tewb.base import DType, DTypeError, brief, is_in_numpy
from tewb.ir import Buffer, Expr, const_int, ops
from tewb.tensor.hybrid.emitted import Emitted
from tewb.tensor.hybrid.indices import IndexTranslator
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.hybrid.values import Evaluate, Value, reads_memory


class DeclarationTranslator:
    """Tensors that a function makes. `evaluate` translates an expression."""

    def __init__(self, translation: Translation, indices: IndexTranslator, evaluate: Evaluate) -> None:
        self.translation, self.indices, self.evaluate = translation, indices, evaluate

    def declare(self, target: ast.expr, call: ast.Call, word: str) -> Emitted:
        translation = self.translation
        if not isinstance(target, ast.Name):
            raise translation.refuse(target, f"{word} gives its tensor a name", f"t = {word}(...)")
        if translation.names.find(target.id) is not None:
            raise translation.refuse(target, f"{target.id} is set already", "choose another name")
        is_output = word == "output_tensor"
        buffer = self.buffer(target.id, call, self.arguments(call, word), is_output)
        translation.names.set(target.id, buffer)
        translation.writable.add(buffer)
        if is_output:
            translation.result.outputs.append(buffer)
            return []
        return [translation.allocation(buffer, target)]

    def buffer(self, name: str, call: ast.Call, arguments: dict[str, Value], is_output: bool) -> Buffer:
        translation = self.translation
        shape = arguments["shape"]
        sizes = shape if isinstance(shape, tuple | list) else (shape,)
        extents = tuple(self.extent(n, call, is_output) for n in sizes)
        dtype = self.dtype(arguments.get("dtype", "float32"), call)
        scope = arguments.get("scope", "global")
        if scope not in ("global", "local", "shared"):
            raise translation.refuse(call, f"the scope {scope!r} is not known", "global, local or shared")
        if is_output and translation.depth > 0:
            raise translation.refuse(
                call, "output_tensor stands outside of loops and branches", "allocate makes memory in a block"
            )
        return Buffer(name, dtype, extents, scope=scope, origin=translation.origin(call))

    def arguments(self, call: ast.Call, word: str) -> dict[str, Value]:
        """The arguments of a declaration by name."""
        names = ("shape", "dtype", "scope") if word == "allocate" else ("shape", "dtype")
        form = f"{word}({', '.join(names)})"
        arguments: dict[str, Value] = {}
        for k in call.keywords:
            if k.arg not in names:
                raise self.translation.refuse(call, f"{word} has no argument {k.arg or '**'}", form)
            arguments[str(k.arg)] = self.evaluate(k.value)
        if len(call.args) > len(names):
            raise self.translation.refuse(call, f"{word} takes at most {len(names)} arguments", form)
        for key, a in zip(names, call.args, strict=False):
            if key in arguments:
                raise self.translation.refuse(call, f"{word}: {key} is given twice", form)
            arguments[key] = self.evaluate(a)
        if "shape" not in arguments:
            raise self.translation.refuse(call, f"{word} needs a shape", form)
        return arguments

    def extent(self, value: Value, node: ast.AST, is_output: bool) -> Expr:
        """A size. Memory may have one that is read or counted; that of an output is known before the function
        runs."""
        translation = self.translation
        e = self.indices.index_value(value, node)
        size = const_int(e)
        if size is not None and size < 0:
            raise translation.refuse(node, f"a size of {size} is below 0", "sizes are 0 or more: max(n, 0)")
        if not reads_memory(e):
            return e
        if is_output:
            raise translation.refuse(
                node,
                "the size of an output cannot depend on elements or variables",
                "use .shape of an input, a number, or an argument",
            )
        fixed = translation.value_before(e, "size")
        at_least_0 = ops.greater_equal(fixed, 0)
        if not translation.analyzer.can_prove(at_least_0):
            translation.check(at_least_0, f"{translation.name}: a size below 0 ({translation.span(node)})")
        return fixed

    def dtype(self, name: Value, node: ast.AST) -> DType:
        text = name if isinstance(name, str) else getattr(name, "__name__", str(name))
        try:
            dtype = DType(text)
        except DTypeError:
            dtype = None
        if dtype is None or dtype.lanes != 1 or dtype.kind == "handle" or not is_in_numpy(dtype):
            raise self.translation.refuse(
                node,
                f"unknown dtype {brief(repr(text))}",
                "float16, float32, float64, int8 to int64, uint8 to uint64, bool",
            )
        return dtype
