"""Scalar variables of hybrid functions: memory for one element, whose dtype is that of the first value."""

from __future__ import annotations

import ast

import numpy as np

from tewb.ir import Buffer, BufferStore, Expr, Stmt, const, ops
from tewb.tensor.hybrid.arithmetic import Arithmetic
from tewb.tensor.hybrid.emitted import Wrap
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.hybrid.values import ScalarVariable, Slice, Value


class ScalarTranslator:
    """The first value of a scalar variable, and every later one."""

    def __init__(self, translation: Translation, arithmetic: Arithmetic) -> None:
        self.translation, self.arithmetic = translation, arithmetic

    def declare(self, name: str, value: Value, node: ast.AST) -> list[Stmt | Wrap]:
        """A variable, and the store of its first value."""
        translation = self.translation
        e = self.convert(value, node)
        buffer = Buffer(name, e.dtype, (const(1),), scope="local", origin=translation.origin(node))
        translation.names.set(name, ScalarVariable(buffer))
        first = BufferStore(buffer, e, (const(0),), translation.origin(node))
        return [*translation.take_pending(), translation.allocation(buffer, node), first]

    def store(self, variable: ScalarVariable, value: Value, node: ast.AST) -> Stmt:
        buffer = variable.buffer
        e = self.convert_to_dtype(buffer, value, node)
        return BufferStore(buffer, e, (const(0),), self.translation.origin(node))

    def convert(self, value: Value, node: ast.AST) -> Expr:
        if isinstance(value, Slice):
            raise self.translation.refuse(node, "a slice is no number or element", "take an element: a[i]")
        return self.arithmetic.convert(value, node)

    def convert_to_dtype(self, buffer: Buffer, value: Value, node: ast.AST) -> Expr:
        """`value` in the dtype of a scalar variable, which its first value gave it. What a number as 1 or 0.5 makes of
        a narrow element, an int32 or a float32, becomes narrow again."""
        e = value if isinstance(value, Expr) else self.convert(value, node)
        dtype = buffer.dtype
        number = isinstance(value, bool | int | float) and not isinstance(value, np.generic)
        if number:
            fits = dtype.is_float or (dtype.is_int and not isinstance(value, float)) or e.dtype == dtype
        else:
            same_kind = (e.dtype.is_int and dtype.is_int) or (e.dtype.is_float and dtype.is_float)
            fits = ops.common_dtype(e.dtype, dtype) == dtype or (
                same_kind and e.dtype.bits <= max(32, dtype.bits)
            )
        if not fits:
            raise self.translation.refuse(
                node,
                f"{buffer.name} holds {dtype}, from its first value, and this is {e.dtype}",
                f"start it as {e.dtype}(...), or convert here: {dtype}(...)",
            )
        return self.arithmetic.convert_to(value, dtype, node)
