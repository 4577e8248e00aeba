"""Subscripts in hybrid functions: elements and slices of tensors, members of tuples."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from tewb.base import BoundError
from tewb.ir import Buffer, BufferLoad, Expr, const_int
from tewb.tensor.hybrid.indices import IndexTranslator
from tewb.tensor.hybrid.shared_buffers import ConstantTable
from tewb.tensor.hybrid.slices import SliceTranslator
from tewb.tensor.hybrid.syntax import has_slice, subscripts
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.hybrid.values import Evaluate, Value, kind_of


class ElementTranslator:
    """Subscripts that are read. `evaluate` translates an expression."""

    def __init__(
        self,
        translation: Translation,
        indices: IndexTranslator,
        slices: SliceTranslator,
        evaluate: Evaluate,
    ) -> None:
        self.translation, self.evaluate = translation, evaluate
        self.indices, self.slices = indices, slices

    def subscript(self, node: ast.Subscript) -> Value:
        base = self.evaluate(node.value)
        if isinstance(base, tuple | list):
            return self.member(node, base)
        if isinstance(base, ConstantTable):
            known = [self.evaluate(p) for p in subscripts(node) if not isinstance(p, ast.Slice)]
            if len(known) == len(base.shape) == len(subscripts(node)) and all(
                isinstance(i, int) for i in known
            ):
                return self.table_element(node, base, known)
        buffer = self.buffer(node, base)
        if has_slice(node):
            return self.slices.read(node, buffer)
        return BufferLoad(buffer, self.indices.indices(node, buffer), buffer.dtype)

    def buffer(self, node: ast.Subscript, base: Value) -> Buffer:
        """The memory that `node` has elements of."""
        if isinstance(base, ConstantTable):
            return self.translation.table_buffer(base, node)
        if not isinstance(base, Buffer):
            raise self.translation.refuse(
                node.value, f"this is {kind_of(base)} and has no elements", "tensors have elements: a[i]"
            )
        return base

    def table_element(self, node: ast.AST, table: ConstantTable, indices: Sequence[int]) -> Value:
        """An element of a constant array whose indices are known: a number."""
        try:
            return table.array[tuple(indices)]
        except IndexError as e:
            raise self.translation.refuse(
                node, str(e), "indices run from 0 to size - 1", BoundError
            ) from None

    def member(self, node: ast.Subscript, members: Value) -> Value:
        """`a[i]` of a tuple; `a[i, j]` of one of tuples is `a[i][j]`."""
        for position in subscripts(node):
            if isinstance(position, ast.Slice):
                members = self.tuple_slice(position, members)
            elif isinstance(members, tuple | list):
                members = self.tuple_member(position, members)
            else:
                why = f"this is {kind_of(members)} and has no elements"
                raise self.translation.refuse(position, why, "one index for each list in another")
        return members

    def tuple_member(self, position: ast.expr, members: Sequence[Value]) -> Value:
        index = self.evaluate(position)
        number = index if isinstance(index, int) else const_int(index) if isinstance(index, Expr) else None
        if number is None or not -len(members) <= number < len(members):
            raise self.translation.refuse(
                position,
                f"this needs a number below {len(members)} that is known here",
                "const_range gives such numbers",
            )
        return members[number]

    def tuple_slice(self, node: ast.Slice, members: Sequence[Value]) -> Value:
        ends = [None if p is None else self.evaluate(p) for p in (node.lower, node.upper, node.step)]
        if all(e is None or isinstance(e, int) for e in ends):
            return tuple(members[slice(*ends)])
        raise self.translation.refuse(node, "a part of a tuple needs numbers that are known here")
