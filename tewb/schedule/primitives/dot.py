"""dot: a reduce loop as one widening dot product."""

from __future__ import annotations

from collections.abc import Iterator

from tewb.arith import Analyzer, detect_linear
from tewb.ir import (
    Add,
    AxisKind,
    Cast,
    Expr,
    ForKind,
    IterVar,
    Mul,
    ProducerLoad,
    Reduce,
    at_axes,
    const_int,
    ops,
    script,
    uses,
)
from tewb.schedule.declare import AXIS, Arguments, Refusal, Repair, Selection, Values, primitive
from tewb.schedule.journal import Step
from tewb.schedule.primitives.marks import split_first
from tewb.schedule.questions import attached_at, has_loops, not_inline, unmarked
from tewb.schedule.relation import index_up, mixed_loops
from tewb.schedule.stage import Stage
from tewb.tensor import ComputeOp

_FORM = 'te.sum(A[i, k].astype("int32") * B[k, j].astype("int32"), axis=k)'


@primitive(AXIS, loop_kind=ForKind.DOT)
def dot(stage: Stage, var: IterVar | str) -> None:
    """Add up the iterations of a reduce loop as one widening dot product: 4 products of 8-bit integers, or 2 of
    16-bit ones, in int32.

        for ki in 4:                                            C[j] = T.dot4(C[j], A[4*ko : 4*ko + 4],
            C[j] += int32(A[4*ko + ki]) * int32(P[j, ki])   ->                      P[j, 0:4])

    The loop is the innermost one, and both factors are read at neighbours in memory as it runs. Vectorized over
    j, it is one instruction for all lanes where the processor has it: here P holds the 4 neighbours of each
    lane side by side. A matrix is brought into that form by a stage of the program:

        P = te.compute((k // 4, n, 4), lambda ko, j, ki: B[ko * 4 + ki, j], name="P")
        C = te.compute((m, n), lambda i, j: te.sum(
            A[i, k].astype("int32") * P[k // 4, j, k % 4].astype("int32"), axis=k), name="C")

    The sum wraps as int32 does. Where a guard remains inside, or lanes are not side by side, the loop runs
    serially: the result is the same.
    """
    stage.do("dot", axis=var)


@dot.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
    iv = v["axis"]
    refused = has_loops(stage) or _adds_up(stage, iv)
    if refused:
        return refused
    loads = factors(stage)
    if isinstance(loads, Refusal):
        return loads
    return (
        _shape(stage, iv, loads) or _neighbours(stage, iv, loads) or not_inline(stage) or unmarked(stage, iv)
    )


def _adds_up(stage: Stage, iv: IterVar) -> Refusal | None:
    if iv.kind is AxisKind.REDUCE and not mixed_loops(stage.relations):
        return None
    sums = [stage.axis_name(x) for x in stage.leaf_iter_vars if x.kind is AxisKind.REDUCE]
    said = f"mark a reduce axis ({', '.join(sums)})" if sums else f"dot products are {_FORM}"
    return Refusal(
        f"{stage.axis_name(iv)} is no reduce axis, and a dot product adds up over one",
        said,
        instead=tuple([Step("dot", stage.name, {"axis": loop}) for loop in sums]),
    )


def factors(stage: Stage) -> tuple[ProducerLoad, ProducerLoad] | Refusal:
    """The two elements whose products `stage` adds up in int32: both of 8 bits, or both of 16."""
    reduction = stage.op.body[0] if isinstance(stage.op, ComputeOp) else None
    if not isinstance(reduction, Reduce):
        return Refusal(f"{stage.name} is no sum of products", f"dot products are {_FORM}")
    (result, *others), (source, *_) = reduction.combiner.result, reduction.source
    if others or not isinstance(result, Add) or not ops.is_const(reduction.condition, 1):
        return Refusal(f"{stage.name} is no plain sum", f"dot products are {_FORM}")
    if source.dtype != "int32":
        return Refusal(f"{stage.name} adds up in {source.dtype}, and dot products in int32", f"write {_FORM}")
    match source:
        case Mul(Cast(ProducerLoad() as a), Cast(ProducerLoad() as b)) if _go_together(a, b):
            return a, b
    said = f"{stage.name} adds up {script(source)}, which is no product of two 8-bit or two 16-bit integers"
    return Refusal(said, f"write {_FORM}")


def _go_together(a: Expr, b: Expr) -> bool:
    return a.dtype.is_int and b.dtype.is_int and a.dtype.bits == b.dtype.bits and a.dtype.bits in (8, 16)


