"""Indices in hybrid functions: proved to be in bounds, refused, or checked when the function runs."""

from __future__ import annotations

import ast

from tewb.arith import detect_linear
from tewb.base import BoundError
from tewb.ir import Buffer, Expr, IntImm, Var, const_int, free_vars, ops, script
from tewb.tensor.hybrid.arithmetic import Arithmetic
from tewb.tensor.hybrid.syntax import subscripts
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.hybrid.values import Evaluate, Slice, Value
from tewb.tensor.wide_indices import checked_index, index_text, wide_index


class IndexTranslator:
    """Indices of tensors. `evaluate` translates an expression."""

    def __init__(self, translation: Translation, arithmetic: Arithmetic, evaluate: Evaluate) -> None:
        self.translation, self.arithmetic, self.evaluate = translation, arithmetic, evaluate

    def indices(self, node: ast.Subscript, buffer: Buffer) -> tuple[Expr, ...]:
        """The indices of one element."""
        self.check_rank(node, buffer)
        return tuple(self.index(node, buffer, d, p) for d, p in enumerate(subscripts(node)))

    def check_rank(self, node: ast.Subscript, buffer: Buffer) -> None:
        wanted, given = len(buffer.shape), len(subscripts(node))
        if given != wanted:
            row = ", ".join([f"i{d}" for d in range(min(given, wanted))] + [":"] * max(0, wanted - given))
            raise self.translation.refuse(
                node, f"{buffer.name} has {wanted} dimensions, not {given}", f"{buffer.name}[{row}]"
            )

    def index(self, node: ast.Subscript, buffer: Buffer, d: int, subscript: ast.expr) -> Expr:
        """One index, proved or checked; a negative number that is known counts from the end."""
        size = buffer.shape[d]
        index = self.index_value(self.evaluate(subscript), subscript)
        number = const_int(index)
        if number is not None and number < 0:
            index = ops.add(index, size)
        index = wide_index(index, self.ranges_of(index), size)
        self.check_index(node, buffer, d, index, size, number)
        return index

    def index_value(self, value: Value, node: ast.AST) -> Expr:
        """A value as an integer of the width that indices have."""
        if isinstance(value, Slice):
            raise self.translation.refuse(
                node, "a slice cannot be an index", "index with each element in a loop"
            )
        e = self.arithmetic.convert(value, node)
        if not e.dtype.is_int:
            raise self.translation.refuse(node, f"an index is an integer, not {e.dtype}", "int32(x) converts")
        return ops.as_index(e)

    def ranges_of(self, index: Expr) -> dict[Var, tuple[int | None, int | None]]:
        """What is known of the variables of an index."""
        return {v: self.translation.analyzer.ranges.get(v, (None, None)) for v in free_vars(index)}

    def check_index(
        self, node: ast.Subscript, b: Buffer, d: int, index: Expr, size: Expr, number: int | None
    ) -> None:
        """Prove that an access is in bounds, refuse it when it certainly is not, or leave a check for run time.
        `number` is the index as it was written, if it is a number."""
        self.check_overflow(node, b, d, index)
        translation, analyzer = self.translation, self.translation.analyzer
        low, high = ops.greater_equal(index, 0), ops.less(index, size)
        if analyzer.can_prove(low) and analyzer.can_prove(high):
            return
        lo, hi = analyzer.const_bounds(index)
        n = const_int(size)
        outside = (lo is not None and lo < 0) or (hi is not None and n is not None and hi >= n)
        if outside and self.certainly_reached(index):
            if number is not None and number < 0:
                where = f"the index {number} of dimension {d} counts from the end"
            else:
                where = f"in dimension {d} the index runs from {lo} to {hi}"
            raise translation.refuse(
                node,
                f"this reads or writes outside of {b.name}: {where}, and the size is {script(size)}",
                "guard it with an if",
                BoundError,
            )
        text = f"{translation.name} leaves {b.name} in dimension {d} ({translation.span(node)}): {index_text(index)}"
        index = checked_index(index, self.ranges_of(index), size)
        low, high = ops.greater_equal(index, 0), ops.less(index, size)
        translation.check(ops.logical_and(low, high), text)

    def check_overflow(self, node: ast.Subscript, b: Buffer, d: int, index: Expr) -> None:
        """Refuse an index that passes its dtype on the way."""
        overflow = None if isinstance(index, Var | IntImm) else self.translation.analyzer.overflow(index)
        if overflow is not None:
            term, end = overflow
            raise self.translation.refuse(
                node,
                f"the index of {b.name} passes {term.dtype}: in dimension {d}, {script(term)} reaches {end}",
                "take remainders before products: (i % n) * (i % n)",
                BoundError,
            )

    def certainly_reached(self, index: Expr) -> bool:
        """Whether the ends of an index, as the loops around say, are indices that the loops reach: it is
        linear over a box, and no branch stands between."""
        if self.translation.guards or self.translation.branches:
            return False
        extents = {iv.var: iv.dom.extent for iv in self.translation.result.axis if iv.dom is not None}
        linear = detect_linear(index, list(extents))
        if linear is None or const_int(linear[1]) is None:
            return False
        return all(
            (const_int(extents[v]) or 0) > 0 and const_int(c) is not None for v, c in linear[0].items()
        )
