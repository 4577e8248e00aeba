"""From a schedule to loops: every stage becomes a loop nest at its place.

for leaf in ...:                  one loop for each leaf, outermost first
    if likely(guard):             where splits do not divide, or a box passes the tensor's edge
        <stages computed here>
        store
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tewb.base import LowerError
from tewb.ir import (
    Allocate,
    AxisKind,
    Buffer,
    Expr,
    For,
    ForKind,
    IfThenElse,
    IterVar,
    Range,
    Stmt,
    Var,
    barrier,
    const,
    const_int,
    launch,
    ops,
    replace,
    rewriter,
    seq,
    substitute,
)
from tewb.lowering.bind_buffers import bind_buffers, compact_strides, offset_in
from tewb.lowering.compute_nest import ComputeNest
from tewb.lowering.describe_externs import extern_scope
from tewb.lowering.extern_nest import ExternNest
from tewb.lowering.grains import state_grains
from tewb.lowering.launches import Launch
from tewb.lowering.scan_nest import ScanNest
from tewb.lowering.share_loops import CannotShare, share_loops
from tewb.lowering.sliding_windows import checked_window
from tewb.lowering.tensorize_nest import TensorizeNest
from tewb.schedule import (
    At,
    Schedule,
    Stage,
    Window,
    With,
    aligned_strides,
    in_order,
    joined_stages,
    nest_of,
    nests_in_order,
    place_in,
    scan_memory,
    shared_pairs,
    tensorized,
    within_guards,
)
from tewb.schedule.bounds import Bounds
from tewb.schedule.threads import (
    bound,
    is_exchanged,
    launched_around,
    scope_of,
    threads_around,
)
from tewb.tensor import ComputeOp, ExternOp, Region, ScanOp, Tensor, is_whole
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
        self.gaps: dict[Key, Region] = {}  # the boxes of tensors of which memory leaves out what is not read
        self.at: dict[tuple[Stage, IterVar], list[Stage]] = {}
        self.after: dict[tuple[Stage, IterVar], list[Stage]] = {}  # what comes after the rest of a loop
        self.stored: dict[
            tuple[Stage, IterVar] | None, list[Stage]
        ] = {}  # where memory is, if not around a stage
        self.windows: dict[Stage, Window] = {}
        self.rings: dict[Buffer, Window] = {}  # the memory that goes round
        self.scan_memory = scan_memory(schedule)
        self.has_threads = bounds.has_threads
        self.launches: dict[Stage, Launch] = {}  # of the stages that are computed outside of all loops
        self.inner: dict[Stage, list[Stage]] = {}  # the stages that are computed in the loops of each
        self.joined: dict[Stage, list[Stage]] = {}  # the stages in the nests of others, with or after these
        for stage in joined_stages(schedule):
            host = stage.attach.stage if isinstance(stage.attach, With) else nest_of(stage)
            self.joined.setdefault(host, []).append(stage)
        for stage, place in bounds.kept_in.items():
            self.stored.setdefault(place, []).append(stage)
        for stage in schedule.stages:
            if stage in bounds.stages:
                self.choose_window(stage)
                self.choose_buffers(stage)
            if isinstance(stage.attach, At | With):
                self.inner.setdefault(stage.attach.stage, []).append(stage)
            if isinstance(stage.attach, At) and not stage.is_placeholder:
                places = self.after if stage.is_after else self.at
                places.setdefault((stage.attach.stage, stage.attach.axis), []).append(stage)
        self.at = {place: in_order(schedule, stages) for place, stages in self.at.items()}

    def choose_window(self, stage: Stage) -> None:
        """The window of a stage that is kept around loops in which it is computed."""
        window = checked_window(stage, self.bounds, (stage, 0) in self.arguments)
        if window is None:
            return
        self.windows[stage] = window
        if not stage.is_rolling:
            at = stage.stored
            place = (at.stage, at.axis) if isinstance(at, At) else None
            self.stored.setdefault(place, []).append(stage)

    def choose_buffers(self, stage: Stage) -> None:
        """A buffer of the size of its box for each output of `stage` that is no argument."""
        regions, window = self.bounds.stages[stage].regions, self.windows.get(stage)
        for t, region in zip(stage.op.outputs, regions, strict=True):
            key = (stage, t.value_index)
            if self.is_own(key):
                name = stage.name if len(regions) == 1 else f"{stage.name}.v{t.value_index}"
                ring = window if window is not None and window.goes_round else None
                shape = tuple(r.extent for r in region) if ring is None else ring.shape(region)
                self.buffers[key] = self.intermediate(name, t, shape, stage)
                self.mins[key] = tuple(r.min for r in region)
                if ring is not None:
                    self.rings[self.buffers[key]] = ring
                if any([r.__class__ is not Range for r in region]):
                    self.gaps[key] = region

    def is_own(self, key: Key) -> bool:
        """Whether an output has memory of its own: it is no argument, and no part of a scan."""
        return key not in self.arguments and key not in self.scan_memory

    def intermediate(self, name: str, t: Tensor, shape: tuple[Expr, ...], stage: Stage) -> Buffer:
        """The buffer of a tensor that is computed here: the same one as before where nothing about it changed."""
        cache, origin, gaps = self.schedule.result_cache, stage.origin(), tuple(stage.alignments.items())
        scope = scope_of(stage) if self.has_threads else stage.scope
        key = ("buffer", name, t.dtype, cache.shape(shape), scope, origin, gaps)

        def make() -> Buffer:
            strides = aligned_strides(stage, shape)
            return Buffer(name, t.dtype, shape, strides, scope=scope, origin=origin)

        return cache.once(key, shape, make)

    def root(self) -> Stmt:
        roots = nests_in_order(self.schedule)
        return self.with_memory(None, self.realize(roots, lambda: seq()))

    def with_memory(self, place: tuple[Stage, IterVar] | None, body: Stmt) -> Stmt:
        """`body` with the memory of the stages that are stored at `place`, a loop or the root, and computed further in."""
        for stage in reversed(self.stored.get(place, ())):
            body = self.allocated(stage, body)
        return body

    def allocated(self, stage: Stage, body: Stmt) -> Stmt:
        """`body` in the memory of a stage."""
        for t in reversed(stage.op.outputs):
            key = (stage, t.value_index)
            if self.is_own(key):
                body = Allocate(self.buffers[key], body, stage.origin())
        return body

    def realize(self, stages: Sequence[Stage], body: Callable[[], Stmt], waited: bool = False) -> Stmt:
        """`stages` one after the other, each with its memory, and then `body`. Threads wait for each other before and
        after they make what they share; they have `waited` when the stage before was shared too."""
        if not stages:
            return body()
        stage, rest = stages[0], stages[1:]
        wait = barrier(stage.origin()) if self.has_threads and is_exchanged(stage) else None
        before = None if waited else wait
        nested = seq(before, self.produce(stage), wait, self.realize(rest, body, wait is not None))
        for s in reversed([stage, *self.joined.get(stage, ())]):
            nested = nested if s in self.windows or s in self.bounds.kept_in else self.allocated(s, nested)
        return nested

    def produce(self, stage: Stage) -> Stmt:
        """The loops of `stage`, with those of the stages that are computed in them."""
        if isinstance(stage.attach, At):
            return self.loops(stage)
        group = self.group(stage)
        if not all(isinstance(self.bounds.operations[s], ComputeOp) for s in group):
            return self.launched(stage, group)
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
            box = self.gaps.get((self.schedule.stage_of(t), t.value_index), ())
            regions.append((id(buffer), cache.shape(mins), cache.ranges(box)))
        key = (
            "nest",
            stage.name,
            len(group),
            tuple([id(s.attach.axis) for s in self.sharing(stage)]),  # type: ignore[union-attr]
            tuple([id(x) for x in named[: 2 * len(group)]]),
            tuple(regions),
        )
        return cache.once(key, named, lambda: self.launched(stage, group))

    def launched(self, stage: Stage, group: Sequence[Stage]) -> Stmt:
        """The loops of a stage that is computed outside of all others. Bound loops have the variables of the threads."""
        if not self.has_threads:
            return self.loops(stage)
        self.launches[stage] = started = Launch(group, self.bounds)
        return substitute(self.loops(stage), started.values)

    def launch_of(self, stage: Stage) -> Launch | None:
        """The launch that runs a stage; None where no threads are used at all."""
        if not self.has_threads:
            return None
        while isinstance(stage.attach, At):
            stage = stage.attach.stage
        return self.launches[stage]

    def group(self, stage: Stage) -> list[Stage]:
        """`stage`, and all that is computed in its loops."""
        stages = [stage]
        for s in stages:
            stages += self.inner.get(s, ())
        return stages

    def loops(self, stage: Stage) -> Stmt:
        body, started = self.shared_loops(stage), self.launch_of(stage)
        if started is not None:
            around = threads_around(stage)
            for t in reversed([t for t in launched_around(stage) if t.key not in around]):
                body = launch(started.axes[t.key], started.sizes[t.key], body, stage.origin())
        return body

    def sharing(self, stage: Stage) -> list[Stage]:
        """The stages that are computed with a stage."""
        return [s for s in self.joined.get(stage, ()) if isinstance(s.attach, With)]

    def shared_loops(self, stage: Stage) -> Stmt:
        """The loops of a stage, with those of the stages that are computed with it."""
        body, wider = self.own_loops(stage), dict[Var, Var]()
        for other in self.sharing(stage):
            mine, theirs = self.bounds.stages[stage].vars, self.bounds.stages[other].vars
            pairs = [(mine[a], theirs[b]) for a, b in shared_pairs(other)]
            try:
                body = share_loops(body, self.own_loops(other), pairs, self.bounds.analyzer, wider)
            except CannotShare as e:
                raise LowerError(
                    f"compute_with on stage {other.name}: its loops and those of {stage.name} cannot be one nest: {e}",
                    loops=other.loops(),
                    hint="share fewer loops",
                    span=other.origin().span,
                ) from None
        return body

    def own_loops(self, stage: Stage) -> Stmt:
        """The loops of a stage by what it computes."""
        op = self.bounds.operations[stage]
        if isinstance(op, ComputeOp):
            own = tensorized(stage)
            nest = ComputeNest(self, stage, op) if own is None else TensorizeNest(self, stage, op, *own)
            with nest.where_long_enough():
                body = nest.nest()
            return nest.said_to_divide(nest.long_enough(body))
        if isinstance(op, ExternOp):
            return ExternNest(self, stage, op).nest()
        if isinstance(op, HybridOp):
            return self.hybrid(stage, op)
        if isinstance(op, ScanOp):
            return ScanNest(self, stage, op).nest()
        raise LowerError(f"stage {stage.name}: no rule for {type(op).__name__}")

    def waits_at(self, stage: Stage, axis: IterVar) -> bool:
        """Whether a stage for which threads wait is computed at a loop of `stage`, or inside of one that is."""
        return any(is_exchanged(s) for at in self.at.get((stage, axis), []) for s in self.group(at))

    # ---- elements

    def buffer(self, t: Tensor) -> tuple[Buffer, tuple[Expr, ...]]:
        """The buffer that holds `t` and the indices of its first element in the tensor."""
        stage = self.schedule.stage_of(t)
        key = (stage, t.value_index)
        key = self.scan_memory.get(key, key)
        if key not in self.buffers:
            kind = "an input" if stage.is_placeholder else "computed"
            raise LowerError(
                f"{stage.name} is {kind} and is read, but it is not among the arguments",
                hint="lower(s, [A, B, C])",
            )
        return self.buffers[key], self.mins.get(key, tuple(const(0, n.dtype) for n in t.shape))

    def element(self, t: Tensor, indices: Sequence[Expr]) -> tuple[Buffer, tuple[Expr, ...]]:
        """The buffer that holds an element of `t`, and its place there."""
        buffer, mins = self.buffer(t)
        if buffer in self.rings:
            return buffer, self.rings[buffer].in_memory(indices, mins)
        box = self.gaps.get((self.schedule.stage_of(t), t.value_index)) if self.gaps else None
        if box is not None:
            return buffer, tuple([place_in(r, i) for r, i in zip(box, indices, strict=True)])
        return buffer, tuple([ops.sub(i, m) for i, m in zip(indices, mins, strict=True)])

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
            offset_in(offset, simplify),
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
        body = self.with_inner_stages(stage, state_grains(stage, bind_buffers(loops, pairs, starts)))
        body = self.on_threads(stage, op, body)
        ins, outs = ([pairs[b] for b in buffers] for buffers in (op.in_buffers, op.out_buffers))
        return extern_scope(stage, "idempotent", ins, outs, body)

    def on_threads(self, stage: Stage, op: HybridOp, body: Stmt) -> Stmt:
        """The loops of a hybrid function with those that are bound, by the function or its schedule, as launches. Inside
        of threads that are launched already, more loops of the same ones run one after the other."""
        tags = {iv.var: iv for iv in op.axis if iv.thread_tag}
        started, own = self.launch_of(stage), {iv.var: iv for iv in bound(stage)}
        if not tags and not own:
            return body
        around = set(threads_around(stage))

        def loop(n: For) -> Stmt:
            iv = tags.get(n.var)
            if n.var in own and started is not None:
                key = bound(stage)[own[n.var]].key
                size, axis = started.sizes[key], started.axes[key]
            elif iv is not None and n.kind is ForKind.SERIAL and const_int(n.min) == 0:
                key, size = iv.thread_tag, n.extent
                axis = IterVar(None, n.var, AxisKind.THREAD, iv.thread_tag)
            else:
                return n.map_children(rewrite)
            if key in around:
                return (
                    n.map_children(rewrite)
                    if n.var not in own
                    else self.in_first(n, stage, own, rewrite(n.body))
                )
            around.add(key)
            inner: Stmt = rewrite(n.body)
            around.discard(key)
            if n.var in own:
                inner = self.in_first(n, stage, own, inner)
            return launch(axis, size, inner, n.origin)

        rewrite: Callable[[Any], Any] = rewriter({For: loop})
        result: Stmt = rewrite(body)
        return result

    def in_first(self, n: For, stage: Stage, own: Mapping[Var, IterVar], body: Stmt) -> Stmt:
        """The body of a bound loop, in as many threads as it has iterations."""
        started = self.launch_of(stage)
        if started is None or (stage, own[n.var]) not in started.idle:
            return body
        return IfThenElse(ops.likely(ops.less(n.var, n.extent)), body, None, n.origin)

    def with_inner_stages(self, stage: Stage, body: Stmt) -> Stmt:
        """The loops of a hybrid function with the stages that are computed at them."""
        places = [(stage, iv) for iv in stage.leaf_iter_vars]
        attached = {place[1].var: place for place in places if place in self.at or place in self.stored}

        def inside(place: tuple[Stage, IterVar], inner: Stmt) -> Stmt:
            return self.with_memory(place, self.realize(self.at.get(place, ()), lambda: inner))

        def loop(n: For) -> Stmt:
            rewritten = n.map_children(rewrite)
            if n.var not in attached:
                return rewritten
            return replace(
                rewritten,
                body=within_guards(rewritten.body, lambda b: inside(attached[n.var], b)),
            )

        rewrite: Callable[[Stmt], Stmt] = rewriter({For: loop})
        return rewrite(body) if attached else body
