"""Loops of hybrid functions: over ranges, over the elements of a tensor, and written out."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from tewb.ir import (
    REAL,
    AxisKind,
    Buffer,
    BufferLoad,
    Expr,
    For,
    ForKind,
    IterVar,
    Stmt,
    Var,
    const,
    const_int,
    is_real,
    is_virtual,
    ops,
    walk,
)
from tewb.tensor.hybrid.axes import add_axis, note_order
from tewb.tensor.hybrid.emitted import Emitted, joined
from tewb.tensor.hybrid.expressions import ExpressionTranslator
from tewb.tensor.hybrid.range_overflow import check_count
from tewb.tensor.hybrid.scalars import ScalarTranslator
from tewb.tensor.hybrid.shared_buffers import ConstantTable
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.hybrid.values import CountedRange, LoopVariable, Value, kind_of
from tewb.tensor.hybrid.words import LOOPS

LONGEST = 4096  # iterations of a loop that is written out


class LoopTranslator:
    """`block` translates the statements of a loop's body."""

    def __init__(
        self,
        translation: Translation,
        expressions: ExpressionTranslator,
        scalars: ScalarTranslator,
        block: Callable[[Sequence[ast.stmt]], Stmt],
    ) -> None:
        self.translation, self.expressions, self.scalars = translation, expressions, scalars
        self.block = block

    def for_(self, node: ast.For) -> Emitted:
        if node.orelse:
            raise self.translation.refuse(
                node.orelse[0], "for ... else is not part of the hybrid language", "put it after the loop"
            )
        over = self.expressions.evaluate(node.iter)
        if isinstance(over, CountedRange):
            return self.counted(node, over)
        if isinstance(over, Buffer | ConstantTable):
            return self.over_elements(node, over)
        if isinstance(over, tuple | list):
            return self.written_out(node, over)
        raise self.translation.refuse(
            node.iter,
            f"a loop runs over range(...), a tensor or a tuple, not {kind_of(over)}",
            f"ranges are {', '.join(LOOPS)} and const_range",
        )

    # ---- over ranges

    def counted(self, node: ast.For, over: CountedRange) -> Emitted:
        translation, indices = self.translation, self.expressions.indices
        if over.word == "bind":
            return self.on_threads(node, over)
        ends = [indices.index_value(b, node.iter) for b in over.bounds]
        if len(ends) <= 3 and any(isinstance(n, BufferLoad) for e in ends for n in walk(e)):
            check_count(translation, node, ends, indices.ranges_of)
        bounds = [translation.value_before(e, f"{over.word}.{i}") for i, e in enumerate(ends)]
        if not 1 <= len(bounds) <= 3:
            raise translation.refuse(
                node.iter, f"{over.word} takes one to three numbers", f"{over.word}(start, stop, step)"
            )
        if over.word == "const_range":
            return self.written_out(node, self.known_range(node, bounds))
        return self.for_range(node, self.loop_name(node), LOOPS[over.word], bounds)

    def on_threads(self, node: ast.For, over: CountedRange) -> Emitted:
        """for i in bind("threadIdx.x", n): a loop that threads run, if its iterations may run in any order."""
        form = 'bind("threadIdx.x", n)'
        if len(over.bounds) != 2:
            raise self.translation.refuse(node.iter, "bind takes a thread tag and a number", form)
        tag, count = over.bounds
        if not is_real(tag) and not is_virtual(tag):
            raise self.translation.refuse(
                node.iter,
                f"there are no threads with the tag {tag!r}",
                f"tags are {', '.join(REAL)} and vthread",
            )
        axis = self.translation.result.axis
        position = len(axis)
        loop = self.counted(node, CountedRange("range", (count,)))
        iv = axis[position]
        if iv.kind is AxisKind.DATA:
            axis[position] = IterVar(iv.dom, iv.var, iv.kind, str(tag))
        return loop

    def known_range(self, node: ast.For, bounds: Sequence[Expr]) -> range:
        numbers = [const_int(b) for b in bounds]
        known = [n for n in numbers if n is not None]
        if len(known) < len(numbers):
            raise self.translation.refuse(
                node.iter, "const_range needs numbers that are known here", "use range"
            )
        if len(known) == 3 and known[2] == 0:
            raise self.translation.refuse(
                node.iter, "the step of a range must be a number other than 0", "range(n)"
            )
        return range(*known)

    def loop_name(self, node: ast.For) -> str:
        if not isinstance(node.target, ast.Name):
            raise self.translation.refuse(
                node.target, "a loop over a range has one variable", "for i in range(n)"
            )
        name = node.target.id
        current = self.translation.names.find(name)
        if isinstance(current, LoopVariable):
            raise self.translation.refuse(
                node.target, f"{name} is the variable of a loop around this one", "choose another name"
            )
        if current is not None:
            raise self.name_is_set(node.target)
        return name

    def name_is_set(self, target: ast.Name) -> Exception:
        return self.translation.refuse(
            target, f"{target.id} is set already and cannot be a loop's variable", "choose another name"
        )

    def for_range(self, node: ast.For, name: str, kind: ForKind, bounds: Sequence[Expr]) -> Stmt:
        """A loop that counts from 0; its variable is start + count * step."""
        translation, analyzer = self.translation, self.translation.analyzer
        start = bounds[0] if len(bounds) > 1 else const(0)
        stop = bounds[1] if len(bounds) > 1 else bounds[0]
        step = const_int(bounds[2]) if len(bounds) == 3 else 1
        if step is None or step == 0:
            raise translation.refuse(
                node.iter, "the step of a range must be a number other than 0", "known here"
            )
        distance = ops.sub(stop, start) if step > 0 else ops.sub(start, stop)
        count = analyzer.simplify(ops.floordiv(ops.add(distance, abs(step) - 1), abs(step)))
        extent = count
        if not analyzer.can_prove(ops.greater_equal(count, 0)):
            extent = analyzer.simplify(ops.maximum(count, 0))
        if kind in (ForKind.UNROLLED, ForKind.VECTORIZED) and const_int(extent) is None:
            raise translation.refuse(
                node.iter,
                f"{ast.unparse(node.iter)} needs a number of iterations that is known here",
                "use range, and split the loop in the schedule",
            )
        v = Var(name, extent.dtype)
        position = add_axis(translation, v, extent)
        # Where the body runs, max(count, 0) is count.
        analyzer.bind_extent(v, const(0, v.dtype), count)
        value = v if step == 1 and const_int(start) == 0 else ops.add(start, ops.mul(v, step))
        with translation.inside_loop(), translation.names.block():
            translation.names.set(name, LoopVariable(value))
            body = self.block(node.body)
        loop = For(v, const(0, v.dtype), extent, kind, body, translation.origin(node, name))
        return self.check_order(node, loop, position)

    def check_order(self, node: ast.For, loop: For, position: int) -> Stmt:
        """The loop as its author wants it, if its iterations allow that."""
        why = note_order(self.translation, node, loop, position)
        if why is not None and loop.kind in (ForKind.PARALLEL, ForKind.VECTORIZED):
            raise self.translation.refuse(node.iter, why, "use range: the iterations run in order")
        return loop

    # ---- over values

    def over_elements(self, node: ast.For, over: Buffer | ConstantTable) -> Stmt:
        """for x in a: each element of a tensor of one dimension, as it is when its turn comes."""
        translation = self.translation
        buffer = translation.table_buffer(over, node.iter) if isinstance(over, ConstantTable) else over
        if len(buffer.shape) != 1:
            raise translation.refuse(
                node.iter,
                f"{buffer.name} has {len(buffer.shape)} dimensions, and a loop runs over the elements of one",
                f"for i in range({buffer.name}.shape[0])",
            )
        name = self.loop_name(node)
        v = Var(f"{name}.i", buffer.shape[0].dtype)
        position = add_axis(translation, v, buffer.shape[0])
        element = BufferLoad(buffer, (v,), buffer.dtype)
        with translation.inside_loop(), translation.names.block():
            variable = self.scalars.declare(name, element, node.target)
            body = joined([*variable, self.block(node.body)])
        origin = translation.origin(node, name)
        loop = For(v, const(0, v.dtype), buffer.shape[0], ForKind.SERIAL, body, origin)
        return self.check_order(node, loop, position)

    def written_out(self, node: ast.For, values: Sequence[Value]) -> Emitted:
        """The body once for each value, which is known in it."""
        translation = self.translation
        if len(values) > LONGEST:
            raise translation.refuse(
                node.iter, f"{len(values)} iterations are too many to be written out", "use range"
            )
        bodies: list[Stmt] = []
        with translation.inside_loop():
            for value in values:
                with translation.names.block():
                    self.set_targets(node.target, value)
                    bodies.append(self.block(node.body))
        return [*bodies]

    def set_targets(self, target: ast.expr, value: Value) -> None:
        """Give the variables of a loop that is written out their values."""
        translation = self.translation
        if isinstance(target, ast.Name):
            if translation.names.find(target.id) is not None:
                raise self.name_is_set(target)
            translation.names.set(target.id, LoopVariable(value))
            return
        if not isinstance(target, ast.Tuple) or not isinstance(value, tuple | list):
            raise translation.refuse(
                target, "this does not fit what the loop runs over", "for i, t in enumerate(tensors)"
            )
        if len(target.elts) != len(value):
            raise translation.refuse(
                target, f"the loop runs over tuples of {len(value)}", f"write {len(value)} names"
            )
        for t, v in zip(target.elts, value, strict=True):
            self.set_targets(t, v)
