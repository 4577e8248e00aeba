"""From a schedule to loops: every stage becomes a loop nest at its place.

for leaf in ...:                  one loop for each leaf, outermost first
    if likely(guard):             where splits do not divide, or a box passes the tensor's edge
        <stages computed here>
        store
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from tewb.base import HANDLE, LowerError, option
from tewb.ir import (
    Allocate,
    AssertStmt,
    AttrStmt,
    AxisKind,
    Buffer,
    BufferStore,
    Call,
    Expr,
    For,
    ForKind,
    IfThenElse,
    IterVar,
    LetStmt,
    ProducerLoad,
    Range,
    Reduce,
    Stmt,
    Var,
    const,
    const_int,
    load,
    ops,
    replace,
    rewriter,
    script,
    seq,
    substitute,
    uses,
    walk,
)
from tewb.lowering.bind_buffers import bind_buffers, compact_strides, is_compact
from tewb.lowering.extern_buffers import dense_where_declared, extern_body
from tewb.schedule import At, Schedule, Stage
from tewb.schedule.bounds import Bounds, StageBounds
from tewb.schedule.hybrid_loops import KINDS, within_guards
from tewb.schedule.relation import index_up
from tewb.schedule.tiles import tile_of
from tewb.tensor import ComputeOp, ExternOp, Part, Tensor, Tile, extern_region, is_whole, whole_region
from tewb.tensor.access import Region
from tewb.tensor.hybrid import HybridOp

Key = tuple[Stage, int]


def loop_nests(schedule: Schedule, bounds: Bounds, arguments: Mapping[Key, Buffer]) -> Stmt:
    """The statement that computes all stages of `schedule`; `arguments` are the buffers of the caller.

    Every other tensor that is kept gets an allocation of the size that its readers need.
    """
    return _Nests(schedule, bounds, arguments).root()


class _Nests:
    def __init__(self, schedule: Schedule, bounds: Bounds, arguments: Mapping[Key, Buffer]) -> None:
        self.schedule, self.bounds, self.arguments = schedule, bounds, arguments
        self.buffers: dict[Key, Buffer] = dict(arguments)
        self.mins: dict[Key, tuple[Expr, ...]] = {}
        self.at: dict[tuple[Stage, IterVar], list[Stage]] = {}
        for stage in schedule.stages:
            if stage in bounds.stages:
                self.choose_buffers(stage)
            if isinstance(stage.attach, At):
                self.at.setdefault((stage.attach.stage, stage.attach.axis), []).append(stage)

    def choose_buffers(self, stage: Stage) -> None:
        """A buffer of the size of its box for each output of `stage` that is no argument."""
        regions = self.bounds.stages[stage].regions
        for t, region in zip(stage.op.outputs, regions, strict=True):
            key = (stage, t.value_index)
            if key not in self.arguments:
                name = stage.name if len(regions) == 1 else f"{stage.name}.v{t.value_index}"
                shape = tuple(r.extent for r in region)
                self.buffers[key] = Buffer(name, t.dtype, shape, scope=stage.scope, origin=stage.origin())
                self.mins[key] = tuple(r.min for r in region)

    def root(self) -> Stmt:
        roots = [s for s in self.schedule.stages if s.attach is None and not s.is_placeholder]
        return self.realize(roots, lambda: seq())

    def realize(self, stages: Sequence[Stage], body: Callable[[], Stmt]) -> Stmt:
        """`stages` one after the other, each with its memory, and then `body`."""
        if not stages:
            return body()
        stage, rest = stages[0], stages[1:]
        made = seq(self.produce(stage), self.realize(rest, body))
        for t in reversed(stage.op.outputs):
            key = (stage, t.value_index)
            if key not in self.arguments:
                made = Allocate(self.buffers[key], made, stage.origin())
        return made

    def produce(self, stage: Stage) -> Stmt:
        op = self.bounds.operations[stage]
        if isinstance(op, ComputeOp):
            return _ComputeNest(self, stage, op).nest()
        if isinstance(op, ExternOp):
            return self.extern(stage, op)
        if isinstance(op, HybridOp):
            return self.hybrid(stage, op)
        raise LowerError(f"stage {stage.name}: no rule for {type(op).__name__}")

    # ---- elements

    def buffer(self, t: Tensor) -> tuple[Buffer, tuple[Expr, ...]]:
        """The buffer that holds `t` and the indices of its first element in the tensor."""
        stage = self.schedule.stage_of(t)
        key = (stage, t.value_index)
        if key not in self.buffers:
            kind = "an input" if stage.is_placeholder else "computed"
            raise LowerError(f"{stage.name} is {kind} and is read, but it is not among the arguments")
        return self.buffers[key], self.mins.get(key, tuple(const(0, n.dtype) for n in t.shape))

    def translate(self, values: Mapping[Var, Expr]) -> Callable[[Expr], Expr]:
        """Rewrite expressions of a compute: axes become `values`, tensor elements become loads."""

        def producer_load(n: ProducerLoad) -> Expr:
            buffer, mins = self.buffer(n.producer)
            return load(buffer, tuple(ops.sub(rewrite(i), m) for i, m in zip(n.indices, mins, strict=True)))

        rewrite: Callable[[Expr], Expr] = rewriter(
            {Var: lambda v: values.get(v, v), ProducerLoad: producer_load}
        )
        return rewrite

    # ---- externs

    def extern(self, stage: Stage, op: ExternOp) -> Stmt:
        """The loops around an extern, and in them one call of its body for each tile."""
        own = self.bounds.stages[stage]
        around = [iv for iv in stage.leaf_iter_vars if iv.kind is not AxisKind.OPAQUE]
        loops: dict[IterVar, Expr] = {iv: own.vars[iv] for iv in around}
        analyzer = self.bounds.analyzer
        ranges, guards = tile_of(stage, loops, own.ranges, own.extents, analyzer)
        nest = _Loops(self, stage, around)
        return nest.loops(0, len(around), guards, self.call(stage, op, ranges))

    def call(self, stage: Stage, op: ExternOp, ranges: Sequence[Range]) -> Stmt:
        """The call of an extern's body on views of what one tile reads and makes."""
        if not op.access.tiled:
            return self.call_on(stage, op, [whole_region(t.shape) for t in op.inputs],
                                [whole_region(t.shape) for t in op.outputs])  # fmt: skip
        full_out, full_in = op.out_regions(ranges), op.in_regions(ranges)
        clipped = tuple(
            self.clip(r, n) for r, n in zip(ranges, op.output(0).shape[: len(ranges)], strict=True)
        )
        out = op.out_regions(clipped)
        needed = op.in_regions(clipped)
        ins = [self.clipped_box(r, t.shape) for r, t in zip(needed, op.inputs, strict=True)]
        if op.tail != "pad":
            return self.call_on(stage, op, ins, out)
        inside = self.inside(zip((*full_in, *full_out), (*op.inputs, *op.outputs), strict=True))
        direct = self.call_on(stage, op, full_in, full_out)
        if ops.is_const(inside, 1):
            return direct
        padded = self.packed_call(
            stage, op, full_in, full_out, ins, out, [True] * len(full_in), [True] * len(full_out)
        )
        return IfThenElse(inside, direct, padded, stage.origin())

    def inside(self, boxes: Iterable[tuple[Region, Tensor]]) -> Expr:
        """The condition under which boxes lie in their tensors."""
        conditions = []
        for box, t in boxes:
            for r, n in zip(box, t.shape, strict=True):
                ends = (ops.greater_equal(r.min, 0), ops.less_equal(ops.add(r.min, r.extent), n))
                conditions += [c for c in ends if not self.bounds.analyzer.can_prove(c)]
        return ops.all_of(*conditions) if conditions else const(1, "bool")

    def call_on(self, stage: Stage, op: ExternOp, ins: Sequence[Region], outs: Sequence[Region]) -> Stmt:
        """The call on boxes that lie in their tensors. Strided ones are copied with `compact`, and where the
        extern declares a buffer without strides, which promises its body dense memory."""
        in_views = [self.view(t, r) for t, r in zip(op.inputs, ins, strict=True)]
        out_views = [self.view(t, r) for t, r in zip(stage.op.outputs, outs, strict=True)]
        copy_in = [not is_compact(b) for b in in_views]
        copy_out = [not is_compact(b) for b in out_views]
        if not op.compact:
            copy_in = dense_where_declared(op.in_buffers, copy_in)
            copy_out = dense_where_declared(op.out_buffers, copy_out)
        if any(copy_in) or any(copy_out):
            return self.packed_call(stage, op, ins, outs, ins, outs, copy_in, copy_out)
        return self.body(stage, op, in_views, out_views, ins, outs, ins, outs)

    def body(
        self, stage: Stage, op: ExternOp, ins: list[Buffer], outs: list[Buffer], in_boxes: Sequence[Region],
        out_boxes: Sequence[Region], in_real: Sequence[Region], out_real: Sequence[Region],
    ) -> Stmt:  # fmt: skip
        """The statement of an extern in its scope. Boxes say where the buffers begin, real ones how far the
        tensors go in them."""
        parts = [
            tuple(Part(tuple(r.min for r in box), tuple(r.extent for r in there))
                  for box, there in zip(boxes, real, strict=True))
            for boxes, real in ((in_boxes, in_real), (out_boxes, out_real))
        ]  # fmt: skip
        body = extern_body(stage, op, ins, outs, Tile(*parts), self.bounds.analyzer)
        if option("tewb.checked_externs"):
            for key, buffers, there in (("extern_reads", ins, parts[0]), ("extern_writes", outs, parts[1])):
                for b, part in zip(buffers, there, strict=True):
                    place = Call("tvm_tuple", (b.elem_offset, *part.origin, *part.extents), HANDLE)
                    body = AttrStmt(b.data, key, place, body, stage.origin())
        return self.region(stage, op.effect, ins, outs, body)

    def packed_call(
        self, stage: Stage, op: ExternOp, ins: Sequence[Region], outs: Sequence[Region], in_real: Sequence[Region],
        out_real: Sequence[Region], copy_in: Sequence[bool], copy_out: Sequence[bool],
    ) -> Stmt:  # fmt: skip
        """The call on copies: what is there comes in (zeros elsewhere), what is there goes back."""
        own_in, own_out = [], []
        first: list[Stmt] = []
        last: list[Stmt] = []
        packs: list[Buffer] = []
        for t, box, copied in zip(op.inputs, ins, copy_in, strict=True):
            buffer = self.pack(t, box) if copied else self.view(t, box)
            if copied:
                packs.append(buffer)
                first.append(self.copy(stage, buffer, t, box, inward=True))
            own_in.append(buffer)
        for t, box, copied in zip(stage.op.outputs, outs, copy_out, strict=True):
            buffer = self.pack(t, box) if copied else self.view(t, box)
            if copied:
                packs.append(buffer)
                last.append(self.copy(stage, buffer, t, box, inward=False))
            own_out.append(buffer)
        made = seq(*first, self.body(stage, op, own_in, own_out, ins, outs, in_real, out_real), *last)
        for b in reversed(packs):
            made = Allocate(b, made, stage.origin())
        return made

    def pack(self, t: Tensor, box: Region) -> Buffer:
        return Buffer(f"{t.name}.pack", t.dtype, tuple(r.extent for r in box))

    def copy(self, stage: Stage, pack: Buffer, t: Tensor, box: Region, inward: bool) -> Stmt:
        """Loops that copy a box of `t` into dense memory, or back."""
        buffer, mins = self.buffer(t)
        axes = [Var(f"ax{d}", r.extent.dtype) for d, r in enumerate(box)]
        analyzer = self.bounds.analyzer
        for v, r in zip(axes, box, strict=True):
            analyzer.bind_extent(v, const(0, v.dtype), r.extent)
        there = [ops.add(r.min, v) for r, v in zip(box, axes, strict=True)]
        ends = [
            c for i, n in zip(there, t.shape, strict=True) for c in (ops.greater_equal(i, 0), ops.less(i, n))
        ]
        inside = ops.all_of(*[c for c in ends if not analyzer.can_prove(c)] or [const(1, "bool")])
        index = tuple(analyzer.simplify(ops.sub(i, m)) for i, m in zip(there, mins, strict=True))
        if inward:
            value = load(buffer, index)
            if not ops.is_const(inside, 1):
                value = ops.if_then_else(inside, value, const(0, t.dtype))
            made: Stmt = BufferStore(pack, value, tuple(axes), stage.origin())
        else:
            made = BufferStore(buffer, load(pack, tuple(axes)), index, stage.origin())
            if not ops.is_const(inside, 1):
                made = IfThenElse(inside, made, None, stage.origin())
        for v, r in reversed(list(zip(axes, box, strict=True))):
            made = For(v, const(0, v.dtype), r.extent, ForKind.SERIAL, made, (), stage.origin())
        return made

    def region(self, stage: Stage, effect: str, ins: list[Buffer], outs: list[Buffer], body: Stmt) -> Stmt:
        node = extern_region(stage.name, ins, outs, effect)
        return AttrStmt(node, "extern_scope", const(0), body, stage.origin())

    def clipped_box(self, region: Iterable[Range], shape: Sequence[Expr]) -> tuple[Range, ...]:
        return tuple(self.clip(r, n) for r, n in zip(region, shape, strict=True))

    def clip(self, r: Range, size: Expr) -> Range:
        """The part of `r` that is inside of a dimension of `size`; empty when there is none."""
        prove = self.bounds.analyzer.can_prove
        end = ops.add(r.min, r.extent)
        lo = r.min if prove(ops.greater_equal(r.min, 0)) else ops.maximum(r.min, 0)
        hi = end if prove(ops.less_equal(end, size)) else ops.minimum(end, size)
        if lo is r.min and hi is end:
            return r
        simplify = self.bounds.analyzer.simplify
        extent = simplify(ops.sub(hi, lo))
        if prove(ops.greater_equal(extent, 0)):
            return Range(simplify(lo), extent)
        return Range(simplify(ops.minimum(lo, size)), simplify(ops.maximum(extent, 0)))

    def view(self, t: Tensor, box: Sequence[Range]) -> Buffer:
        """A buffer for a box of `t`: the tensor's own buffer when the box is all that it holds, else a
        strided view of it."""
        buffer, mins = self.buffer(t)
        simplify = self.bounds.analyzer.simplify
        starts = [simplify(ops.sub(r.min, m)) for r, m in zip(box, mins, strict=True)]
        inside = [Range(s, r.extent) for s, r in zip(starts, box, strict=True)]
        if is_whole(inside, buffer.shape) and self.schedule.stage_of(t).op.output(t.value_index).ndim == len(
            box
        ):
            return buffer
        strides = compact_strides(buffer)
        offset = buffer.elem_offset
        for s, step in zip(starts, strides, strict=True):
            offset = ops.add(offset, ops.mul(s, step))
        return Buffer(
            f"{t.name}.tile",
            t.dtype,
            tuple(r.extent for r in box),
            strides,
            simplify(offset),
            buffer.scope,
            buffer.data,
        )

    def hybrid(self, stage: Stage, op: HybridOp) -> Stmt:
        """The loops of a hybrid function, with its buffers bound to those of the tensors, and inner stages in
        their places."""
        declared = (*op.in_buffers, *op.out_buffers)
        held = [self.buffer(t) for t in (*op.inputs, *stage.op.outputs)]
        pairs = {b: buffer for b, (buffer, _) in zip(declared, held, strict=True)}
        starts = {b: mins for b, (_, mins) in zip(declared, held, strict=True)}
        loops = self.bounds.stages[stage].body
        assert loops is not None
        body = self.with_inner_stages(stage, bind_buffers(loops, pairs, starts))
        ins, outs = ([pairs[b] for b in buffers] for buffers in (op.in_buffers, op.out_buffers))
        return self.region(stage, "idempotent", ins, outs, body)

    def with_inner_stages(self, stage: Stage, body: Stmt) -> Stmt:
        """The loops of a hybrid function with the stages that are computed at them."""
        places = {iv.var: self.at[stage, iv] for iv in stage.leaf_iter_vars if (stage, iv) in self.at}

        def loop(n: For) -> Stmt:
            made = n.map_children(rewrite)
            if n.var not in places:
                return made
            return replace(
                made, body=within_guards(made.body, lambda b: self.realize(places[n.var], lambda: b))
            )

        rewrite: Callable[[Stmt], Stmt] = rewriter({For: loop})
        return rewrite(body) if places else body