def _shape(stage: Stage, iv: IterVar, loads: tuple[ProducerLoad, ProducerLoad]) -> Refusal | None:
    """Of as many iterations as elements go into 32 bits, with nothing inside."""
    name, bits = stage.axis_name(iv), loads[0].dtype.bits
    size, n = const_int(stage.schedule.extents(stage)[iv]), 32 // bits
    if size != n:
        short = size is not None and size < n
        return Refusal(
            f"dot products of {bits}-bit integers take {n} at a time, and {name} has "
            f"{'an unknown number of' if size is None else size} iterations",
            f"take all {n} in one loop" if short else f"split {name} by {n} and mark the inner loop",
        )
    here = attached_at(stage, iv)
    if here:
        return Refusal(f"{here[0].name} is computed at loop {name}", f"compute {here[0].name} further out")
    inside = stage.leaf_iter_vars[stage.leaf_iter_vars.index(iv) + 1 :]
    if inside:
        names = ", ".join(stage.axis_name(x) for x in inside)
        return Refusal(
            f"{names} is inside of {name}, and a dot product is innermost", f"reorder({names}, {name})"
        )
    return None


def _neighbours(stage: Stage, iv: IterVar, loads: tuple[ProducerLoad, ProducerLoad]) -> Refusal | None:
    """Both factors are kept in memory, and read one after the other as the loop runs."""
    name = stage.axis_name(iv)
    for e in loads:
        if stage.schedule.stage_of(e.producer).is_inlined:
            return Refusal(
                f"{e.producer.name} is computed inline, and a dot product reads memory",
                f"s[{e.producer.name}].compute_root()",
            )
        if not _is_along(stage, iv, e):
            n, text = 32 // e.dtype.bits, script(e)
            return Refusal(
                f"the elements {text} are no neighbours in memory as {name} runs",
                f"pack {e.producer.name}: a stage P whose last index is k % {n} reads it, and {stage.name} reads P "
                f"at [..., k // {n}, ..., k % {n}]",
            )
    return None


def _is_along(stage: Stage, iv: IterVar, e: ProducerLoad) -> bool:
    """Whether the last index of `e`, and no other, grows by one with each iteration of `iv`."""
    analyzer, extents = Analyzer(), stage.schedule.extents(stage)
    for x in stage.leaf_iter_vars:
        analyzer.bind_extent(x.var, ops.const(0, x.dtype), extents[x])
    values: dict[IterVar, Expr] = {x: x.var for x in stage.leaf_iter_vars}
    index_up(stage.relations, values, extents, analyzer)
    roots = [*stage.op.axis, *stage.op.reduce_axis]
    starts = {r: stage.op.domain(r) for r in roots}
    at = at_axes({r.var: ops.add(dom.min, values[r]) for r, dom in starts.items() if dom is not None})
    *others, last = [analyzer.simplify(at.index(i)) for i in e.indices]
    linear = detect_linear(last, [iv.var])
    along = linear is not None and const_int(linear[0].get(iv.var, ops.const(0))) == 1
    return along and not any(uses(i, [iv.var]) for i in others)


def dot_loop(stage: Stage) -> IterVar | None:
    """The loop of `stage` that is marked as a dot product."""
    return next((m.axis for m in stage.marks_of("dot")), None)


@dot.invariant
def _innermost(stage: Stage) -> Refusal | None:
    iv = dot_loop(stage)
    if iv is None:
        return None
    if stage.leaf_iter_vars[-1] is iv:
        inlined = next((s for s in stage.reads() if s.is_inlined), None)
        return None if inlined is None else feeds_dot(inlined)
    return Refusal(
        f"loop {stage.axis_name(iv)} is marked dot, and a dot product is innermost", "reorder it last"
    )


def feeds_dot(stage: Stage) -> Refusal | None:
    """Why `stage` may not be computed inline: a dot product reads it from memory."""
    for reader in stage.readers():
        loads = factors(reader) if dot_loop(reader) is not None else None
        if isinstance(loads, tuple) and any(stage.schedule.stage_of(e.producer) is stage for e in loads):
            return Refusal(
                f"{reader.name} reads {stage.name} in a dot product, and so from memory",
                f"compute {stage.name} outside, or leave out dot",
            )
    return None


@dot.repairs
def _take_inside(at: Selection, args: Arguments) -> Iterator[Repair]:
    """As many iterations as it takes are split off, or the loop is put inside of all others."""
    yield from split_first(at, args, (4, 2))
    loop = args["axis"]
    inside = at.loops[at.loops.index(loop) + 1 :] if loop in at.loops else []
    yield Repair(Step("reorder", at.stage.name, {"axes": [*inside, loop]}))
