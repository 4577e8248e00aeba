"""Slices in hybrid functions: boxes of elements on both sides of an assignment become loops.

b[i, 1:n] = a[i, 0:n-1] * 2      ->      for d in n - 1:  b[i, 1 + d] = a[i, d] * 2
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tewb.base import BoundError
from tewb.ir import (
    Allocate,
    AxisKind,
    Buffer,
    BufferLoad,
    BufferStore,
    Expr,
    For,
    ForKind,
    IterVar,
    LetStmt,
    Range,
    Stmt,
    Var,
    const,
    const_int,
    ops,
    script,
    seq,
    structural_equal,
    substitute,
    walk,
)
from tewb.tensor.hybrid.calls import Calls
from tewb.tensor.hybrid.dependence import why_ordered
from tewb.tensor.hybrid.values import Slice, Value, Wrap, element_of, reads_memory


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Indices start, start + step, ...; `extent` of them."""

    start: Expr
    step: int
    extent: Expr

    def at(self, i: Expr) -> Expr:
        return ops.add(self.start, ops.mul(i, self.step))


Box = list[Expr | Run]


class Slices(Calls):
    """Slices, on top of calls."""

    # ---- reading

    def slice_of(self, node: ast.Subscript, buffer: Buffer) -> Slice:
        box = self.box(node, buffer)

        def element(indices: Sequence[Expr]) -> Expr:
            return BufferLoad(buffer, _indices(box, indices), buffer.dtype)

        return Slice(tuple(r.extent for r in box if isinstance(r, Run)), element)

    def box(self, node: ast.Subscript, buffer: Buffer) -> Box:
        """What a subscript with slices covers. It is fixed before the statement starts."""
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        self.check_rank(node, buffer)
        return [
            self.run_of(node, buffer, d, p)
            if isinstance(p, ast.Slice)
            else self.steady(self.index(node, buffer, d, p), f"{buffer.name}.at{d}")
            for d, p in enumerate(parts)
        ]

    def run_of(self, node: ast.Subscript, buffer: Buffer, d: int, part: ast.Slice) -> Run:
        size = buffer.shape[d]
        step = 1 if part.step is None else const_int(self.index_value(self.expression(part.step), part.step))
        if step is None or step == 0:
            raise self.refuse(part, "the step of a slice is a number other than 0, known here", "a[0:n:2]")
        start = const(0, size.dtype) if step > 0 else ops.sub(size, 1)
        stop = size if step > 0 else const(-1, size.dtype)
        if part.lower is not None:
            start = self.end(part.lower, size, f"{buffer.name}.start")
        if part.upper is not None:
            stop = self.end(part.upper, size, f"{buffer.name}.stop")
        self.check_run(node, buffer, d, start, stop, step)
        length = ops.sub(stop, start) if step > 0 else ops.sub(start, stop)
        if not self.analyzer.can_prove(ops.greater_equal(length, 0)):
            length = ops.maximum(length, 0)
        extent = self.analyzer.simplify(ops.floordiv(ops.add(length, abs(step) - 1), abs(step)))
        return Run(start, step, extent)

    def end(self, node: ast.expr, size: Expr, name: str) -> Expr:
        e = self.steady(self.index_value(self.expression(node), node), name)
        number = const_int(e)
        return ops.add(e, size) if number is not None and number < 0 else e

    def check_run(
        self, node: ast.Subscript, buffer: Buffer, d: int, start: Expr, stop: Expr, step: int
    ) -> None:
        """Both ends of a slice lie in the tensor. (numpy would cut it off, and the sizes would differ.)"""
        size = buffer.shape[d]
        last = ops.sub(size, 1) if step < 0 else size
        lowest = const(-1 if step < 0 else 0, size.dtype)
        for e, low in ((start, const(0, size.dtype)), (stop, lowest)):
            asked = (ops.greater_equal(e, low), ops.less_equal(e, last))
            holds = [h for h in asked if not self.analyzer.can_prove(h)]
            if not holds:
                continue
            text = (
                f"the slice {ast.unparse(node)} leaves {buffer.name}, whose size in dimension {d} is "
                f"{script(size)}"
            )
            if const_int(e) is not None and const_int(size) is not None:
                raise self.refuse(node, text, f"write {buffer.name}[:] for all elements", BoundError)
            self.check(ops.all_of(*holds), f"{self.name}: {text} ({self.span(node)})")

    def steady(self, e: Expr, name: str) -> Expr:
        """The value that `e` has before the statement at hand."""
        if not reads_memory(e):
            return e
        v = Var(name, e.dtype)
        self.analyzer.bind_value(v, e)
        self.before.append(lambda rest: LetStmt(v, e, rest))
        return v

    # ---- shapes

    def common_shape(self, node: ast.AST, values: Sequence[Value]) -> tuple[Expr, ...]:
        """The shape that slices are brought to, as in numpy: sizes are equal or 1."""
        shape: tuple[Expr, ...] = ()
        for v in values:
            if isinstance(v, Slice):
                longer, shorter = sorted((shape, v.shape), key=len, reverse=True)
                head = len(longer) - len(shorter)
                shape = (
                    *longer[:head],
                    *(self.same_size(node, n, m) for n, m in zip(longer[head:], shorter, strict=True)),
                )
        return shape

    def same_size(self, node: ast.AST, n: Expr, m: Expr) -> Expr:
        if const_int(n) == 1:
            return m
        if const_int(m) == 1 or self.analyzer.can_prove(ops.equal(n, m)):
            return n
        if const_int(n) is not None and const_int(m) is not None:
            raise self.refuse(
                node,
                f"slices of {script(n)} and {script(m)} elements do not go together",
                "sizes are equal or 1",
            )
        text = f"{self.name}: slices of different sizes, {script(n)} and {script(m)} ({self.span(node)})"
        self.check(ops.equal(n, m), text)
        return n

    # ---- writing

    def slice_store(
        self, target: ast.Subscript, buffer: Buffer, value: Value, node: ast.AST
    ) -> list[Stmt | Wrap]:
        """The loops of `buffer[...] = value`. Where an iteration could read what another has written, the
        values are made first, in a temporary."""
        box = self.box(target, buffer)
        shape = tuple(r.extent for r in box if isinstance(r, Run))
        if isinstance(value, Slice):
            if len(value.shape) > len(shape):
                raise self.refuse(
                    node, f"a box of {len(value.shape)} dimensions does not fit into {len(shape)}"
                )
            for n, m in zip(shape[len(shape) - len(value.shape) :], value.shape, strict=True):
                if const_int(m) != 1 or const_int(n) == 1:
                    self.same_size(node, const(2) if const_int(n) == 1 and const_int(m) != 1 else n, m)

        def made(indices: Sequence[Expr]) -> Expr:
            return self.constant_of(element_of(value, indices, shape), buffer.dtype, node)

        def store(indices: Sequence[Expr]) -> Stmt:
            return BufferStore(buffer, made(indices), _indices(box, indices), self.origin(node))

        if not self.overlaps(buffer, box, shape, made):
            return [self.nest(node, buffer.name, shape, store)]
        temporary = Buffer(f"{buffer.name}.new", buffer.dtype, shape or (const(1),), origin=self.origin(node))

        def keep(indices: Sequence[Expr]) -> Stmt:
            return BufferStore(temporary, made(indices), tuple(indices), self.origin(node))

        def move(indices: Sequence[Expr]) -> Stmt:
            kept = BufferLoad(temporary, tuple(indices), temporary.dtype)
            return BufferStore(buffer, kept, _indices(box, indices), self.origin(node))

        first = self.nest(node, temporary.name, shape, keep)
        second = self.nest(node, buffer.name, shape, move)
        return [Allocate(temporary, seq(first, second), self.origin(node))]

    def overlaps(
        self, buffer: Buffer, box: Box, shape: Sequence[Expr], made: Callable[[Sequence[Expr]], Expr]
    ) -> bool:
        """Whether the element for one index may read what is stored for another."""
        here, there = ([Var(f"{name}{d}", n.dtype) for d, n in enumerate(shape)] for name in "ij")
        for variables in (here, there):
            for v, n in zip(variables, shape, strict=True):
                self.analyzer.bind_extent(v, const(0, n.dtype), n)
        target = _indices(box, here)
        value = made(here)
        other = dict(zip(here, there, strict=True))
        for part in walk(value):
            if not isinstance(part, BufferLoad) or part.buffer is not buffer:
                continue
            if all(structural_equal(a, b) for a, b in zip(part.indices, target, strict=True)):
                continue
            if not any(
                self.apart(a, substitute(b, other)) for a, b in zip(part.indices, target, strict=True)
            ):
                return True
        return False

    def apart(self, a: Expr, b: Expr) -> bool:
        lo, hi = self.analyzer.const_bounds(ops.sub(a, b))
        return (lo is not None and lo > 0) or (hi is not None and hi < 0)

    def nest(
        self,
        node: ast.AST,
        name: str,
        shape: Sequence[Expr],
        body: Callable[[Sequence[Expr]], Stmt],
    ) -> Stmt:
        """Loops over a box; they are axes of the operation like those that were written."""
        variables = [Var(f"{name}.{d}", n.dtype) for d, n in enumerate(shape)]
        places = []
        for v, n in zip(variables, shape, strict=True):
            self.analyzer.bind_extent(v, const(0, n.dtype), n)
            places.append(len(self.result.axis))
            self.result.axis.append(IterVar(Range(const(0, n.dtype), n), v, AxisKind.DATA))
        made = body(variables)
        for v, n, place in reversed(list(zip(variables, shape, places, strict=True))):
            made = For(v, const(0, n.dtype), n, ForKind.SERIAL, made, self.origin(node, v.name))
            self.note_order(node, made, place)
        return made

    def note_order(self, node: ast.AST, loop: For, place: int) -> str | None:
        """Record why the iterations of a loop must run in order, if they must."""
        why = why_ordered(loop)
        if why is not None:
            iv = self.result.axis[place]
            ordered = IterVar(iv.dom, iv.var, AxisKind.ORDERED)
            self.result.axis[place] = ordered
            self.result.dependence[ordered] = f"{why} (line {self.span(node).line})"
        return why


def _indices(box: Box, indices: Sequence[Expr]) -> tuple[Expr, ...]:
    """The indices of one element of a box."""
    given = iter(indices)
    return tuple(r.at(next(given)) if isinstance(r, Run) else r for r in box)