class _Loops:
    """The loops of one stage, with guards and inner stages in their places."""

    def __init__(self, nests: _Nests, stage: Stage, leaves: Sequence[IterVar]) -> None:
        self.nests, self.stage, self.leaves = nests, stage, leaves
        self.own: StageBounds = nests.bounds.stages[stage]
        self.analyzer = nests.bounds.analyzer
        self.origin = stage.origin()

    def loops(self, first: int, last: int, guards: list[tuple[IterVar, Expr]], body: Stmt) -> Stmt:
        """The loops at positions first..last-1 around `body`, with guards and inner stages in their places."""
        for position in range(last - 1, first - 1, -1):
            iv = self.leaves[position]
            here = self.nests.at.get((self.stage, iv), [])
            if here:
                inner = body
                body = self.nests.realize(here, lambda inner=inner: inner)  # type: ignore[misc]
            body = self.guarded([g for _, g in guards if self.depth(g) == position], body)
            body = self.loop(iv, self.own.vars[iv], body)
        if first == 0:
            body = self.guarded([g for _, g in guards if self.depth(g) < 0], body)
        return body

    def loop(self, iv: IterVar, v: Var, body: Stmt) -> Stmt:
        kind = KINDS.get(self.stage.annotations.get(iv, ""), ForKind.SERIAL)
        return For(v, const(0, v.dtype), self.own.extents[iv], kind, body, (), self.stage.origin(iv))

    def guarded(self, guards: list[Expr], body: Stmt) -> Stmt:
        if not guards:
            return body
        return IfThenElse(ops.all_of(*[ops.likely(g) for g in guards]), body, None, self.origin)

    def depth(self, e: Expr) -> int:
        """The position of the innermost loop that `e` depends on; -1 for none."""
        mine = {v: i for i, v in enumerate(self.own.vars[iv] for iv in self.leaves)}
        return max((mine[n] for n in walk(e) if isinstance(n, Var) and n in mine), default=-1)


