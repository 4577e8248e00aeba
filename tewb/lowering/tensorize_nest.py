"""The loops around an intrinsic: those outside of the tensorized loop, and in them its code on parts of the tensors.

for i.outer:
    reset(C.tile)                       where the reduction goes on outside of the intrinsic
    for k.outer:
        update(A.tile, B.tile, C.tile)

With tails, loops do what is less than the intrinsic does, and the start of a reduction that goes on outside:

for i.outer:
    for i.init: C[i.outer*4 + i.init] = 0
    for k.outer:
        if likely(i.outer*4 + 3 < 10): update(A.tile, B.tile, C.tile)
        else: for i.inner: for k.inner: C[i.outer*4 + i.inner] += ...
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tewb.arith.intset import Interval, eval_set, point
from tewb.base import LowerError
from tewb.ir import (
    GE,
    LT,
    AxisKind,
    Buffer,
    Expr,
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
    ops,
    script,
    seq,
    substitute,
    uses,
    walk,
)
from tewb.lowering.bind_buffers import compact_strides, is_compact, offset_in
from tewb.lowering.compute_nest import ComputeNest
from tewb.lowering.describe_externs import extern_scope
from tewb.lowering.extern_buffers import body_on_memory
from tewb.schedule import (
    Mismatch,
    Stage,
    TensorMatch,
    TensorPart,
    elements_of,
    full,
    index_up,
    intervals_up,
    needed_guards,
    not_plain,
    past_edges,
    tail_in_loops,
    tensor_match,
)
from tewb.tensor import ComputeOp, TensorComputeOp, TensorIntrin

if TYPE_CHECKING:
    from tewb.lowering.nest import Nests

# Marks of stages whose elements lie elsewhere from one iteration to the next.
_MEMORY = {
    "rolling_buffer": ("a rolling buffer", "goes round"),
    "double_buffer": ("double buffered", "has two places"),
}

Guards = list[tuple[IterVar, Expr]]


class TensorizeNest(ComputeNest):
    """The loops of one compute stage whose loops from `axis` on are done by an intrinsic."""

    def __init__(
        self, nests: Nests, stage: Stage, op: ComputeOp, axis: IterVar, intrin: TensorIntrin
    ) -> None:
        super().__init__(nests, stage, op)
        self.axis, self.intrin = axis, intrin
        self.parts: tuple[TensorPart, ...] = ()
        self.scalars: list[Expr] = []
        self.read_from_data: list[tuple[Var, Expr]] = []  # where parts begin, if that is read from a tensor
        self.position = stage.leaf_iter_vars.index(axis)
        self.around, self.within = self.leaves[: self.position], self.leaves[self.position :]

    def nest(self) -> Stmt:
        self.check()
        guards, tail = self.guards()
        region = self.region()
        scalars = self.values_of_scalars(region)
        self.scalars = [self.translate({})(e) for e in scalars.values()]
        found = tensor_match(self.op, self.intrin, region, self.analyzer, scalars)
        if isinstance(found, Mismatch):
            raise self.error(found.reason, found.hint)
        # The tensors of the stage: what is inlined in it makes another operation, which has tensors of its own.
        outputs = zip(found.outputs, self.stage.op.outputs, strict=True)
        self.parts = (*found.inputs, *[dataclasses.replace(part, tensor=t) for part, t in outputs])
        memory = [self.part_of_memory(p) for p in self.parts]
        self.check_dense(memory)
        reductions = [i for i, iv in enumerate(self.around) if iv.kind is AxisKind.REDUCE]
        if all(const_int(self.own.extents[self.around[i]]) == 1 for i in reductions):
            return self.loops(0, self.position, guards, self.or_loops("body", memory, tail))
        self.check_parts(found, reductions)
        first = reductions[0]
        early = [g for g in guards if self.depth(g[1]) < first]
        late = [g for g in guards if self.depth(g[1]) >= first]
        update = self.or_loops("update", memory, tail)
        if tail:
            start = self.init(self.op.body[0])  # type: ignore[arg-type]
            return self.loops(0, first, early, seq(start, self.loops(first, self.position, late, update)))
        if self.made(memory)["reset"] is None:
            self.check_begins(reductions)
            begins = ops.all_of(*[ops.equal(self.own.vars[self.around[i]], 0) for i in reductions])
            update = IfThenElse(begins, self.statement("body", memory), update, self.origin)
            return self.loops(0, first, early, self.loops(first, self.position, late, update))
        reset = self.reset(first, late, memory)
        return self.loops(0, first, early, seq(reset, self.loops(first, self.position, late, update)))

    def error(self, reason: str, hint: str | None = None) -> LowerError:
        return LowerError(
            f"tensorize on stage {self.stage.name}: {reason}",
            loops=self.stage.loops(),
            hint=hint,
            span=self.stage.origin(self.axis).span,
        )

    # ---- what cannot be done by an intrinsic

    def check(self) -> None:
        """Refuse loops that are more than they say, and accesses that would be checked one by one."""
        refused = not_plain(self.stage, self.axis)
        if refused is not None:
            raise self.error(refused.reason, refused.hint)
        for read in (self.nests.schedule.stage_of(t) for t in self.op.inputs):
            for word, what in _MEMORY.items():
                if read.marks_of(word):
                    raise self.error(
                        f"{read.name} is {what[0]}, and the code of an intrinsic does not know that it {what[1]}",
                        f"leave out {word}",
                    )
        if self.op.domains:
            ranges = ", ".join(self.stage.axis_name(iv) for iv in self.op.domains)
            raise self.error(
                f"the range of {ranges} depends on other axes or on data, and an intrinsic has one size",
                "tensorize a compute whose reductions have ranges of their own",
            )
        for access in self.unproved(self.op.body):
            raise self.error(
                f"{self.outside(access)} unless it is checked, and an intrinsic checks no elements",
                "copy what is read to a stage of its own, with te.if_then_else",
            )

    def guards(self) -> tuple[Guards, Guards]:
        """The guards around the intrinsic, and those that depend on loops in it: they would cut it in two, and are
        refused unless loops do what is left."""
        values: dict[IterVar, Expr] = dict(self.own.vars)
        guards = index_up(self.stage.relations, values, self.own.extents, self.analyzer)
        guards = needed_guards(self.stage.relations, guards)
        for iv, r in self.own.ranges.items():
            guards += [(iv, g) for g in past_edges(iv, r, ops.add(r.min, values[iv]))]
        needed = [(iv, g) for iv, g in guards if not self.analyzer.can_prove(g)]
        tail = [(iv, g) for iv, g in needed if self.depth(g) >= self.position]
        for iv, g in tail:
            if not tail_in_loops(self.stage) or self.always(g) is None:
                raise self.passes_end(iv, g)
        around = [pair for pair in needed if not any(pair[1] is g for _, g in tail)]
        return around + self.idle_guards(self.own.vars), tail

    def passes_end(self, iv: IterVar, g: Expr) -> LowerError:
        """What is wrong with the last iterations, and the ways out."""
        name, n = self.stage.axis_name(iv), self.own.extents[iv]
        within = {self.own.vars[iv]: full(self.own.extents[iv]) for iv in self.within}
        done = eval_set(g.a, within) if isinstance(g, LT) else None
        size = None if done is None else const_int(self.analyzer.simplify(ops.sub(done.hi, done.lo)))
        ways = ['tensorize(..., tail="loops") leaves them to loops', "pad the tensors to whole ones"]
        length, by = const_int(n), ""
        if size is not None:
            by = f", {size + 1} at a time"
            ways[1] = f"pad {name} to a multiple of {size + 1}"
        if length is not None and (good := [d for d in range(2, min(length, 64)) if length % d == 0]):
            ways.append(f"split by a factor that divides {length} ({', '.join(map(str, good))})")
        return self.error(
            f"the last iterations would pass the end of {name} ({script(g)} does not always hold), and "
            f"{self.intrin.name} does whole ones only{by}",
            "; or ".join(ways),
        )

    def always(self, g: Expr) -> Expr | None:
        """The condition that a guard holds in all iterations of the intrinsic; None for one of another form."""
        if not isinstance(g, LT | GE):
            return None
        within = {self.own.vars[iv]: full(self.own.extents[iv]) for iv in self.within}
        a, b = eval_set(g.a, within), eval_set(g.b, within)
        if a is None or b is None:
            return None
        simplify = self.analyzer.simplify
        if isinstance(g, LT):
            return simplify(ops.less(*ops.match(a.hi, b.lo)))
        return simplify(ops.greater_equal(*ops.match(a.lo, b.hi)))

    def region(self) -> dict[IterVar, Range]:
        """The range of each axis in one iteration of the loops outside. Raises LowerError where the loops inside do
        not run over a box."""
        own, simplify = self.own, self.analyzer.simplify
        sets: dict[IterVar, Interval] = {iv: point(self.iteration(iv)) for iv in self.around}
        sets |= {iv: full(own.extents[iv]) for iv in self.within}
        intervals_up(self.stage.relations, sets, own.extents, self.analyzer)
        region = {}
        for iv, r in own.ranges.items():
            x = elements_of(r, sets[iv])
            one = const(1, x.lo.dtype)
            extent = one if x.is_point else simplify(ops.add(ops.sub(x.hi, x.lo), 1))
            region[iv] = Range(simplify(x.lo), extent)
        count = _product([r.extent for r in region.values()])
        if not self.analyzer.can_prove(ops.equal(count, _product([own.extents[iv] for iv in self.within]))):
            boxes = ", ".join(f"{self.stage.axis_name(iv)}: {script(r.extent)}" for iv, r in region.items())
            raise self.error(
                f"the loops from {self.stage.axis_name(self.axis)} on do not run over neighbours only: they lie in "
                f"({boxes}), with others between them",
                "tensorize inner loops of splits",
            )
        return region

    def iteration(self, iv: IterVar) -> Expr:
        """The iteration of a loop outside: the first where there is only one."""
        v = self.own.vars[iv]
        return const(0, v.dtype) if const_int(self.own.extents[iv]) == 1 else v

    def check_parts(self, found: TensorMatch, reductions: Sequence[int]) -> None:
        """A reduction that goes on outside needs an update, on outputs that it does not move, by one thread."""
        names = ", ".join(self.stage.axis_name(self.around[i]) for i in reductions)
        if self.made([*self.intrin.declared])["update"] is None:
            raise self.error(
                f"the reduction goes on in {names}, outside of {self.stage.axis_name(self.axis)}, and {self.intrin.name} "
                "has no update",
                "let its function return (body, reset, update), or reorder the reduce loops inside",
            )
        over_threads = next((self.around[i] for i in reductions if self.around[i] in self.threads), None)
        if over_threads is not None:
            name = self.stage.axis_name(over_threads)
            raise self.error(
                f"the reduction goes on over the threads of {name}, and {self.intrin.name} does not combine what threads have",
                f"leave {name} unbound, or make partial results: s.rfactor({self.stage.name}, {name})",
            )
        moving = [self.own.vars[self.around[i]] for i in reductions]
        if any(uses(e, moving) for part in found.outputs for e in part.origin):
            raise self.error(
                f"{names} runs over elements and over terms of a reduction", "fuse axes of one kind"
            )

    def check_begins(self, reductions: Sequence[int]) -> None:
        """Without a reset the first iteration begins the sums, so there is one."""
        for iv in (self.around[i] for i in reductions):
            if not self.analyzer.can_prove(ops.greater_equal(self.own.extents[iv], 1)):
                raise self.error(
                    f"{self.stage.axis_name(iv)} may have no iteration, and {self.intrin.name} has no reset to begin with",
                    "let its function return (body, reset, update)",
                )

    def check_dense(self, memory: Sequence[Buffer]) -> None:
        """A buffer that was declared without strides promises dense memory."""
        for b, there, part in zip(self.intrin.declared, memory, self.parts, strict=True):
            if b in self.intrin.bound and not b.strides and not is_compact(there):
                raise self.error(
                    f"buffer {b.name} of {self.intrin.name} is declared without strides, and its part of "
                    f"{part.tensor.name} has the strides ({', '.join(script(n) for n in there.strides)})",
                    'te.decl_buffer(..., strides=[te.var("s"), 1])',
                )

    # ---- statements

    def values_of_scalars(self, region: Mapping[IterVar, Range]) -> dict[Var, Expr]:
        """The values that a compute made of the intrinsic gives to its scalar parameters."""
        op = self.stage.op
        given = op.scalars if isinstance(op, TensorComputeOp) and op.intrin is self.intrin else {}
        there = {iv.var: r.min for iv, r in region.items()}
        return {v: self.analyzer.simplify(substitute(e, there)) for v, e in given.items()}

    def part_of_memory(self, part: TensorPart) -> Buffer:
        """The buffer for a part of a tensor: its strides are those of the memory, its offset is where it begins."""
        buffer, mins = self.nests.buffer(part.tensor)
        strides = compact_strides(buffer)
        offset = buffer.elem_offset
        for at, low, step in zip(part.origin, mins, strides, strict=True):
            offset = ops.add(offset, ops.mul(ops.sub(self.begin(part, at), low), step))
        own = tuple(strides[d] for d in part.dims)
        name, simplify = f"{part.tensor.name}.tile", self.analyzer.simplify
        return Buffer(
            name, part.tensor.dtype, part.shape, own, offset_in(offset, simplify), buffer.scope, buffer.data
        )

    def begin(self, part: TensorPart, at: Expr) -> Expr:
        """Where a part begins in a dimension: what is read from a tensor for it gets a name around the code."""
        if not any(isinstance(n, ProducerLoad) for n in walk(at)):
            return at
        read = self.translate({})(at)
        self.read_from_data.append((Var(f"{part.tensor.name}.at", read.dtype), read))
        return self.read_from_data[-1][0]

    def made(self, buffers: Sequence[Buffer]) -> Mapping[str, Stmt | None]:
        count = len(self.intrin.inputs)
        return self.intrin.statements(list(buffers[:count]), list(buffers[count:]), self.scalars)

    def statement(self, which: str, memory: Sequence[Buffer]) -> Stmt:
        """The statement called `which` of the intrinsic, on parts of memory."""

        def make(buffers: list[Buffer]) -> Stmt:
            made = self.made(buffers)[which]
            return seq() if made is None else made

        count = len(self.intrin.inputs)
        ins, outs = list(memory[:count]), list(memory[count:])
        reads = {"body": ins, "reset": [], "update": [*ins, *outs]}[which]
        names = [part.tensor.name for part in self.parts]
        what = f"tensorize on stage {self.stage.name} by {self.intrin.name}"
        body = body_on_memory(self.stage, what, make, self.intrin.declared, memory, names, self.analyzer)
        body = extern_scope(self.stage, "idempotent", reads, outs, body)
        for v, read in reversed(self.read_from_data if which != "reset" else []):
            body = LetStmt(v, read, body, self.origin)
        return body

    def or_loops(self, which: str, memory: Sequence[Buffer], tail: Guards) -> Stmt:
        """The statement called `which` of the intrinsic, or the loops that it stands for where it would pass an end."""
        code = self.statement(which, memory)
        if not tail:
            return code
        whole = [self.always(g) for _, g in tail]
        return IfThenElse(
            ops.all_of(*[ops.likely(g) for g in whole if g is not None]),
            code,
            self.plain(which, tail),
            self.origin,
        )

    def plain(self, which: str, tail: Guards) -> Stmt:
        """The loops that the statement called `which` of the intrinsic stands for, as those of any compute."""
        values, _ = self.indices(self.own.vars, self.stage.relations)
        translate = self.translate({iv.var: values[iv] for iv in self.own.ranges})
        indices = self.store_indices(values)
        last, reduction = len(self.leaves), self.op.body[0]
        if not isinstance(reduction, Reduce):
            stores = self.stores(self.results, indices, [translate(e) for e in self.op.body])
            return self.loops(self.position, last, tail, stores)
        update = self.update(reduction, indices, translate)
        first = next(i for i, iv in enumerate(self.leaves) if iv.kind is AxisKind.REDUCE)
        if first < self.position:  # reduce loops outside, of one iteration if this is a body
            start = self.init(reduction, self.within) if which == "body" else None
            return seq(start, self.loops(self.position, last, tail, update))
        early = [g for g in tail if self.depth(g[1]) < first]
        late = [g for g in tail if self.depth(g[1]) >= first]
        inner = seq(self.init(reduction), self.loops(first, last, late, update))
        return self.loops(self.position, first, early, inner)

    def reset(self, first: int, guards: Guards, memory: Sequence[Buffer]) -> Stmt:
        """The reset of all elements whose reduction goes on in the loops from position `first` on."""
        data = [iv for iv in self.around[first:] if iv.kind is not AxisKind.REDUCE]
        variables = {iv: Var(f"{self.stage.axis_name(iv)}.init", self.own.vars[iv].dtype) for iv in data}
        for iv, v in variables.items():
            self.analyzer.bind_extent(v, const(0, v.dtype), self.own.extents[iv])
        fresh: dict[Var, Expr] = {self.own.vars[iv]: v for iv, v in variables.items()}
        there = [b.map_exprs(lambda e: substitute(e, fresh)) for b in memory]
        needed = [substitute(g, fresh) for iv, g in guards if iv.kind is not AxisKind.REDUCE]
        nest = self.guarded(needed, self.statement("reset", there))
        for iv in reversed(data):
            nest = self.loop(iv, variables[iv], nest)
        return nest


def _product(extents: Sequence[Expr]) -> Expr:
    """How many iterations loops of these extents make together."""
    count: Expr = const(1, "int64")
    for n in extents:
        count = ops.mul(count, ops.cast(n, "int64"))
    return count
