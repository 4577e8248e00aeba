"""Elements of tensors: indices that are proved, refused, or checked when the function runs."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from tewb.arith import detect_linear
from tewb.base import BoundError, HybridError
from tewb.ir import (
    Buffer,
    BufferLoad,
    Expr,
    IntImm,
    Var,
    const_int,
    free_vars,
    ops,
    script,
)
from tewb.tensor.hybrid.expressions import Expressions
from tewb.tensor.hybrid.shared import Table
from tewb.tensor.hybrid.values import (
    Slice,
    Value,
    kind_of,
)
from tewb.tensor.wide_indices import checked_index, wide_index, written


class Elements(Expressions):
    """Elements, on top of expressions."""

    def subscript(self, node: ast.Subscript) -> Value:
        base = self.expression(node.value)
        if isinstance(base, tuple | list):
            return self.part_of_tuple(node, base)
        if isinstance(base, Table):
            known = [self.expression(p) for p in _parts(node) if not isinstance(p, ast.Slice)]
            if len(known) == len(base.shape) == len(_parts(node)) and all(isinstance(i, int) for i in known):
                try:
                    return base.array[tuple(known)]
                except IndexError as e:
                    raise self.refuse(node, str(e), "indices run from 0 to size - 1", BoundError) from None
        buffer = self.memory(node, base)
        if any(isinstance(p, ast.Slice) for p in _parts(node)):
            return self.slice_of(node, buffer)
        return BufferLoad(buffer, self.indices(node, buffer), buffer.dtype)

    def slice_of(self, node: ast.Subscript, buffer: Buffer) -> Slice:
        raise NotImplementedError

    def part_of_tuple(self, node: ast.Subscript, base: Sequence[Value]) -> Value:
        if isinstance(node.slice, ast.Slice):
            ends = [
                None if p is None else self.expression(p)
                for p in (node.slice.lower, node.slice.upper, node.slice.step)
            ]
            if all(e is None or isinstance(e, int) for e in ends):
                return tuple(base[slice(*ends)])
            raise self.refuse(node.slice, "a part of a tuple needs numbers that are known here")
        index = self.expression(node.slice)
        number = index if isinstance(index, int) else const_int(index) if isinstance(index, Expr) else None
        if number is None or not -len(base) <= number < len(base):
            raise self.refuse(
                node.slice,
                f"this needs a number below {len(base)} that is known here",
                "const_range gives such numbers",
            )
        return base[number]

    def memory(self, node: ast.Subscript, base: Value) -> Buffer:
        if isinstance(base, Table):
            return self.table(base, node)
        if not isinstance(base, Buffer):
            raise self.refuse(
                node.value, f"this is {kind_of(base)} and has no elements", "tensors have elements: a[i]"
            )
        return base

    def table(self, table: Table, node: ast.AST) -> Buffer:
        try:
            return self.shared.memory(table)
        except HybridError as e:
            raise self.refuse(node, e.message, e.hint) from None

    def indices(self, node: ast.Subscript, buffer: Buffer) -> tuple[Expr, ...]:
        parts = _parts(node)
        self.check_rank(node, buffer)
        return tuple(self.index(node, buffer, d, p) for d, p in enumerate(parts))

    def check_rank(self, node: ast.Subscript, buffer: Buffer) -> None:
        wanted, given = len(buffer.shape), len(_parts(node))
        if given != wanted:
            row = ", ".join([f"i{d}" for d in range(min(given, wanted))] + [":"] * max(0, wanted - given))
            raise self.refuse(
                node, f"{buffer.name} has {wanted} dimensions, not {given}", f"{buffer.name}[{row}]"
            )

    def index(self, node: ast.Subscript, buffer: Buffer, d: int, part: ast.expr) -> Expr:
        """One index, proved or checked; a negative number that is known counts from the end."""
        size = buffer.shape[d]
        index = self.index_value(self.expression(part), part)
        number = const_int(index)
        if number is not None and number < 0:
            index = ops.add(index, size)
        index = wide_index(index, self.ranges_of(index), size)
        self.check_index(node, buffer, d, index, size, number)
        return index

    def ranges_of(self, index: Expr) -> dict[Var, tuple[int | None, int | None]]:
        """What is known of the variables of an index."""
        return {v: self.analyzer.ranges.get(v, (None, None)) for v in free_vars(index)}

    def index_value(self, value: Value, node: ast.AST) -> Expr:
        if isinstance(value, Slice):
            raise self.refuse(node, "a slice cannot be an index", "index with each element in a loop")
        e = self.convert(value, node)
        if not e.dtype.is_int:
            raise self.refuse(node, f"an index is an integer, not {e.dtype}", "int32(x) converts")
        return ops.as_index(e)

    def check_index(
        self, node: ast.Subscript, b: Buffer, d: int, index: Expr, size: Expr, said: int | None = None
    ) -> None:
        """Prove that an access is in bounds, refuse it when it certainly is not, or leave a check for run time."""
        passes = None if isinstance(index, Var | IntImm) else self.analyzer.overflow(index)
        if passes is not None:
            part, end = passes
            raise self.refuse(
                node,
                f"the index of {b.name} passes {part.dtype}: in dimension {d}, {script(part)} reaches {end}",
                "take remainders before products: (i % n) * (i % n)",
                BoundError,
            )
        low, high = ops.greater_equal(index, 0), ops.less(index, size)
        if self.analyzer.can_prove(low) and self.analyzer.can_prove(high):
            return
        lo, hi = self.analyzer.const_bounds(index)
        n = const_int(size)
        outside = (lo is not None and lo < 0) or (hi is not None and n is not None and hi >= n)
        if outside and self.certainly_reached(index):
            asked = f"{said}" if said is not None and said < 0 else f"from {lo} to {hi}"
            raise self.refuse(
                node,
                f"this reads or writes outside of {b.name}: in dimension {d} the index runs {asked}, and the "
                f"size is {script(size)}"
                if asked.startswith("from")
                else f"this reads or writes outside of {b.name}: the index {asked} of dimension {d} counts from "
                f"the end, and the size is {script(size)}",
                "guard it with an if",
                BoundError,
            )
        text = f"{self.name} leaves {b.name} in dimension {d} ({self.span(node)}): {written(index)}"
        index = checked_index(index, self.ranges_of(index), size)
        low, high = ops.greater_equal(index, 0), ops.less(index, size)
        self.check(ops.logical_and(low, high), text)

    def certainly_reached(self, index: Expr) -> bool:
        """Whether the ends of an index, as the loops around say, are indices that the loops reach: it is
        linear over a box, and no branch stands between."""
        if self.guards or self.branches:
            return False
        extents = {iv.var: iv.dom.extent for iv in self.result.axis if iv.dom is not None}
        linear = detect_linear(index, list(extents))
        if linear is None or const_int(linear[1]) is None:
            return False
        return all(
            (const_int(extents[v]) or 0) > 0 and const_int(c) is not None for v, c in linear[0].items()
        )


def _parts(node: ast.Subscript) -> list[ast.expr]:
    return node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
