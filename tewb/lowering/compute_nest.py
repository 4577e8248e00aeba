"""The loops of a compute: indices, guards, the start of reductions and their steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tewb.ir import (
    AssertStmt,
    AxisKind,
    AxisValues,
    Buffer,
    BufferStore,
    CommReducer,
    Expr,
    ForKind,
    IfThenElse,
    IterVar,
    LetStmt,
    ProducerLoad,
    Reduce,
    Stmt,
    Var,
    const,
    const_int,
    load,
    ops,
    seq,
    uses,
    walk,
)
from tewb.lowering.combine_values import combined, evaluated, started, translated
from tewb.lowering.data_ranges import DependentRange, dependent_ranges
from tewb.lowering.rounded_parts import check_rounded, read_past_end, where_real
from tewb.lowering.stage_loops import StageLoops
from tewb.lowering.store_predicate import store_predicate
from tewb.lowering.thread_reduction import ThreadReduction, is_over_threads
from tewb.lowering.vector_reduction import LaneReduction
from tewb.schedule import (
    PREDICATE,
    SHIFT,
    Relation,
    Split,
    Stage,
    Window,
    lane_loop,
    loops_of_elements,
    makes_whole_parts,
    rounded_axes,
    unmixed,
    values_and_guards,
)
from tewb.schedule.threads import launched_around, threads_around
from tewb.tensor import ComputeOp, UnprovedRead, checked_index, index_text, known_ranges

if TYPE_CHECKING:
    from tewb.lowering.nest import Nests


class ComputeNest(StageLoops):
    """The loops of one compute stage."""

    def __init__(
        self, nests: Nests, stage: Stage, op: ComputeOp, relations: Sequence[Relation] | None = None
    ) -> None:
        """The loops by the relations of `stage`, or by other ones that lead from its axes to the same loops."""
        super().__init__(nests, stage, stage.leaf_iter_vars)
        self.op, self.relations = op, stage.relations if relations is None else relations
        self.results = [nests.buffer(t)[0] for t in stage.op.outputs]
        self.dependent_ranges: list[DependentRange] = []
        self.inmost: list[Expr] = []  # guards that stand inside of all loops of a reduction
        adds = isinstance(op.body[0], Reduce) and not is_over_threads(self.threads)
        self.predicate = store_predicate(stage, self.launch, once=adds)
        self.rounded = rounded_axes(self.relations)
        if self.rounded:
            check_rounded(nests, stage, op)

    def nest(self) -> Stmt:
        values, guards = self.indices(self.own.vars, self.relations)
        self.dependent_ranges = dependent_ranges(self, values)
        reduction = self.op.body[0] if isinstance(self.op.body[0], Reduce) else None
        translate = self.translate({iv.var: values[iv] for iv in self.own.ranges})
        indices = self.store_indices(values)
        if reduction is None:
            stores = self.stores(self.results, indices, [translate(e) for e in self.op.body])
            return self.loops(0, len(self.leaves), guards, self.checked(self.op.body, translate, stores))
        first = next(i for i, iv in enumerate(self.leaves) if iv.kind is AxisKind.REDUCE)
        # What holds for no iteration says nothing of starting values: the loops of a reduction may be empty.
        is_early = [self.depth(g) < first and const_int(g) is None for _, g in guards]
        early = [g for g, is_one in zip(guards, is_early, strict=True) if is_one]
        late = [g for g, is_one in zip(guards, is_early, strict=True) if not is_one]
        if self.deepest_exchange(first, len(self.leaves)) >= 0:
            self.inmost = [g for _, g in early if self.differs(g)]
            late += [g for g in early if self.differs(g[1])]
            early = [g for g in early if not self.differs(g[1])]
        lane = lane_loop(self.stage, self.own.extents)
        if is_over_threads(self.threads):
            inner = self.over_threads(reduction, first, indices, late, translate)
        elif lane is not None:
            inner = LaneReduction(self, reduction, first, lane).reduce(late, translate)
        else:
            update = self.update(reduction, indices, translate)
            inner = seq(self.init(reduction), self.loops(first, len(self.leaves), late, update))
        return self.loops(0, first, early, self.before_loop(0, inner) if first == 0 else inner)

    def when_short(self) -> Stmt | None:
        """The loops for calls in which those whose last part is moved inwards have fewer iterations than a part: all parts have a
        guard. None where other stages are computed in them, whose parts follow from theirs, where threads run them, and where tiles
        become instructions, which have no guards."""
        if makes_whole_parts(self.stage) or any(
            self.stage.loop_kind(iv) is ForKind.DOT for iv in self.leaves
        ):
            return None
        places = [(self.stage, iv) for iv in self.leaves]
        if any([self.threads, threads_around(self.stage), launched_around(self.stage)]) or any(
            p in self.nests.at or p in self.nests.stored for p in places
        ):
            return None
        masked = [
            replace(r, tail=PREDICATE) if isinstance(r, Split) and r.tail == SHIFT else r
            for r in self.relations
        ]
        return ComputeNest(self.nests, self.stage, self.op, masked).nest()

    def over_threads(
        self,
        reduction: Reduce,
        first: int,
        indices: Sequence[tuple[Expr, ...]],
        guards: list[tuple[IterVar, Expr]],
        translate: AxisValues,
    ) -> Stmt:
        """A reduction whose terms are those of threads."""
        terms = ThreadReduction(self, reduction, first)
        return terms.reduce(guards, translate, self.stores(self.results, indices, terms.results()))

    def translate(self, values: Mapping[Var, Expr]) -> AxisValues:
        """Rewrite expressions of a compute: axes become `values`, tensor elements become loads."""

        real = where_real(self, values) if self.rounded else []

        def element(n: ProducerLoad, indices: tuple[Expr, ...]) -> Expr:
            buffer, place = self.nests.element(n.producer, indices)
            return read_past_end(buffer, place, real, self.analyzer) if real else load(buffer, place)

        return AxisValues(values, element, self.analyzer.const_bounds)

    # ---- indices and guards

    def indices(
        self, variables: Mapping[IterVar, Expr], relations: Sequence[Relation]
    ) -> tuple[dict[IterVar, Expr], list[tuple[IterVar, Expr]]]:
        """The value of every axis, from those of the loops that `relations` lead to, and the guards that keep superfluous
        iterations from running."""
        values, guards = values_and_guards(
            self.own.ranges, self.own.extents, relations, variables, self.analyzer
        )
        masks = {r.parent for r in relations if isinstance(r, Split) and r.tail == PREDICATE}
        self.masks += [g for iv, g in guards if iv in masks]
        window = self.nests.windows.get(self.stage)
        if window is not None:
            guards += self.in_window(window, [values[iv] for iv in self.op.axis])
        guards = [(iv, g) for iv, g in guards if not self.analyzer.can_prove(g)]
        return values, guards + self.idle_guards(variables)

    def in_window(self, window: Window, place: Sequence[Expr]) -> list[tuple[IterVar, Expr]]:
        """The guards that keep out of memory what earlier iterations have left there, and what nothing will read."""
        # Of a single element any axis will do: those of loops say which guards stand inside of reductions.
        axes = [*self.op.axis, self.stage.attached.axis]  # type: ignore[union-attr]
        kept = [(axes[d], g) for d, g in window.is_kept(place, self.own.regions[0])]
        return [(axes[0], g) for g in window.is_new(place, self.analyzer)] + kept

    def store_indices(self, values: Mapping[IterVar, Expr]) -> list[tuple[Expr, ...]]:
        """The indices of an iteration's element in the buffer of each output."""
        element = [values[iv] for iv in self.op.axis]
        return [self.nests.element(t, element)[1] for t in self.stage.op.outputs]

    # ---- statements

    def stores(
        self, buffers: Sequence[Buffer], indices: Sequence[tuple[Expr, ...]], values: Sequence[Expr]
    ) -> Stmt:
        past = int(self.stage.is_nontemporal)
        triples = zip(buffers, indices, values, strict=True)
        stores = seq(*[BufferStore(b, value, index, self.origin, past) for b, index, value in triples])
        if self.predicate is None or buffers is not self.results:
            return stores
        return self.predicate.around(stores, self.stage)

    def init(self, reduction: Reduce, loops: Sequence[IterVar] | None = None) -> Stmt:
        """The loops that give every element its starting value, or those of `loops` only."""

        def start(values: Mapping[IterVar, Expr], _: Sequence[Var]) -> Stmt:
            translate = self.translate({iv.var: values[iv] for iv in self.op.axis})
            start = started(reduction)
            given = [translate(e) for e in start]
            stores = self.stores(self.results, self.store_indices(values), given)
            return self.checked(start, translate, stores)

        return self.elements("init", start, loops)

    def elements(
        self,
        name: str,
        body: Callable[[Mapping[IterVar, Expr], Sequence[Var]], Stmt],
        loops: Sequence[IterVar] | None = None,
    ) -> Stmt:
        """Loops over the data axes inside of the first reduce loop, or among `loops`. `body` makes their body from the
        values of all axes and the variables of these loops."""
        data = (
            loops_of_elements(self.stage)
            if loops is None
            else [iv for iv in loops if iv.kind is AxisKind.DATA]
        )
        fresh = {iv: Var(f"{self.stage.axis_name(iv)}.{name}", iv.dtype) for iv in data}
        variables: dict[IterVar, Expr] = {**self.own.vars, **fresh}
        relations, parts = unmixed(self.relations)
        variables |= {iv: const(0, iv.dtype) for iv in (*parts, *self.leaves) if iv.kind is AxisKind.REDUCE}
        for iv, v in fresh.items():
            self.analyzer.bind_extent(v, const(0, v.dtype), self.own.extents[iv])
        values, guards = self.indices(variables, relations)
        needed = [g for iv, g in guards if iv.kind is not AxisKind.REDUCE and uses(g, fresh.values())]
        nest = self.guarded([*needed, *self.inmost], body(values, list(fresh.values())))
        for iv in reversed(data):
            nest = self.loop(iv, fresh[iv], nest)
        return nest

    def update(self, reduction: Reduce, indices: Sequence[tuple[Expr, ...]], translate: AxisValues) -> Stmt:
        """One step of the reduction: combine the element with the next source value."""
        new = [translate(e) for e in reduction.source]
        body = self.combine(translated(reduction.combiner, translate), self.results, indices, new)
        condition = translate(reduction.condition)
        if not ops.is_const(condition, 1):
            body = IfThenElse(condition, body, None, self.origin)
        return self.checked(evaluated(reduction), translate, body)

    def combine(
        self,
        combiner: CommReducer,
        buffers: Sequence[Buffer],
        indices: Sequence[tuple[Expr, ...]],
        new: list[Expr],
    ) -> Stmt:
        """Combine the elements of `buffers` at `indices` with the values `new`, by a translated combination."""
        old = [load(b, i) for b, i in zip(buffers, indices, strict=True)]
        if len(new) == 1:
            return self.stores(buffers, indices, combined(combiner, old, new))
        # Of several results each combination reads all old ones, so all are read before any is stored.
        names = [
            Var(f"{self.stage.name}.{part}{i}", e.dtype) for part in ("old", "new") for i, e in enumerate(old)
        ]
        held, come = names[: len(old)], names[len(old) :]
        body = self.stores(buffers, indices, combined(combiner, held, come))
        for v, e in reversed([*zip(held, old, strict=True), *zip(come, new, strict=True)]):
            body = LetStmt(v, e, body, self.origin)
        return body

    def checked(self, exprs: Sequence[Expr], translate: AxisValues, body: Stmt) -> Stmt:
        """`body`, which evaluates `exprs`, behind checks for the accesses in them that could not be proved in
        bounds."""
        for access in reversed(self.unproved(exprs)):
            load, d, when = access
            index = translate.index(self.compared(access))
            size = load.producer.shape[d]
            inside = ops.logical_and(ops.greater_equal(index, const(0, index.dtype)), ops.less(index, size))
            if self.nests.buffer(load.producer)[0].broadcasts:
                inside = ops.logical_or(ops.equal(size, 1), inside)
            cond = ops.logical_or(ops.logical_not(translate(when)), inside)
            body = AssertStmt(cond, self.outside(access), body, self.origin)
        return body

    def compared(self, access: UnprovedRead) -> Expr:
        """The index of an access, written so that no part of it wraps."""
        load, d, _ = access
        ranges = known_ranges((*self.op.axis, *self.op.reduce_axis), self.op.inputs)
        return checked_index(load.indices[d], ranges, load.producer.shape[d])

    def unproved(self, exprs: Sequence[Expr]) -> list[UnprovedRead]:
        """The accesses in `exprs` that are checked where these are evaluated, and not for a whole loop before it."""
        if not self.op.unproved:
            return []
        evaluated = {id(n) for e in exprs for n in walk(e)}
        before = {id(a) for t in self.dependent_ranges for a in t.checked}
        return [a for a in self.op.unproved if id(a[0]) in evaluated and id(a) not in before]

    def outside(self, access: UnprovedRead) -> str:
        """The message for an access that leaves its tensor."""
        load, d, _ = access
        name = load.producer.name
        return f"{self.stage.name} reads outside of {name} in dimension {d}: {index_text(load.indices[d])}"

    def before_loop(self, position: int, body: Stmt) -> Stmt:
        """`body`, which begins with loop `position`, with the ranges of loops that are known there."""
        for t in reversed([t for t in self.dependent_ranges if t.position == position]):
            body = t.around(body)
        return body
