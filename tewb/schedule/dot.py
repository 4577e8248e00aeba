"""Why a loop may not be marked as a dot product, and what such a loop asks of the loops around it."""

from __future__ import annotations

from tewb.arith import Analyzer, detect_linear
from tewb.ir import (
    Add,
    AxisKind,
    Cast,
    Expr,
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
from tewb.schedule.allowed import attached_at, has_loops, unmarked
from tewb.schedule.primitive import Refusal, Values
from tewb.schedule.relation import index_up
from tewb.schedule.stage import Loops, Stage
from tewb.tensor import ComputeOp

_FORM = 'te.sum(A[i, k].astype("int32") * B[k, j].astype("int32"), axis=k)'


def dot(stage: Stage, v: Values) -> Refusal | None:
    iv = v["axis"]
    refused = has_loops(stage) or unmarked(stage, iv) or _adds_up(stage, iv)
    if refused:
        return refused
    found = factors(stage)
    return found if isinstance(found, Refusal) else _shape(stage, iv, found) or _neighbours(stage, iv, found)


def _adds_up(stage: Stage, iv: IterVar) -> Refusal | None:
    if iv.kind is AxisKind.REDUCE:
        return None
    sums = [stage.axis_name(x) for x in stage.leaf_iter_vars if x.kind is AxisKind.REDUCE]
    said = f"mark a reduce axis ({', '.join(sums)})" if sums else f"dot products are {_FORM}"
    return Refusal(f"{stage.axis_name(iv)} is no reduce axis, and a dot product adds up over one", said)


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


def _shape(stage: Stage, iv: IterVar, found: tuple[ProducerLoad, ProducerLoad]) -> Refusal | None:
    """Of as many iterations as elements go into 32 bits, with nothing inside."""
    name, bits = stage.axis_name(iv), found[0].dtype.bits
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


def _neighbours(stage: Stage, iv: IterVar, found: tuple[ProducerLoad, ProducerLoad]) -> Refusal | None:
    """Both factors are kept in memory, and read one after the other as the loop runs."""
    name = stage.axis_name(iv)
    for e in found:
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
    found = detect_linear(last, [iv.var])
    along = found is not None and const_int(found[0].get(iv.var, ops.const(0))) == 1
    return along and not any(uses(i, [iv.var]) for i in others)


def dot_loop(stage: Stage) -> IterVar | None:
    """The loop of `stage` that is marked as a dot product."""
    return next((iv for iv, kind in stage.annotations.items() if kind == "dot"), None)


def keeps_dot_innermost(stage: Stage, leaves: Loops) -> Refusal | None:
    """Why the loops may not stand in the order `leaves`: what is marked as a dot product is innermost."""
    iv = dot_loop(stage)
    if iv is None or leaves[-1] is iv:
        return None
    return Refusal(
        f"loop {stage.axis_name(iv)} is marked dot, and a dot product is innermost", "reorder it last"
    )


def feeds_dot(stage: Stage) -> Refusal | None:
    """Why `stage` may not be computed inline: a dot product reads it from memory."""
    for reader in stage.readers():
        found = factors(reader) if dot_loop(reader) is not None else None
        if isinstance(found, tuple) and any(stage.schedule.stage_of(e.producer) is stage for e in found):
            return Refusal(f"{reader.name} reads {stage.name} in a dot product, and so from memory")
    return None
