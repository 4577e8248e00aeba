"""Rolling buffers: a window of a stage slides along a loop, in memory that goes round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tewb.arith import Analyzer
from tewb.base import LowerError
from tewb.ir import (
    LT,
    Add,
    Allocate,
    Buffer,
    BufferLoad,
    BufferStore,
    Expr,
    For,
    Max,
    Min,
    Mul,
    Stmt,
    Sub,
    Var,
    const,
    const_int,
    ops,
    rewriter,
    substitute,
    uses,
)
from tewb.schedule import Stage


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a stage that an iteration of the loop over `var` needs: where each dimension begins, how many elements
    it has, and which dimensions move along."""

    stage: Stage
    var: Var
    begins: tuple[Expr, ...]
    sizes: tuple[int, ...]
    moving: tuple[int, ...]

    def is_new(self, place: Sequence[Expr]) -> Expr:
        """Whether the iteration before has not computed the element at `place`."""
        before = {self.var: ops.sub(self.var, const(1, self.var.dtype))}
        ends = [ops.add(substitute(self.begins[d], before), self.sizes[d]) for d in self.moving]
        past = [ops.greater_equal(place[d], end) for d, end in zip(self.moving, ends, strict=True)]
        first = ops.less(self.var, const(1, self.var.dtype))
        return ops.any_of(first, *past)

    def around(self, indices: Sequence[Expr]) -> tuple[Expr, ...]:
        """The place in memory of an element that is counted from the beginning of the window."""
        return tuple(
            ops.floormod(ops.add(i, self.begins[d]), self.sizes[d]) if d in self.moving else i
            for d, i in enumerate(indices)
        )


def window(
    stage: Stage, var: Var, begins: Sequence[Expr], extents: Sequence[Expr], analyzer: Analyzer
) -> Window:
    """The window of `stage` in a loop over `var`: one that stays is computed once. Raises LowerError where it slides
    backwards."""
    simple = tuple(analyzer.simplify(b) for b in begins)
    sizes = [const_int(analyzer.simplify(n)) for n in extents]
    moving = tuple(d for d, b in enumerate(simple) if uses(b, [var]))
    if not begins:
        raise _refused(stage, f"{stage.name} is one element, and no part of it", "compute it further out")
    if any(n is None for n in sizes):
        raise _refused(stage, f"how much of {stage.name} an iteration of {var.name} needs is not a constant")
    backwards = next((d for d in moving if not _grows(simple[d], var, analyzer)), None)
    if backwards is not None:
        raise _refused(
            stage,
            f"the part of {stage.name} that an iteration of {var.name} needs begins at {simple[backwards]!r} in dimension "
            f"{backwards}, which does not slide forwards",
        )
    return Window(stage, var, simple, tuple(n for n in sizes if n is not None), moving)


def check_guards(w: Window, guards: Sequence[Expr], analyzer: Analyzer) -> None:
    """Raise LowerError unless each iteration that runs comes right after one that ran, or is the first: the guards
    around them may only leave out the last ones."""
    for g in guards:
        ends = isinstance(g, LT) and not uses(g.b, [w.var]) and _grows(g.a, w.var, analyzer)
        if uses(g, [w.var]) and not ends:
            raise _refused(w.stage, f"some iterations of {w.var.name} are left out before others: {g!r}")


def _grows(e: Expr, v: Var, analyzer: Analyzer) -> bool:
    """Whether `e` never becomes less as `v` counts up."""
    match e:
        case Max(a, b) | Min(a, b) | Add(a, b):
            return _grows(a, v, analyzer) and _grows(b, v, analyzer)
        case Sub(a, b) if not uses(b, [v]):
            return _grows(a, v, analyzer)
        case Mul(a, b) if (const_int(b) or 0) > 0:
            return _grows(a, v, analyzer)
    if e is v or not uses(e, [v]):
        return True
    following = substitute(e, {v: ops.add(v, const(1, v.dtype))})
    return analyzer.can_prove(ops.less_equal(e, following))


def _refused(stage: Stage, why: str, hint: str = "compute it without rolling_buffer") -> LowerError:
    return LowerError(f"rolling_buffer on stage {stage.name}: {why}", hint=hint, span=stage.origin().span)


def rolled(loop: For, windows: Sequence[tuple[Buffer, Window]]) -> Stmt:
    """`loop`, with the memory of windows around it, in which they go round.

    for i: B = allocate((3,)); B[r] = ...; use B[r]    ->    B = allocate((3,)); for i: B[(i + r) % 3] = ...
    """
    held = dict(windows)

    def load(n: BufferLoad) -> Expr:
        indices = tuple(rewrite(i) for i in n.indices)
        return BufferLoad(n.buffer, held[n.buffer].around(indices) if n.buffer in held else indices, n.dtype)

    def store(n: BufferStore) -> Stmt:
        indices, value = tuple(rewrite(i) for i in n.indices), rewrite(n.value)
        place = held[n.buffer].around(indices) if n.buffer in held else indices
        return BufferStore(n.buffer, value, place, n.origin, n.nontemporal)

    rewrite: Any = rewriter({BufferLoad: load, BufferStore: store})
    whole: Stmt = rewrite(loop)
    for b in reversed(list(held)):
        whole = Allocate(b, whole, b.origin)
    return whole
