"""transpose: two loops as a tile of registers, which shuffles turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tewb.arith import REGISTER, Analyzer, is_turned, row_major, stride, turn
from tewb.base import DType
from tewb.ir import (
    BufferLoad,
    BufferStore,
    Expr,
    For,
    ForKind,
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
from tewb.schedule.bounds import infer_bounds
from tewb.schedule.conditions import strides_of
from tewb.schedule.declare import (
    Arguments,
    Param,
    Refusal,
    Repair,
    Results,
    Selection,
    Values,
    loop_names,
    primitive,
)
from tewb.schedule.hybrid_loops import scheduled_body, within_guards
from tewb.schedule.inlining import inlined_operations
from tewb.schedule.journal import Step
from tewb.schedule.questions import (
    agrees_with_marks,
    at_once,
    constant_extent,
    has_loops,
    independent,
    no_calls,
    not_inline,
    nothing_inside,
    one_vector_loop,
    opaque,
    unmarked,
    unsettled,
)
from tewb.schedule.relation import index_up
from tewb.schedule.stage import Stage
from tewb.tensor import ComputeOp, Tensor
from tewb.tensor.hybrid import HybridOp

MAX_LANES = 1024  # of a tile


@primitive(
    Param("rows", "axis", "the outer loop of the tile", choices=loop_names),
    Param("lanes", "axis", "the loop right inside of it, which becomes lanes", choices=loop_names),
    loop_kind=ForKind.VECTORIZED,
)
def transpose(stage: Stage, rows: IterVar | str, lanes: IterVar | str) -> None:
    """Vectorize two loops at once, as a tile of registers: `lanes`, the innermost loop, becomes lanes, and
    `rows`, right around it, the vectors of the tile. What is contiguous along `rows` instead is loaded or stored
    that way, and transposed by shuffles in registers. Extents are small powers of two.

    for r in 8:                           a0, ..., a7 = A[0, 0:8], ..., A[7, 0:8]
        for l in 8: B[r, l] = A[l, r]  ->     (3 stages of shuffles)
                                          B[0, 0:8], ..., B[7, 0:8] = a0, ..., a7

    Where the elements of a tile all lie side by side, `rows` may be any few: the channels of an image.
    """
    stage.do("transpose", rows=rows, lanes=lanes)


@transpose.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
    rows, lanes = v["rows"], v["lanes"]
    if rows is lanes:
        return Refusal(f"both loops are {stage.axis_name(rows)}", "a tile takes two different loops")
    vectorized = stage.annotations.get(lanes) == "vectorize" and not stage.marks_of("transpose")
    refused = (
        has_loops(stage)
        or not_inline(stage)
        or no_calls(stage, rows)
        or opaque(stage, rows)
        or unmarked(stage, rows)
        or (
            None
            if vectorized
            else opaque(stage, lanes) or unmarked(stage, lanes) or one_vector_loop(stage, lanes)
        )
        or independent(stage, rows, "transpose")
        or independent(stage, lanes, "transpose")
        or _innermost(stage, rows, lanes)
        or nothing_inside(stage, rows)
        or agrees_with_marks(stage, "vectorize", rows)
        or unsettled(stage.schedule)
        or constant_extent(stage, rows, MAX_LANES, "transpose")
        or constant_extent(stage, lanes, MAX_LANES, "transpose")
        or _untransposed(stage, rows, lanes)
    )
    return at_once(refused)


def _innermost(stage: Stage, rows: IterVar, lanes: IterVar) -> Refusal | None:
    """The loops of a tile stand inside of all others: the rows around the lanes, and nothing between."""
    if isinstance(stage.op, HybridOp):
        stores = _tile_stores(stage, stage.op, rows, lanes)
        return stores if isinstance(stores, Refusal) else None
    leaves = stage.leaf_iter_vars
    if leaves[-1] is lanes and leaves[-2] is rows:
        return None
    r, n = stage.axis_name(rows), stage.axis_name(lanes)
    others = [stage.axis_name(iv) for iv in leaves if iv is not rows and iv is not lanes]
    return Refusal(
        f"{r} and {n} are not the two innermost loops in this order, as the rows and the lanes of a tile are",
        f"reorder({', '.join([*others, r, n])})",
    )


@transpose.invariant
def _tile_kept(stage: Stage) -> Refusal | None:
    """The loops of a tile stay what they are while others move."""
    loops = {m.primitive: m.axis for m in stage.marks}
    rows, lanes = loops.get("transpose"), loops.get("vectorize")
    if rows is None or lanes is None or _innermost(stage, rows, lanes) is None:
        return None
    return Refusal(
        f"{stage.axis_name(rows)} and {stage.axis_name(lanes)} are the rows and the lanes of a tile, and stay the two "
        "innermost loops",
        "reorder the loops around them",
    )


@transpose.effect
def _effect(stage: Stage, v: Values, step: int) -> Results:
    for iv, mark in ((v["rows"], "transpose"), (v["lanes"], "vectorize")):
        if stage.annotations.get(iv) != mark:
            stage.mark(mark, iv)
        stage.made_by[iv] = step
        stage.shape(iv, step)
    return []


@transpose.suggest
def _suggest(at: Selection) -> Iterator[Arguments]:
    loops, position = at.loops, at.position
    if position + 1 < len(loops):
        yield {"rows": at.loop, "lanes": loops[position + 1]}
    if position > 0:
        yield {"rows": loops[position - 1], "lanes": at.loop}
    if len(loops) < 2:
        yield {"rows": at.loop, "lanes": at.loop}


@transpose.repairs
def _tile_first(at: Selection, args: Arguments) -> Iterator[Repair]:
    """The inner loops of a tile of registers, or both loops inside of all others."""
    rows, lanes = args["rows"], args["lanes"]
    if rows == lanes:
        return
    sizes = {"x_factor": at.lanes, "y_factor": at.lanes}

    def inner(results: Sequence[str]) -> Iterator[Arguments]:
        yield {"rows": results[2], "lanes": results[3]}

    yield Repair(Step("tile", at.stage.name, {"x": rows, "y": lanes, **sizes}), inner)
    others = [n for n in at.loops if n not in (rows, lanes)]
    yield Repair(Step("reorder", at.stage.name, {"axes": [*others, rows, lanes]}))


# ---------------------------------------------------------------- what a tile turns


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


def _untransposed(stage: Stage, rows: IterVar, lanes: IterVar) -> Refusal | None:
    """Why no access of `stage` is transposed in a tile of two of its loops, or not in a tile of this size."""
    if isinstance(stage.op, HybridOp):
        inside = _tile_stores(stage, stage.op, rows, lanes)
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
            instead=(Step("vectorize", stage.name, {"axis": r}),),
        )
    if any(a.across == 1 for a in accesses):
        alone = Step("vectorize", stage.name, {"axis": n})
        return Refusal(
            f"no access has its neighbours in memory along {r} only", f"vectorize {n} alone", instead=(alone,)
        )
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
        strides = strides_of(stage.schedule, t)
        real = [at.index(i) for i in indices]
        along, across = (stride(strides, real, iv.var) for iv in (rows, lanes))
        return TileAccess(_text(t.name, indices), t.dtype, along, across)

    return [access(t, indices) for t, indices in touched]


def _text(name: str, indices: Sequence[Expr]) -> str:
    return f"{name}[{', '.join(script(i) for i in indices)}]"


# ---------------------------------------------------------------- accesses of hybrid functions


def _tile_stores(stage: Stage, op: HybridOp, rows: IterVar, lanes: IterVar) -> list[BufferStore] | Refusal:
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
    seen = [s]
    within_guards(s, lambda inner: seen.append(inner) or inner)  # type: ignore[func-returns-value]
    return seen[-1]


def _hybrid_accesses(stores: Sequence[BufferStore], rows: IterVar, lanes: IterVar) -> list[TileAccess]:
    def access(n: BufferLoad | BufferStore) -> TileAccess:
        strides = n.buffer.strides or row_major(n.buffer.shape)
        along, across = (stride(strides, n.indices, iv.var) for iv in (rows, lanes))
        return TileAccess(_text(n.buffer.name, n.indices), n.buffer.dtype, along, across)

    return [access(n) for s in stores for n in walk(s) if isinstance(n, BufferLoad | BufferStore)]
