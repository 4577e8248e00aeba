"""Slices in hybrid functions: the boxes of elements that subscripts such as a[i, 1:n] cover."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from tewb.base import BoundError
from tewb.ir import Buffer, BufferLoad, Expr, const, const_int, ops, script
from tewb.tensor.hybrid.indices import IndexTranslator
from tewb.tensor.hybrid.syntax import subscripts
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.hybrid.values import Evaluate, Slice


@dataclass(frozen=True, slots=True, eq=False)
class StridedRange:
    """Indices start, start + step, ...; `extent` of them."""

    start: Expr
    step: int
    extent: Expr

    def at(self, i: Expr) -> Expr:
        return ops.add(self.start, ops.mul(i, self.step))


Box = list[Expr | StridedRange]


def box_shape(box: Box) -> tuple[Expr, ...]:
    return tuple(r.extent for r in box if isinstance(r, StridedRange))


def element_indices(box: Box, indices: Sequence[Expr]) -> tuple[Expr, ...]:
    """The indices in the tensor of the element at `indices` of a box."""
    remaining = iter(indices)
    return tuple(r.at(next(remaining)) if isinstance(r, StridedRange) else r for r in box)


class SliceTranslator:
    """Subscripts with slices. `evaluate` translates an expression."""

    def __init__(self, translation: Translation, indices: IndexTranslator, evaluate: Evaluate) -> None:
        self.translation, self.indices, self.evaluate = translation, indices, evaluate

    def read(self, node: ast.Subscript, buffer: Buffer) -> Slice:
        box = self.box(node, buffer)

        def element(indices: Sequence[Expr]) -> Expr:
            return BufferLoad(buffer, element_indices(box, indices), buffer.dtype)

        return Slice(box_shape(box), element)

    def box(self, node: ast.Subscript, buffer: Buffer) -> Box:
        """What a subscript with slices covers. It is fixed before the statement starts."""
        self.indices.check_rank(node, buffer)
        box: Box = []
        for d, part in enumerate(subscripts(node)):
            if isinstance(part, ast.Slice):
                box.append(self.strided_range(node, buffer, d, part))
            else:
                index = self.indices.index(node, buffer, d, part)
                box.append(self.translation.value_before(index, f"{buffer.name}.at{d}"))
        return box

    def strided_range(self, node: ast.Subscript, buffer: Buffer, d: int, part: ast.Slice) -> StridedRange:
        size, analyzer = buffer.shape[d], self.translation.analyzer
        step = self.step(part)
        start = const(0, size.dtype) if step > 0 else ops.sub(size, 1)
        stop = size if step > 0 else const(-1, size.dtype)
        if part.lower is not None:
            start = self.end(part.lower, size, f"{buffer.name}.start")
        if part.upper is not None:
            stop = self.end(part.upper, size, f"{buffer.name}.stop")
        self.check_ends(node, buffer, d, start, stop, step)
        length = ops.sub(stop, start) if step > 0 else ops.sub(start, stop)
        if not analyzer.can_prove(ops.greater_equal(length, 0)):
            length = ops.maximum(length, 0)
        extent = analyzer.simplify(ops.floordiv(ops.add(length, abs(step) - 1), abs(step)))
        return StridedRange(start, step, extent)

    def step(self, part: ast.Slice) -> int:
        if part.step is None:
            return 1
        step = const_int(self.indices.index_value(self.evaluate(part.step), part.step))
        if step is None or step == 0:
            raise self.translation.refuse(
                part, "the step of a slice is a number other than 0, known here", "a[0:n:2]"
            )
        return step

    def end(self, node: ast.expr, size: Expr, name: str) -> Expr:
        """An end of a slice; a negative number that is known counts from the end of the tensor."""
        e = self.translation.value_before(self.indices.index_value(self.evaluate(node), node), name)
        number = const_int(e)
        return ops.add(e, size) if number is not None and number < 0 else e

    def check_ends(
        self, node: ast.Subscript, buffer: Buffer, d: int, start: Expr, stop: Expr, step: int
    ) -> None:
        """Both ends of a slice lie in the tensor. (numpy would cut it off, and the sizes would differ.)"""
        translation = self.translation
        size = buffer.shape[d]
        last = ops.sub(size, 1) if step < 0 else size
        lowest = const(-1 if step < 0 else 0, size.dtype)
        for e, low in ((start, const(0, size.dtype)), (stop, lowest)):
            in_bounds = (ops.greater_equal(e, low), ops.less_equal(e, last))
            unproved = [c for c in in_bounds if not translation.analyzer.can_prove(c)]
            if not unproved:
                continue
            text = (
                f"the slice {ast.unparse(node)} leaves {buffer.name}, whose size in dimension {d} is "
                f"{script(size)}"
            )
            if const_int(e) is not None and const_int(size) is not None:
                raise translation.refuse(node, text, f"write {buffer.name}[:] for all elements", BoundError)
            translation.check(ops.all_of(*unproved), f"{translation.name}: {text} ({translation.span(node)})")
