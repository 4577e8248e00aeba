"""Loops of hybrid functions: counted ones, ones that are written out, and those over tensors."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import reduce
from typing import Any

from tewb.base import INT64, DType
from tewb.ir import (
    AxisKind,
    Buffer,
    BufferLoad,
    Expr,
    For,
    ForKind,
    IterVar,
    Range,
    Stmt,
    Var,
    const,
    const_int,
    ops,
    seq,
    walk,
)
from tewb.tensor.hybrid.names import LOOPS
from tewb.tensor.hybrid.shared import Table
from tewb.tensor.hybrid.slices import Slices
from tewb.tensor.hybrid.values import Counted, LoopVariable, Value, kind_of
from tewb.tensor.wide_indices import checked_end

LONGEST = 4096  # iterations of a loop that is written out


class Loops(Slices):
    """`for`, on top of slices. What a block is, the parser of statements says."""

    def block(self, nodes: Sequence[ast.stmt]) -> Stmt:
        raise NotImplementedError

    def new_scalar(self, name: str, value: Value, node: ast.AST) -> list[Any]:
        raise NotImplementedError

    def loop(self, node: ast.For) -> Any:
        if node.orelse:
            raise self.refuse(
                node.orelse[0], "for ... else is not part of the hybrid language", "put it after the loop"
            )
        over = self.expression(node.iter)
        if isinstance(over, Counted):
            return self.counted(node, over)
        if isinstance(over, Buffer | Table):
            return self.over_elements(node, over)
        if isinstance(over, tuple | list):
            return self.written_out(node, over)
        raise self.refuse(
            node.iter,
            f"a loop runs over range(...), a tensor or a tuple, not {kind_of(over)}",
            f"ranges are {', '.join(LOOPS)} and const_range",
        )

    # ---- counting

    def counted(self, node: ast.For, over: Counted) -> Any:
        given = [self.index_value(b, node.iter) for b in over.bounds]
        if len(given) <= 3 and any(isinstance(n, BufferLoad) for e in given for n in walk(e)):
            self.check_count(node, given)
        bounds = [self.steady(e, f"{over.word}.{i}") for i, e in enumerate(given)]
        if not 1 <= len(bounds) <= 3:
            raise self.refuse(
                node.iter, f"{over.word} takes one to three numbers", f"{over.word}(start, stop, step)"
            )
        if over.word == "const_range":
            numbers = [const_int(b) for b in bounds]
            if any(n is None for n in numbers):
                raise self.refuse(node.iter, "const_range needs numbers that are known here", "use range")
            known = [n for n in numbers if n is not None]
            if len(known) == 3 and known[2] == 0:
                raise self.refuse(node.iter, "the step of a range must be a number other than 0", "range(n)")
            return self.written_out(node, range(*known))
        return self.for_loop(node, self.loop_name(node), LOOPS[over.word], bounds)

    def check_count(self, node: ast.For, given: Sequence[Expr]) -> None:
        """Check when the function runs that the ends of a range that elements tell, and their difference, do not pass
        their dtype."""
        d = reduce(ops.common_dtype, [e.dtype for e in given])
        wide = [checked_end(e, self.ranges_of(e)) for e in given]
        tests = [_within(w, d, 0) for w, e in zip(wide, given, strict=True) if w is not e]
        first = const_int(given[0])
        if len(given) > 1 and (first is None or first < 0) and d.kind == "int" and d.bits < 64:
            step = abs(const_int(given[2]) or 1) if len(given) == 3 else 1
            tests.append(_within(ops.sub(ops.cast(wide[1], INT64), ops.cast(wide[0], INT64)), d, step))
        if tests:
            where = f"{ast.unparse(node.iter)} ({self.span(node)})"
            self.check(ops.all_of(*tests), f"{self.name}: {where} has more iterations than {d} counts")

    def loop_name(self, node: ast.For) -> str:
        if not isinstance(node.target, ast.Name):
            raise self.refuse(node.target, "a loop over a range has one variable", "for i in range(n)")
        name = node.target.id
        known = self.find(name)
        if isinstance(known, LoopVariable):
            raise self.refuse(
                node.target, f"{name} is the variable of a loop around this one", "choose another name"
            )
        if known is not None:
            raise self.refuse(
                node.target,
                f"{name} is set already and cannot be a loop's variable",
                "choose another name",
            )
        return name

    def for_loop(self, node: ast.For, name: str, kind: ForKind, bounds: list[Expr]) -> Stmt:
        """A loop that counts from 0; its variable is start + count * step."""
        start = bounds[0] if len(bounds) > 1 else const(0)
        stop = bounds[1] if len(bounds) > 1 else bounds[0]
        step = const_int(bounds[2]) if len(bounds) == 3 else 1
        if step is None or step == 0:
            raise self.refuse(node.iter, "the step of a range must be a number other than 0", "known here")
        span = ops.sub(stop, start) if step > 0 else ops.sub(start, stop)
        extent = ops.floordiv(ops.add(span, abs(step) - 1), abs(step))
        count = self.analyzer.simplify(extent)
        extent = count
        if not self.analyzer.can_prove(ops.greater_equal(count, 0)):
            extent = self.analyzer.simplify(ops.maximum(count, 0))
        if kind in (ForKind.UNROLLED, ForKind.VECTORIZED) and const_int(extent) is None:
            raise self.refuse(
                node.iter,
                f"{ast.unparse(node.iter)} needs a number of iterations that is known here",
                "use range, and split the loop in the schedule",
            )
        v = Var(name, extent.dtype)
        place = self.new_axis(v, extent)
        # Where the body runs, max(count, 0) is count.
        self.analyzer.bind_extent(v, const(0, v.dtype), count)
        value = v if step == 1 and const_int(start) == 0 else ops.add(start, ops.mul(v, step))
        body = self.body(node, name, LoopVariable(value))
        made = For(v, const(0, v.dtype), extent, kind, body, self.origin(node, name))
        return self.judged(node, made, place)

    def new_axis(self, v: Var, extent: Expr) -> int:
        self.analyzer.bind_extent(v, const(0, v.dtype), extent)
        self.result.axis.append(IterVar(Range(const(0, v.dtype), extent), v, AxisKind.DATA))
        return len(self.result.axis) - 1

    def body(self, node: ast.For, name: str, value: Value) -> Stmt:
        """The body of a loop, with its variable."""
        before, self.before = self.before, []
        self.depth += 1
        with self.scope():
            self.scopes[-1][name] = value
            made = self.block(node.body)
        self.depth -= 1
        self.before = before
        return made

    def judged(self, node: ast.For, made: For, place: int) -> Stmt:
        """The loop as its author wants it, if its iterations allow that."""
        why = self.note_order(node, made, place)
        if why is not None and made.kind in (ForKind.PARALLEL, ForKind.VECTORIZED):
            raise self.refuse(node.iter, why, "use range: the iterations run in order")
        return made

    # ---- over values

    def over_elements(self, node: ast.For, over: Buffer | Table) -> Stmt:
        """for x in a: each element of a tensor of one dimension, as it is when its turn comes."""
        buffer = self.table(over, node.iter) if isinstance(over, Table) else over
        if len(buffer.shape) != 1:
            raise self.refuse(
                node.iter,
                f"{buffer.name} has {len(buffer.shape)} dimensions, and a loop runs over the elements of one",
                f"for i in range({buffer.name}.shape[0])",
            )
        name = self.loop_name(node)
        v = Var(f"{name}.i", buffer.shape[0].dtype)
        place = self.new_axis(v, buffer.shape[0])
        element = BufferLoad(buffer, (v,), buffer.dtype)
        before, self.before = self.before, []
        self.depth += 1
        with self.scope():
            parts = self.new_scalar(name, element, node.target)
            body = self.block(node.body)
        for part in reversed(parts):
            body = part(body) if callable(part) else seq(part, body)
        self.depth -= 1
        self.before = before
        made = For(v, const(0, v.dtype), buffer.shape[0], ForKind.SERIAL, body, self.origin(node, name))
        return self.judged(node, made, place)

    def written_out(self, node: ast.For, values: Sequence[Value]) -> list[Any]:
        """The body once for each value, which is known in it."""
        if len(values) > LONGEST:
            raise self.refuse(
                node.iter, f"{len(values)} iterations are too many to be written out", "use range"
            )
        parts: list[Any] = []
        before, self.before = self.before, []
        self.depth += 1
        for value in values:
            with self.scope():
                self.known_targets(node.target, value)
                parts.append(self.block(node.body))
        self.depth -= 1
        self.before = before
        return parts

    def known_targets(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            if self.find(target.id) is not None:
                raise self.refuse(
                    target,
                    f"{target.id} is set already and cannot be a loop's variable",
                    "choose another name",
                )
            self.scopes[-1][target.id] = LoopVariable(value)
            return
        if not isinstance(target, ast.Tuple) or not isinstance(value, tuple | list):
            raise self.refuse(
                target, "this does not fit what the loop runs over", "for i, t in enumerate(tensors)"
            )
        if len(target.elts) != len(value):
            raise self.refuse(
                target, f"the loop runs over tuples of {len(value)}", f"write {len(value)} names"
            )
        for t, v in zip(target.elts, value, strict=True):
            self.known_targets(t, v)


def _within(e: Expr, d: DType, room: int) -> Expr:
    """Whether `e` fits `d`, with `room` at both ends."""
    return ops.logical_and(
        ops.greater_equal(e, const(d.min_value() + room, e.dtype)),
        ops.less_equal(e, const(d.max_value() - room, e.dtype)),
    )
