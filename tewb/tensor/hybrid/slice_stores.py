"""Assignments to slices become loops.

b[i, 1:n] = a[i, 0:n-1] * 2      ->      for d in n - 1:  b[i, 1 + d] = a[i, d] * 2
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from tewb.arith import Analyzer
from tewb.ir import (
    Allocate,
    Buffer,
    BufferLoad,
    BufferStore,
    Expr,
    For,
    ForKind,
    Stmt,
    Var,
    const,
    const_int,
    is_same_expression,
    ops,
    seq,
    substitute,
    walk,
)
from tewb.tensor.hybrid.arithmetic import Arithmetic
from tewb.tensor.hybrid.axes import add_axis, note_order
from tewb.tensor.hybrid.broadcast import same_size
from tewb.tensor.hybrid.emitted import Emitted
from tewb.tensor.hybrid.slices import Box, SliceTranslator, box_shape, element_indices
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.hybrid.values import Slice, Value, element_of

ElementAt = Callable[[Sequence[Expr]], Expr]


class SliceStoreTranslator:
    """Stores into the boxes of elements that slices cover."""

    def __init__(self, translation: Translation, arithmetic: Arithmetic, slices: SliceTranslator) -> None:
        self.translation, self.arithmetic, self.slices = translation, arithmetic, slices

    def store(self, target: ast.Subscript, buffer: Buffer, value: Value, node: ast.AST) -> Emitted:
        """The loops of `buffer[...] = value`. Where an iteration could read what another has written, the
        values are computed first, into a temporary."""
        box = self.slices.box(target, buffer)
        shape = box_shape(box)
        if isinstance(value, Slice):
            self.check_fits(value, shape, node)

        def element(indices: Sequence[Expr]) -> Expr:
            return self.arithmetic.convert_to(element_of(value, indices, shape), buffer.dtype, node)

        if _overlaps(self.translation.analyzer, buffer, box, shape, element):
            return [self.store_by_temporary(buffer, box, element, node)]
        return [self.store_box(buffer, box, element, node)]

    def check_fits(self, value: Slice, shape: Sequence[Expr], node: ast.AST) -> None:
        """A dimension of the value has the size of that of the box, or 1."""
        head = len(shape) - len(value.shape)
        if head < 0:
            raise self.translation.refuse(
                node, f"a box of {len(value.shape)} dimensions does not fit into {len(shape)}"
            )
        for n, m in zip(shape[head:], value.shape, strict=True):
            if const_int(m) != 1 or const_int(n) == 1:
                n = const(2) if const_int(n) == 1 and const_int(m) != 1 else n
                same_size(self.translation, node, n, m)

    def store_box(self, buffer: Buffer, box: Box, element: ElementAt, node: ast.AST) -> Stmt:
        origin = self.translation.origin(node)

        def store(indices: Sequence[Expr]) -> Stmt:
            return BufferStore(buffer, element(indices), element_indices(box, indices), origin)

        return self.loops(node, buffer.name, box_shape(box), store)

    def store_by_temporary(self, buffer: Buffer, box: Box, element: ElementAt, node: ast.AST) -> Stmt:
        origin = self.translation.origin(node)
        shape = box_shape(box)
        temporary = Buffer(f"{buffer.name}.new", buffer.dtype, shape or (const(1),), origin=origin)

        def compute(indices: Sequence[Expr]) -> Stmt:
            return BufferStore(temporary, element(indices), tuple(indices), origin)

        def computed(indices: Sequence[Expr]) -> Expr:
            return BufferLoad(temporary, tuple(indices), temporary.dtype)

        first = self.loops(node, temporary.name, shape, compute)
        second = self.store_box(buffer, box, computed, node)
        return Allocate(temporary, seq(first, second), origin)

    def loops(
        self, node: ast.AST, name: str, shape: Sequence[Expr], body: Callable[[Sequence[Expr]], Stmt]
    ) -> Stmt:
        """Loops over a box; they are axes of the operation like those that were written."""
        translation = self.translation
        variables = [Var(f"{name}.{d}", n.dtype) for d, n in enumerate(shape)]
        positions = [add_axis(translation, v, n) for v, n in zip(variables, shape, strict=True)]
        nest = body(variables)
        for v, n, position in reversed(list(zip(variables, shape, positions, strict=True))):
            nest = For(v, const(0, n.dtype), n, ForKind.SERIAL, nest, translation.origin(node, v.name))
            note_order(translation, node, nest, position)
        return nest


def _overlaps(
    analyzer: Analyzer, buffer: Buffer, box: Box, shape: Sequence[Expr], element: ElementAt
) -> bool:
    """Whether the element for one index may read what is stored for another."""
    here, there = ([Var(f"{name}{d}", n.dtype) for d, n in enumerate(shape)] for name in "ij")
    for variables in (here, there):
        for v, n in zip(variables, shape, strict=True):
            analyzer.bind_extent(v, const(0, n.dtype), n)
    stored = element_indices(box, here)
    elsewhere = dict(zip(here, there, strict=True))
    for load in walk(element(here)):
        if not isinstance(load, BufferLoad) or load.buffer is not buffer:
            continue
        if all(is_same_expression(a, b) for a, b in zip(load.indices, stored, strict=True)):
            continue
        pairs = zip(load.indices, stored, strict=True)
        if not any(_apart(analyzer, a, substitute(b, elsewhere)) for a, b in pairs):
            return True
    return False


def _apart(analyzer: Analyzer, a: Expr, b: Expr) -> bool:
    """Whether two indices are certainly different."""
    lo, hi = analyzer.const_bounds(ops.sub(a, b))
    return (lo is not None and lo > 0) or (hi is not None and hi < 0)
