"""From a schedule to loops: every stage becomes a loop nest at its place.

for leaf in ...:                  one loop for each leaf, outermost first
    if likely(guard):             where splits do not divide, or a box passes the tensor's edge
        <stages computed here>
        store
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tewb.base import LowerError
from tewb.ir import (
    Allocate,
    Buffer,
    Expr,
    For,
    IterVar,
    Range,
    Stmt,
    const,
    ops,
    replace,
    rewriter,
    seq,
)
from tewb.lowering.bind_buffers import bind_buffers, compact_strides
from tewb.lowering.compute_nest import ComputeNest
from tewb.lowering.extern_nest import ExternNest, extern_scope
from tewb.lowering.tensorize_nest import TensorizeNest
from tewb.schedule import At, Schedule, Stage, aligned_strides, tensorized, within_guards
from tewb.schedule.bounds import Bounds
from tewb.tensor import ComputeOp, ExternOp, Tensor, is_whole
from tewb.tensor.hybrid import HybridOp

Key = tuple[Stage, int]


def loop_nests(schedule: Schedule, bounds: Bounds, arguments: Mapping[Key, Buffer]) -> Stmt:
    """The statement that computes all stages of `schedule`; `arguments` are the buffers of the caller.

    Every other tensor that is kept gets an allocation of the size that its readers need.
    """
    return Nests(schedule, bounds, arguments).root()


class Nests:
    """All loops of a schedule: where each stage is computed, and which memory holds its elements."""

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
                self.buffers[key] = self.intermediate(name, t, shape, stage)
                self.mins[key] = tuple(r.min for r in region)

    def intermediate(self, name: str, t: Tensor, shape: tuple[Expr, ...], stage: Stage) -> Buffer:
        """The buffer of a tensor that is computed here: the same one as before where nothing about it changed."""
        cache, origin, gaps = self.schedule.result_cache, stage.origin(), tuple(stage.alignments.items())
        key = ("buffer", name, t.dtype, cache.shape(shape), stage.scope, origin, gaps)

        def make() -> Buffer:
            strides = aligned_strides(stage, shape)
            return Buffer(name, t.dtype, shape, strides, scope=stage.scope, origin=origin)

        return cache.once(key, shape, make)

    def root(self) -> Stmt:
        roots = [s for s in self.schedule.stages if s.attach is None and not s.is_placeholder]
        return self.realize(roots, lambda: seq())

    def realize(self, stages: Sequence[Stage], body: Callable[[], Stmt]) -> Stmt:
        """`stages` one after the other, each with its memory, and then `body`."""
        if not stages:
            return body()
        stage, rest = stages[0], stages[1:]
        nested = seq(self.produce(stage), self.realize(rest, body))
        for t in reversed(stage.op.outputs):
            key = (stage, t.value_index)
            if key not in self.arguments:
                nested = Allocate(self.buffers[key], nested, stage.origin())
        return nested

    def produce(self, stage: Stage) -> Stmt:
        """The loops of `stage`, with those of the stages that are computed in them."""
        if stage.attach is not None:
            return self.loops(stage)
        group = self.group(stage)
        if not all(isinstance(self.bounds.operations[s], ComputeOp) for s in group):
            return self.loops(stage)
        # A nest of computes depends on the bounds of its stages, which determine their loops too, and on the buffers
        # that these read and write.
        cache = self.schedule.result_cache
        named: list[object] = []
        for s in group:
            named += [self.bounds.operations[s], self.bounds.stages[s]]
        regions = []
        for t in [t for s in group for t in (*self.bounds.operations[s].inputs, *s.op.outputs)]:
            buffer, mins = self.buffer(t)
            named += [buffer, mins]
            regions.append((id(buffer), cache.shape(mins)))
        key = (
            "nest",
            stage.name,
            len(group),
            tuple([id(x) for x in named[: 2 * len(group)]]),
            tuple(regions),
        )
        return cache.once(key, named, lambda: self.loops(stage))

    def group(self, stage: Stage) -> list[Stage]:
        """`stage`, and all that is computed in its loops."""
        inner: dict[Stage, list[Stage]] = {}
        for x in self.schedule.stages:
            if isinstance(x.attach, At):
                inner.setdefault(x.attach.stage, []).append(x)
        stages = [stage]
        for s in stages:
            stages += inner.get(s, [])
        return stages

    def loops(self, stage: Stage) -> Stmt:
        op = self.bounds.operations[stage]
        if isinstance(op, ComputeOp):
            own = tensorized(stage)
            return (
                ComputeNest(self, stage, op).nest()
                if own is None
                else TensorizeNest(self, stage, op, *own).nest()
            )
        if isinstance(op, ExternOp):
            return ExternNest(self, stage, op).nest()
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
            raise LowerError(
                f"{stage.name} is {kind} and is read, but it is not among the arguments",
                hint="lower(s, [A, B, C])",
            )
        return self.buffers[key], self.mins.get(key, tuple(const(0, n.dtype) for n in t.shape))

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
        return extern_scope(stage, "idempotent", ins, outs, body)

    def with_inner_stages(self, stage: Stage, body: Stmt) -> Stmt:
        """The loops of a hybrid function with the stages that are computed at them."""
        attached = {iv.var: self.at[stage, iv] for iv in stage.leaf_iter_vars if (stage, iv) in self.at}

        def loop(n: For) -> Stmt:
            rewritten = n.map_children(rewrite)
            if n.var not in attached:
                return rewritten
            return replace(
                rewritten,
                body=within_guards(rewritten.body, lambda b: self.realize(attached[n.var], lambda: b)),
            )

        rewrite: Callable[[Stmt], Stmt] = rewriter({For: loop})
        return rewrite(body) if attached else body
