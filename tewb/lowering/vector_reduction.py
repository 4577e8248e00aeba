"""Vectorized reductions: partial results in the lanes of vectors, joined at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tewb.base import LowerError
from tewb.ir import (
    Allocate,
    AxisValues,
    Buffer,
    Expr,
    IfThenElse,
    IterVar,
    Reduce,
    Stmt,
    Var,
    const,
    const_int,
    load,
    ops,
    seq,
    uses,
)
from tewb.lowering.combine_values import combined, evaluated, translated
from tewb.schedule import lane_shape, loops_of_elements

if TYPE_CHECKING:
    from tewb.lowering.compute_nest import ComputeNest


class LaneReduction:
    """A reduction with a vectorized reduce loop: every lane combines its own terms, and then halves are joined.

        for k.outer in n:                          C.lanes[0:8] = 0
            for k.inner in vectorized(8):   ->     for k.outer in n: C.lanes[0:8] += A[k.outer*8 : k.outer*8 + 8]
                C += A[k.outer*8 + k.inner]        C.lanes[0:4] += C.lanes[4:8]
                                                   C.lanes[0:2] += C.lanes[2:4]
                                                   C = C.lanes[0] + C.lanes[1]

    This is `rfactor` along the loop, without a stage: the lanes live in registers. Terms are combined in
    another order than that of the loop, which changes float sums within rounding.
    """

    def __init__(self, nest: ComputeNest, reduction: Reduce, first: int, lane: IterVar) -> None:
        self.nest, self.reduction, self.first, self.lane = nest, reduction, first, lane
        self.name = nest.stage.axis_name(lane)
        self.inside = loops_of_elements(nest.stage)
        self.origin = nest.stage.origin(lane)
        extent = const_int(nest.own.extents[lane])
        if extent is None:
            raise LowerError(
                f"vectorize: loop {self.name} has an extent that is not constant, {nest.own.extents[lane]!r}",
                hint="split it by a constant and vectorize the inner loop",
                span=self.origin.span,
            )
        self.count = extent
        shape = lane_shape(nest.stage, nest.own.extents) or ()
        self.buffers = [
            Buffer(f"{b.name}.lanes", b.dtype, shape, scope="local", origin=self.origin) for b in nest.results
        ]

    def reduce(self, guards: list[tuple[IterVar, Expr]], translate: AxisValues) -> Stmt:
        """The reduction inside of the loops around the first reduce loop."""
        nest, leaves = self.nest, self.nest.leaves
        # Lanes that a guard excludes combine the identity, unless a loop can be cut short there. With checks or inner
        # loops of differing extents the iterations run one by one, and the guard is around these too.
        checked = nest.unproved(evaluated(self.reduction))
        serial = checked or any(t.position > self.first for t in nest.dependent_ranges)
        masks = [] if serial else [g for g in guards if self.is_mask(g[1])]
        kept = [g for g in guards if not any(g is m for m in masks)]
        update = self.update([g for _, g in masks], translate)
        body = seq(
            self.start(), nest.loops(self.first, len(leaves), kept, update), nest.elements("join", self.join)
        )
        for b in reversed(self.buffers):
            body = Allocate(b, body, self.origin)
        return body

    def is_mask(self, guard: Expr) -> bool:
        """Whether a guard differs from lane to lane, in loops that partition leaves alone."""
        sizes = {self.nest.own.vars[iv]: self.nest.own.extents[iv] for iv in self.nest.leaves}
        varying = [v for v in sizes if uses(guard, [v])]
        symbolic = any(const_int(sizes[v]) is None for v in varying)
        return symbolic and uses(guard, [self.nest.own.vars[self.lane]])

    def at(self, place: Sequence[Expr]) -> list[tuple[Expr, ...]]:
        return [tuple(place)] * len(self.buffers)

    def start(self) -> Stmt:
        identity = self.reduction.combiner.identity
        if not all(ops.is_const(e) for e in identity):
            return self.nest.elements("init", self.start_of_element)
        loops = [*self.inside, self.lane]
        fresh = {iv: Var(f"{self.nest.stage.axis_name(iv)}.init", iv.dtype) for iv in loops}
        body = self.nest.stores(self.buffers, self.at([*fresh.values()]), identity)
        for iv in reversed(loops):
            body = self.nest.loop(iv, fresh[iv], body)
        return body

    def start_of_element(self, values: Mapping[IterVar, Expr], place: Sequence[Var]) -> Stmt:
        """The lanes of one element become an identity that depends on which element it is."""
        nest, identity = self.nest, self.reduction.combiner.identity
        translate = nest.translate({iv.var: values[iv] for iv in nest.op.axis})
        v = Var(f"{self.name}.init", self.lane.dtype)
        stores = nest.stores(self.buffers, self.at([*place, v]), [translate(e) for e in identity])
        return nest.checked(identity, translate, nest.loop(self.lane, v, stores))

    def update(self, masks: Sequence[Expr], translate: AxisValues) -> Stmt:
        """Each lane combines its next term."""
        nest, variables = self.nest, self.nest.own.vars
        condition = translate(self.reduction.condition)
        by_lane = uses(condition, [variables[self.lane]])
        wanted = [ops.likely(g) for g in masks] + ([condition] if by_lane else [])
        new = [translate(e) for e in self.reduction.source]
        if wanted:
            identity = [translate(e) for e in self.reduction.combiner.identity]
            new = [
                ops.if_then_else(ops.all_of(*wanted), e, none) for e, none in zip(new, identity, strict=True)
            ]
        place = [variables[iv] for iv in (*self.inside, self.lane)]
        body = nest.combine(translated(self.reduction.combiner, translate), self.buffers, self.at(place), new)
        if not (by_lane or ops.is_const(condition, 1)):
            body = IfThenElse(condition, body, None, self.origin)
        return nest.checked(evaluated(self.reduction), translate, body)

    def join(self, values: Mapping[IterVar, Expr], place: Sequence[Var]) -> Stmt:
        """Combine the lanes by halves, and store the last one as the result of the element."""
        nest, dtype, n = self.nest, self.lane.dtype, self.count
        translate = nest.translate({iv.var: values[iv] for iv in nest.op.axis})
        combiner = translated(self.reduction.combiner, translate)
        steps: list[Stmt] = []
        while n > 1:
            half = (n + 1) // 2
            v = Var(f"{self.name}.join", dtype)
            upper = self.at([*place, ops.add(v, half)])
            new = [load(b, i) for b, i in zip(self.buffers, upper, strict=True)]
            body = nest.combine(combiner, self.buffers, self.at([*place, v]), new)
            steps.append(nest.loop(self.lane, v, body, const(n - half, dtype)))
            n = half
        last: list[Expr] = [
            load(b, i) for b, i in zip(self.buffers, self.at([*place, const(0, dtype)]), strict=True)
        ]
        if self.reduction.init:
            last = combined(combiner, [translate(e) for e in self.reduction.init], last)
        stores = nest.stores(nest.results, nest.store_indices(values), last)
        joined = seq(*steps, nest.checked(self.reduction.init, translate, stores))
        return nest.checked(self.reduction.combiner.result, translate, joined)
