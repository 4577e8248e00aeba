"""Stores in hybrid functions: a value goes into a name, an element or a slice."""

from __future__ import annotations

import ast

from tewb.ir import Buffer, BufferStore, Expr
from tewb.tensor.hybrid.emitted import Emitted
from tewb.tensor.hybrid.expressions import ExpressionTranslator
from tewb.tensor.hybrid.names import bind
from tewb.tensor.hybrid.scalars import ScalarTranslator
from tewb.tensor.hybrid.shared_buffers import ConstantTable
from tewb.tensor.hybrid.slice_stores import SliceStoreTranslator
from tewb.tensor.hybrid.syntax import has_slice
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.hybrid.values import LoopVariable, ScalarVariable, Slice, Value, kind_of, reads_memory


class StoreTranslator:
    """Stores of values that have been translated."""

    def __init__(
        self, translation: Translation, expressions: ExpressionTranslator, scalars: ScalarTranslator
    ) -> None:
        self.translation, self.expressions, self.scalars = translation, expressions, scalars
        self.slice_stores = SliceStoreTranslator(translation, expressions.arithmetic, expressions.slices)

    def store(self, target: ast.expr, value: Value, node: ast.AST) -> Emitted:
        if isinstance(target, ast.Subscript):
            return self.store_elements(target, value, node)
        if isinstance(target, ast.Name):
            return self.store_name(target, value, node)
        raise self.translation.refuse(
            target, "this cannot be assigned to", "names and elements can: x = 1, a[i] = 1"
        )

    # ---- names

    def store_name(self, target: ast.Name, value: Value, node: ast.AST) -> Emitted:
        current = self.translation.names.find(target.id)
        if isinstance(current, ScalarVariable):
            return self.scalars.store(current, value, node)
        if isinstance(current, LoopVariable):
            raise self.translation.refuse(
                target,
                f"{target.id} is the variable of a loop and cannot be set",
                "copy it: k = i, or use a while",
            )
        if isinstance(current, Buffer | ConstantTable):
            raise self.translation.refuse(
                target,
                f"{target.id} is a tensor",
                f"set its elements: {target.id}[i] = ..., {target.id}[:] = ...",
            )
        if isinstance(value, Slice):
            raise self.translation.refuse(
                node,
                "a slice gets no name",
                f"allocate {target.id} and set {target.id}[:], or use it in place",
            )
        if isinstance(value, tuple | list | Buffer | ConstantTable | str) or self.is_fixed(target.id, value):
            bind(self.translation, target, value)
            return []
        return self.scalars.declare(target.id, value, node)

    def is_fixed(self, name: str, value: Value) -> bool:
        """Whether a name, set once in the function, stands for a value that no memory can change: then it
        needs no memory itself, and an index that uses it can be proved."""
        if self.translation.names.own.get(name) != 1:
            return False
        if isinstance(value, Expr):
            return not value.dtype.is_float and not reads_memory(value)
        return isinstance(value, bool | int | float)

    # ---- elements

    def store_elements(self, target: ast.Subscript, value: Value, node: ast.AST) -> Emitted:
        translation, expressions = self.translation, self.expressions
        buffer = self.writable_buffer(target)
        if isinstance(value, Buffer | ConstantTable | tuple | str):
            raise translation.refuse(
                node,
                f"{getattr(value, 'name', 'it')} is no number or element: it is {kind_of(value)}",
                "take an element a[i], or all of them a[:]",
            )
        if has_slice(target):
            return self.slice_stores.store(target, buffer, value, node)
        if isinstance(value, Slice):
            raise translation.refuse(
                node, "a slice does not fit into one element", f"write {buffer.name}[:] = ..., or index it"
            )
        indices = expressions.indices.indices(target, buffer)
        stored = expressions.arithmetic.convert_to(value, buffer.dtype, node)
        return BufferStore(buffer, stored, indices, translation.origin(node))

    def writable_buffer(self, target: ast.Subscript) -> Buffer:
        base = self.expressions.evaluate(target.value)
        if isinstance(base, ConstantTable):
            raise self.translation.refuse(
                target, "an array from outside is constant", "allocate a tensor and set its elements"
            )
        buffer = self.expressions.elements.buffer(target, base)
        if buffer not in self.translation.writable:
            raise self.translation.refuse(
                target,
                f"{buffer.name} is an input and cannot be written",
                "write into an output_tensor, or allocate a copy",
            )
        return buffer
