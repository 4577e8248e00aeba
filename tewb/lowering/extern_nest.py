"""The loops around an extern, and in them one call of its body for each tile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tewb.base import HANDLE, option
from tewb.ir import (
    Allocate,
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
    Range,
    Stmt,
    Var,
    const,
    load,
    ops,
    seq,
)
from tewb.lowering.bind_buffers import is_compact
from tewb.lowering.describe_externs import extern_scope
from tewb.lowering.extern_buffers import dense_where_declared, extern_body
from tewb.lowering.stage_loops import StageLoops
from tewb.schedule import Stage, tile_of
from tewb.tensor import ExternOp, Region, Tensor, Tile, TilePart, is_whole, whole_region

if TYPE_CHECKING:
    from tewb.lowering.nest import Nests


class ExternNest(StageLoops):
    """The loops of an extern: those that its schedule made, around its opaque body."""

    def __init__(self, nests: Nests, stage: Stage, op: ExternOp) -> None:
        super().__init__(nests, stage, [iv for iv in stage.leaf_iter_vars if iv.kind is not AxisKind.OPAQUE])
        self.op = op

    def nest(self) -> Stmt:
        loops: dict[IterVar, Expr] = {iv: self.own.vars[iv] for iv in self.leaves}
        ranges, guards = tile_of(self.stage, loops, self.own.ranges, self.own.extents, self.analyzer)
        window = self.nests.windows.get(self.stage)
        if window is None or not window.slides:
            call = self.call(ranges)
        else:
            part, conditions = window.new_part(ranges, self.analyzer)
            call = self.guarded(conditions, self.call(part))
        return self.loops(0, len(self.leaves), guards + self.idle_guards(self.own.vars), call)

    def call(self, ranges: Sequence[Range]) -> Stmt:
        """The call of an extern's body on views of what one tile reads and writes."""
        if not self.op.access.tiled:
            return self.call_on([whole_region(t.shape) for t in self.op.inputs],
                                [whole_region(t.shape) for t in self.op.outputs])  # fmt: skip
        full_out, full_in = self.op.out_regions(ranges), self.op.in_regions(ranges)
        clipped = tuple(
            self.clip(r, n) for r, n in zip(ranges, self.op.output(0).shape[: len(ranges)], strict=True)
        )
        out = self.op.out_regions(clipped)
        needed = self.op.in_regions(clipped)
        ins = [self.clipped_box(r, t.shape) for r, t in zip(needed, self.op.inputs, strict=True)]
        if self.op.tail != "pad":
            return self.call_on(ins, out)
        inside = self.inside(zip((*full_in, *full_out), (*self.op.inputs, *self.op.outputs), strict=True))
        direct = self.call_on(full_in, full_out)
        if ops.is_const(inside, 1):
            return direct
        padded = self.packed_call(full_in, full_out, ins, out, [True] * len(full_in), [True] * len(full_out))
        return IfThenElse(inside, direct, padded, self.stage.origin())

    def inside(self, boxes: Iterable[tuple[Region, Tensor]]) -> Expr:
        """The condition under which boxes lie in their tensors, and in what is kept of these."""
        conditions: list[Expr] = []
        for box, t in boxes:
            for region in self.limits(t):
                for r, limit in zip(box, region, strict=True):
                    end, last = ops.add(r.min, r.extent), ops.add(limit.min, limit.extent)
                    ends = (ops.greater_equal(r.min, limit.min), ops.less_equal(end, last))
                    conditions += [c for c in ends if not self.analyzer.can_prove(c)]
        return ops.all_of(*conditions) if conditions else const(1, "bool")

    def limits(self, t: Tensor) -> list[Region]:
        """The boxes that hold what there is of a tensor: all of it, and what is kept, if that is less. A tile that is padded
        may go on past the end of what is needed."""
        whole, stage = whole_region(t.shape), self.nests.schedule.stage_of(t)
        if stage not in self.nests.bounds.stages or not self.nests.is_own((stage, t.value_index)):
            return [whole]
        kept = self.nests.bounds.stages[stage].regions[t.value_index]
        return [whole] if is_whole(kept, t.shape) else [whole, kept]

    def call_on(self, ins: Sequence[Region], outs: Sequence[Region]) -> Stmt:
        """The call on boxes that lie in their tensors. Strided ones are copied with `compact`, and where the
        extern declares a buffer without strides, which promises its body dense memory."""
        in_views = [self.nests.view(t, r) for t, r in zip(self.op.inputs, ins, strict=True)]
        out_views = [self.nests.view(t, r) for t, r in zip(self.stage.op.outputs, outs, strict=True)]
        copy_in = [not is_compact(b) for b in in_views]
        copy_out = [not is_compact(b) for b in out_views]
        if not self.op.compact:
            copy_in = dense_where_declared(self.op.in_buffers, copy_in)
            copy_out = dense_where_declared(self.op.out_buffers, copy_out)
        if any(copy_in) or any(copy_out):
            return self.packed_call(ins, outs, ins, outs, copy_in, copy_out)
        return self.body(in_views, out_views, ins, outs, ins, outs)

    def body(
        self, ins: list[Buffer], outs: list[Buffer], in_boxes: Sequence[Region],
        out_boxes: Sequence[Region], in_real: Sequence[Region], out_real: Sequence[Region],
    ) -> Stmt:  # fmt: skip
        """The statement of an extern in its scope. `in_boxes` and `out_boxes` are the boxes of the buffers;
        `in_real` and `out_real` are the parts of them that lie in the tensors."""
        tile_parts = [
            tuple(TilePart(tuple(r.min for r in box), tuple(r.extent for r in there))
                  for box, there in zip(boxes, real, strict=True))
            for boxes, real in ((in_boxes, in_real), (out_boxes, out_real))
        ]  # fmt: skip
        body = extern_body(self.stage, self.op, ins, outs, Tile(*tile_parts), self.analyzer)
        if option("tewb.checked_externs"):
            for key, buffers, there in (
                ("extern_reads", ins, tile_parts[0]),
                ("extern_writes", outs, tile_parts[1]),
            ):
                for b, part in zip(buffers, there, strict=True):
                    place = Call("tvm_tuple", (b.elem_offset, *part.origin, *part.extents), HANDLE)
                    body = AttrStmt(b.data, key, place, body, self.stage.origin())
        return extern_scope(self.stage, self.op.effect, ins, outs, body)

    def packed_call(
        self, ins: Sequence[Region], outs: Sequence[Region], in_real: Sequence[Region],
        out_real: Sequence[Region], copy_in: Sequence[bool], copy_out: Sequence[bool],
    ) -> Stmt:  # fmt: skip
        """The call on copies: elements that exist are copied in (zeros elsewhere) and copied back."""
        own_in, own_out = [], []
        first: list[Stmt] = []
        last: list[Stmt] = []
        packs: list[Buffer] = []
        for t, box, copied in zip(self.op.inputs, ins, copy_in, strict=True):
            buffer = self.pack(t, box) if copied else self.nests.view(t, box)
            if copied:
                packs.append(buffer)
                first.append(self.copy(buffer, t, box, inward=True))
            own_in.append(buffer)
        for t, box, copied in zip(self.stage.op.outputs, outs, copy_out, strict=True):
            buffer = self.pack(t, box) if copied else self.nests.view(t, box)
            if copied:
                packs.append(buffer)
                last.append(self.copy(buffer, t, box, inward=False))
            own_out.append(buffer)
        body = seq(*first, self.body(own_in, own_out, ins, outs, in_real, out_real), *last)
        for b in reversed(packs):
            body = Allocate(b, body, self.stage.origin())
        return body

    def pack(self, t: Tensor, box: Region) -> Buffer:
        return Buffer(f"{t.name}.pack", t.dtype, tuple(r.extent for r in box))

    def copy(self, pack: Buffer, t: Tensor, box: Region, inward: bool) -> Stmt:
        """Loops that copy a box of `t` into dense memory, or back."""
        buffer, mins = self.nests.buffer(t)
        axes = [Var(f"ax{d}", r.extent.dtype) for d, r in enumerate(box)]
        analyzer = self.analyzer
        for v, r in zip(axes, box, strict=True):
            analyzer.bind_extent(v, const(0, v.dtype), r.extent)
        there = [ops.add(r.min, v) for r, v in zip(box, axes, strict=True)]
        limits = self.limits(t) if self.op.tail == "pad" else [whole_region(t.shape)]
        ends = [
            c
            for region in limits
            for i, r in zip(there, region, strict=True)
            for c in (ops.greater_equal(i, r.min), ops.less(i, ops.add(r.min, r.extent)))
        ]
        inside = ops.all_of(*[c for c in ends if not analyzer.can_prove(c)] or [const(1, "bool")])
        index = tuple(analyzer.simplify(ops.sub(i, m)) for i, m in zip(there, mins, strict=True))
        if inward:
            value = load(buffer, index)
            if not ops.is_const(inside, 1):
                value = ops.if_then_else(inside, value, const(0, t.dtype))
            copied: Stmt = BufferStore(pack, value, tuple(axes), self.stage.origin())
        else:
            copied = BufferStore(buffer, load(pack, tuple(axes)), index, self.stage.origin())
            if not ops.is_const(inside, 1):
                copied = IfThenElse(inside, copied, None, self.stage.origin())
        for v, r in reversed(list(zip(axes, box, strict=True))):
            copied = For(v, const(0, v.dtype), r.extent, ForKind.SERIAL, copied, self.stage.origin())
        return copied

    def clipped_box(self, region: Iterable[Range], shape: Sequence[Expr]) -> tuple[Range, ...]:
        return tuple(self.clip(r, n) for r, n in zip(region, shape, strict=True))

    def clip(self, r: Range, size: Expr) -> Range:
        """The part of `r` that is inside of a dimension of `size`; empty when there is none."""
        prove = self.analyzer.can_prove
        end = ops.add(r.min, r.extent)
        lo = r.min if prove(ops.greater_equal(r.min, 0)) else ops.maximum(r.min, 0)
        hi = end if prove(ops.less_equal(end, size)) else ops.minimum(end, size)
        if lo is r.min and hi is end:
            return r
        simplify = self.analyzer.simplify
        extent = simplify(ops.sub(hi, lo))
        if prove(ops.greater_equal(extent, 0)):
            return Range(simplify(lo), extent)
        return Range(simplify(ops.minimum(lo, size)), simplify(ops.maximum(extent, 0)))
