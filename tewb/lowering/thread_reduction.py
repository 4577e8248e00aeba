"""Reductions over threads: each combines its term with those of the threads before it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tewb.base import LowerError
from tewb.ir import (
    Allocate,
    AttrStmt,
    AxisKind,
    AxisValues,
    Buffer,
    Expr,
    IfThenElse,
    IterVar,
    Reduce,
    Stmt,
    barrier,
    const,
    const_int,
    launched,
    load,
    ops,
    replace,
    seq,
)
from tewb.lowering.combine_values import evaluated, started, translated
from tewb.lowering.launches import Launch
from tewb.schedule.threads import (
    REDUCES,
    threads_around,
)

if TYPE_CHECKING:
    from tewb.lowering.compute_nest import ComputeNest


def is_over_threads(bound_loops: Iterable[IterVar]) -> bool:
    """Whether the terms of a reduction are those of threads."""
    return any(iv.kind is AxisKind.REDUCE for iv in bound_loops)


class ThreadReduction:
    """A reduction whose reduce loops are bound to threads.

    threadIdx.y = T.launch_thread("threadIdx.y", 16)
    B.all = T.allocate((1,))
    B.all[0] = 0
    with T.launch_thread("threadIdx.x", 32) as threadIdx.x:
        with T.attr("B", "reduce_scope", threadIdx.x): B.all[0] = B.all[0] + B.rf[0]
    with T.launch_thread("threadIdx.x", 32) as threadIdx.x:
        if threadIdx.x == 0: B[threadIdx.y] = B.all[0]
    """

    def __init__(self, nest: ComputeNest, reduction: Reduce, first: int) -> None:
        self.nest, self.reduction, self.first = nest, reduction, first
        self.stage = stage = nest.stage
        assert nest.launch is not None
        self.launch: Launch = nest.launch
        self.loops = nest.leaves[first:]
        self.check()
        mine = {nest.threads[iv].key for iv in self.loops}
        around = {key: t for key, t in threads_around(stage).items() if not t.is_block}
        # Threads that are launched around the stage already share what they combine to, and wait for each other; those
        # of another kind have one each.
        self.waits = any(key in mine for key in around)
        others = [key for key in around if key not in mine] if self.waits else []
        self.place: tuple[Expr, ...] = tuple(self.launch.axes[key].var for key in others) or (const(0),)
        shape = tuple(self.launch.sizes[key] for key in others) or (const(1),)
        scope = "shared" if self.waits else "local"
        self.buffers = [
            Buffer(f"{b.name}.all", b.dtype, shape, scope=scope, origin=nest.origin) for b in nest.results
        ]

    def check(self) -> None:
        """Raise LowerError unless the reduce loops are the innermost ones, and all of them are bound."""
        nest, stage = self.nest, self.stage
        wrong = (iv for iv in self.loops if iv not in nest.threads or iv.kind is not AxisKind.REDUCE)
        unbound = next(wrong, None)
        if unbound is None:
            return
        one = stage.axis_name(
            next(iv for iv in self.loops if iv in nest.threads and iv.kind is AxisKind.REDUCE)
        )
        name = stage.axis_name(unbound)
        if unbound.kind is AxisKind.REDUCE:
            raise LowerError(
                f"{stage.name} reduces over {one}, which is bound to threads, and over {name}, which is not",
                loops=stage.loops(),
                hint=f"make partial results, s.rfactor({stage.name}, {one}), and bind the reduce axis that is left",
                span=nest.origin.span,
            )
        raise LowerError(
            f"loop {name} of {stage.name} is inside of {one}, over whose threads it reduces",
            loops=stage.loops(),
            hint=f"reorder so that {one} is the innermost loop",
            span=nest.origin.span,
        )

    def reduce(self, guards: list[tuple[IterVar, Expr]], translate: AxisValues, stored: Stmt) -> Stmt:
        """The statement that combines the terms and then does `stored`, which reads what they come to."""
        nest, origin, indices = self.nest, self.nest.origin, [self.place] * len(self.buffers)
        given = [translate(e) for e in started(self.reduction)]
        start = nest.checked(started(self.reduction), translate, nest.stores(self.buffers, indices, given))
        condition = translate(self.reduction.condition)
        combiner = translated(self.reduction.combiner, translate)
        update = nest.combine(combiner, self.buffers, indices, [translate(e) for e in self.reduction.source])
        if const_int(condition) != 1:
            update = IfThenElse(condition, update, None, origin)
        update = nest.checked(evaluated(self.reduction), translate, update)
        for iv in reversed(self.loops):
            update = AttrStmt(self.stage.name, REDUCES, nest.own.vars[iv], update, origin)
        for iv in reversed(self.loops) if nest.predicate is not None else ():
            stored = _by_one_at_least(nest.loop(iv, nest.own.vars[iv], stored))
        wait = barrier(origin) if self.waits else None
        terms = nest.loops(self.first, len(nest.leaves), guards, update)
        body = seq(
            wait, nest.guarded(nest.inmost, start), wait, terms, wait, nest.guarded(nest.inmost, stored)
        )
        for b in reversed(self.buffers):
            body = Allocate(b, body, origin)
        return body

    def results(self) -> list[Expr]:
        """What the terms come to."""
        return [load(b, self.place) for b in self.buffers]


def _by_one_at_least(s: Stmt) -> Stmt:
    """A launch with one thread where it would have none: without terms a result is stored too."""
    if launched(s) is None:
        return s
    assert isinstance(s, AttrStmt)
    n = s.value
    return s if const_int(n) is not None else replace(s, value=ops.maximum(n, const(1, n.dtype)))