class _ComputeNest(_Loops):
    """The loops of one compute stage."""

    def __init__(self, nests: _Nests, stage: Stage, op: ComputeOp) -> None:
        super().__init__(nests, stage, stage.leaf_iter_vars)
        self.op = op

    def nest(self) -> Stmt:
        values, guards = self.indices(self.own.vars)
        reduction = self.op.body[0] if isinstance(self.op.body[0], Reduce) else None
        translate = self.nests.translate({iv.var: values[iv] for iv in self.own.ranges})
        indices = self.store_indices(values)
        if reduction is None:
            stores = self.stores(indices, [translate(e) for e in self.op.body])
            return self.loops(0, len(self.leaves), guards, self.checked(translate, stores))
        first = next(i for i, iv in enumerate(self.leaves) if iv.kind is AxisKind.REDUCE)
        update = self.checked(translate, self.update(reduction, indices, translate))
        early = [g for g in guards if self.depth(g[1]) < first]
        late = [g for g in guards if self.depth(g[1]) >= first]
        inner = seq(self.init(reduction, first), self.loops(first, len(self.leaves), late, update))
        return self.loops(0, first, early, inner)

    # ---- indices and guards

    def indices(
        self, variables: Mapping[IterVar, Expr]
    ) -> tuple[dict[IterVar, Expr], list[tuple[IterVar, Expr]]]:
        """The value of every axis, and the guards without which an iteration would be one too many."""
        values: dict[IterVar, Expr] = dict(variables)
        guards = index_up(self.stage.relations, values, self.own.extents, self.analyzer)
        for iv, r in self.own.ranges.items():
            values[iv] = ops.add(r.min, values[iv])
            guards += [(iv, g) for g in self.edges(iv, r, values[iv])]
        return values, [(iv, g) for iv, g in guards if not self.analyzer.can_prove(g)]

    def edges(self, iv: IterVar, r: Range, value: Expr) -> list[Expr]:
        """Where the box of an axis may pass the edge of the tensor: guards against both ends."""
        dom = iv.dom
        if (
            dom is None
            or r is dom
            or (const_int(r.min) == 0 and const_int(r.extent) == const_int(dom.extent) is not None)
        ):
            return []
        low = ops.greater_equal(value, dom.min)
        high = ops.less(value, ops.add(dom.min, dom.extent))
        return [low, high]

    def store_indices(self, values: Mapping[IterVar, Expr]) -> list[tuple[Expr, ...]]:
        """Where the element of an iteration stands in the buffer of each output."""
        made = []
        for t in self.stage.op.outputs:
            _, mins = self.nests.buffer(t)
            made.append(tuple(ops.sub(values[iv], m) for iv, m in zip(self.op.axis, mins, strict=True)))
        return made

    # ---- statements

    def stores(self, indices: Sequence[tuple[Expr, ...]], values: Sequence[Expr]) -> Stmt:
        made = []
        for t, index, value in zip(self.stage.op.outputs, indices, values, strict=True):
            made.append(BufferStore(self.nests.buffer(t)[0], value, index, self.origin))
        return seq(*made)

    def init(self, reduction: Reduce, first: int) -> Stmt:
        """The loops that give every element its starting value, over the data axes inside of the first
        reduce loop."""
        data = [iv for iv in self.leaves[first:] if iv.kind is not AxisKind.REDUCE]
        fresh = {iv: Var(f"{self.stage.axis_name(iv)}.init", iv.dtype) for iv in data}
        variables: dict[IterVar, Expr] = {**self.own.vars, **fresh}
        variables |= {iv: const(0, iv.dtype) for iv in self.leaves if iv.kind is AxisKind.REDUCE}
        for iv, v in fresh.items():
            self.analyzer.bind_extent(v, const(0, v.dtype), self.own.extents[iv])
        values, guards = self.indices(variables)
        needed = [g for iv, g in guards if iv.kind is not AxisKind.REDUCE and uses(g, fresh.values())]
        translate = self.nests.translate({iv.var: values[iv] for iv in self.op.axis})
        start = reduction.init or reduction.combiner.identity
        body = self.stores(self.store_indices(values), [translate(e) for e in start])
        body = self.guarded(needed, body)
        for iv in reversed(data):
            body = self.loop(iv, fresh[iv], body)
        return body

    def update(
        self, reduction: Reduce, indices: Sequence[tuple[Expr, ...]], translate: Callable[[Expr], Expr]
    ) -> Stmt:
        """One step of the reduction: combine what is there with the next source value."""
        combiner = reduction.combiner
        buffers = [self.nests.buffer(t)[0] for t in self.stage.op.outputs]
        old = [load(b, i) for b, i in zip(buffers, indices, strict=True)]
        new = [translate(e) for e in reduction.source]
        # Of several results each combination reads all old ones, so all are read before any is stored.
        if len(new) == 1:
            body = self.stores(indices, [_combine(combiner.result[0], combiner, old, new)])
        else:
            body = self.store_together(reduction, indices, old, new)
        condition = translate(reduction.condition)
        return body if ops.is_const(condition, 1) else IfThenElse(condition, body, None, self.origin)

    def store_together(
        self, reduction: Reduce, indices: Sequence[tuple[Expr, ...]], old: list[Expr], new: list[Expr]
    ) -> Stmt:
        combiner = reduction.combiner
        names = [
            Var(f"{self.stage.name}.{part}{i}", e.dtype) for part in ("old", "new") for i, e in enumerate(old)
        ]
        held, come = names[: len(old)], names[len(old) :]
        values = [_combine(e, combiner, held, come) for e in combiner.result]
        body = self.stores(indices, values)
        for v, e in reversed([*zip(held, old, strict=True), *zip(come, new, strict=True)]):
            body = LetStmt(v, e, body, self.origin)
        return body

    def checked(self, translate: Callable[[Expr], Expr], body: Stmt) -> Stmt:
        """`body` behind checks for the accesses that could not be proved in bounds."""
        for access, d, when in reversed(self.op.unproved):
            index = translate(access.indices[d])
            size = access.producer.shape[d]
            inside = ops.logical_and(ops.greater_equal(index, 0), ops.less(index, size))
            name = access.producer.name
            message = (
                f"{self.stage.name} reads outside of {name} in dimension {d}: {script(access.indices[d])}"
            )
            cond = ops.logical_or(ops.logical_not(translate(when)), inside)
            body = AssertStmt(cond, message, body, self.origin)
        return body


def _combine(result: Expr, combiner: object, old: Sequence[Expr], new: Sequence[Expr]) -> Expr:
    lhs: tuple[Var, ...] = combiner.lhs  # type: ignore[attr-defined]
    rhs: tuple[Var, ...] = combiner.rhs  # type: ignore[attr-defined]
    return substitute(result, {**dict(zip(lhs, old, strict=True)), **dict(zip(rhs, new, strict=True))})
