"""Which accesses of a stage two of its loops, as a tile, would transpose, and why that cannot be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tewb.arith import REGISTER, Analyzer, is_turned, row_major, stride, turn
from tewb.base import DType
from tewb.ir import (
    BufferLoad,
    BufferStore,
    Expr,
    For,
    IterVar,
    ProducerLoad,
    Reduce,
    Seq,
    Stmt,
    at_axes,
    const_int,
    script,
    walk,
)
from tewb.schedule.hybrid_loops import scheduled_body, within_guards
from tewb.schedule.primitive import Refusal
from tewb.schedule.program import inlined_operations
from tewb.schedule.relation import index_up
from tewb.schedule.stage import Stage
from tewb.tensor import ComputeOp, Tensor
from tewb.tensor.hybrid import HybridOp


@dataclass(frozen=True, slots=True)
class TileAccess:
    """A load or a store, and how many elements it moves from row to row of a tile, and from lane to lane; None
    when that varies, or is known only when the kernel runs."""

    text: str
    dtype: DType
    along: int | None
    across: int | None

    @property
    def is_turned(self) -> bool:
        return is_turned(self.along, self.across)


def untransposed(stage: Stage, rows: IterVar, lanes: IterVar) -> Refusal | None:
    """Why no access of `stage` is transposed in a tile of two of its loops, or not in a tile of this size."""
    if isinstance(stage.op, HybridOp):
        inside = tile_stores(stage, stage.op, rows, lanes)
        if isinstance(inside, Refusal):
            return inside
        accesses = _hybrid_accesses(inside, rows, lanes)
    else:
        assert isinstance(stage.op, ComputeOp)
        if len(stage.op.body) > 1 and isinstance(stage.op.body[0], Reduce):
            return Refusal(
                f"{stage.name} reduces to {len(stage.op.body)} results, each of which needs all old ones",
                "vectorize one of the loops",
            )
        accesses = _accesses(stage, rows, lanes)
    return _nothing_turned(stage, accesses, rows, lanes) or _wrong_size(stage, accesses, rows, lanes)


def _nothing_turned(
    stage: Stage, accesses: Sequence[TileAccess], rows: IterVar, lanes: IterVar
) -> Refusal | None:
    r, n = stage.axis_name(rows), stage.axis_name(lanes)
    turned = [a for a in accesses if a.is_turned]
    if turned and any(a.across == 1 for a in accesses):
        return None
    if turned:
        return Refusal(
            f"{turned[0].text} has its neighbours along {r}, and no access has them along {n}: as lanes of {r} "
            "all are as they lie",
            f"vectorize {r}",
        )
    if any(a.across == 1 for a in accesses):
        return Refusal(f"no access has its neighbours in memory along {r} only", f"vectorize {n} alone")
    return Refusal(
        f"no access has its neighbours in memory along {r} or {n}", "choose loops over the last dimensions"
    )


def _wrong_size(
    stage: Stage, accesses: Sequence[TileAccess], rows: IterVar, lanes: IterVar
) -> Refusal | None:
    extents = _extents(stage)
    n, m = const_int(extents[rows]), const_int(extents[lanes])
    if n is None or m is None:
        return None  # a tile of symbolic size is taken as it ever was
    for a in (a for a in accesses if a.is_turned):
        most = REGISTER // a.dtype.nbytes
        for iv, size in ((rows, n), (lanes, m)):
            name = stage.axis_name(iv)
            if size < 2:
                return Refusal(f"{name} has {size} iteration, and a tile has two or more")
            if size > most:
                return Refusal(
                    f"{name} has {size} iterations, and {a.text} of {a.dtype} fills a register of {REGISTER} bytes with "
                    f"{most}",
                    f"split {name} by {most}",
                )
        if turn(n, m, a.across, a.dtype.nbytes) is None:
            odd, size = (rows, n) if n & (n - 1) else (lanes, m)
            return Refusal(
                f"{stage.axis_name(odd)} has {size} iterations, which is no power of two, and {a.text} goes through a "
                "network of shuffles",
                f"split {stage.axis_name(odd)} by {min(most, 1 << (size.bit_length() - 1))}",
            )
    return None


def _extents(stage: Stage) -> Mapping[IterVar, Expr]:
    """The extents of the loops where the stage stands: of one that is computed in another, only a part is made at
    a time."""
    from tewb.schedule.bounds import infer_bounds  # it needs schedules, and they need legality

    if stage.attach is None:
        return stage.schedule.extents(stage)
    return infer_bounds(stage.schedule).stages[stage].extents


# ---------------------------------------------------------------- accesses of computes


def _accesses(stage: Stage, rows: IterVar, lanes: IterVar) -> list[TileAccess]:
    """The stores of a compute, and the loads of its body with what is inlined in it."""
    op = inlined_operations(stage.schedule)[stage]
    assert isinstance(op, ComputeOp)
    values: dict[IterVar, Expr] = {iv: iv.var for iv in stage.leaf_iter_vars}
    index_up(stage.relations, values, stage.schedule.extents(stage), Analyzer())
    at = at_axes({iv.var: values[iv] for iv in (*op.axis, *op.reduce_axis)})
    own = tuple(iv.var for iv in op.axis)
    loads = [n for e in op.body for n in walk(e) if isinstance(n, ProducerLoad)]
    touched = [(t, own) for t in op.outputs] + [(n.producer, n.indices) for n in loads]

    def access(t: Tensor, indices: tuple[Expr, ...]) -> TileAccess:
        strides = row_major(t.shape)
        real = [at.index(i) for i in indices]
        along, across = (stride(strides, real, iv.var) for iv in (rows, lanes))
        return TileAccess(_text(t.name, indices), t.dtype, along, across)

    return [access(t, indices) for t, indices in touched]


def _text(name: str, indices: Sequence[Expr]) -> str:
    return f"{name}[{', '.join(script(i) for i in indices)}]"


# ---------------------------------------------------------------- accesses of hybrid functions


def tile_stores(stage: Stage, op: HybridOp, rows: IterVar, lanes: IterVar) -> list[BufferStore] | Refusal:
    """The statements in two loops of a hybrid function: stores and nothing else, in loops with nothing between."""
    loops = {n.var: n for n in walk(scheduled_body(stage, op.body)) if isinstance(n, For)}
    r, n = stage.axis_name(rows), stage.axis_name(lanes)
    inside = _behind_guards(loops[rows.var].body)
    if inside is not loops[lanes.var]:
        return Refusal(
            f"other statements than loop {n} stand in loop {r}", "choose two loops with nothing between"
        )
    body = _behind_guards(loops[lanes.var].body)
    stores = [s for s in (body.stmts if isinstance(body, Seq) else (body,)) if isinstance(s, BufferStore)]
    if len(stores) < (len(body.stmts) if isinstance(body, Seq) else 1):
        return Refusal(
            f"loop {n} does other things than store elements", "vectorize it alone, or choose other loops"
        )
    return stores


def _behind_guards(s: Stmt) -> Stmt:
    found = [s]
    within_guards(s, lambda inner: found.append(inner) or inner)  # type: ignore[func-returns-value]
    return found[-1]


def _hybrid_accesses(stores: Sequence[BufferStore], rows: IterVar, lanes: IterVar) -> list[TileAccess]:
    def access(n: BufferLoad | BufferStore) -> TileAccess:
        strides = n.buffer.strides or row_major(n.buffer.shape)
        along, across = (stride(strides, n.indices, iv.var) for iv in (rows, lanes))
        return TileAccess(_text(n.buffer.name, n.indices), n.buffer.dtype, along, across)

    return [access(n) for s in stores for n in walk(s) if isinstance(n, BufferLoad | BufferStore)]
