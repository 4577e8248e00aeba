"""rfactor: a reduction in two stages, partial results and what combines them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tewb.arith import Analyzer
from tewb.base import thread_count
from tewb.ir import (
    AxisKind,
    Expr,
    IntImm,
    IterVar,
    ProducerLoad,
    Range,
    Reduce,
    Var,
    at_axes,
    const,
    const_int,
    ops,
    replace,
    substitute,
)
from tewb.schedule.declare import (
    AXIS,
    PRIMITIVES,
    Arguments,
    Param,
    Refusal,
    Results,
    Selection,
    Values,
    primitive,
)
from tewb.schedule.dependent_loops import dependent, reason
from tewb.schedule.journal import Step
from tewb.schedule.questions import at_once, attached_at, has_loops, not_inline, settled, trying
from tewb.schedule.relation import Relation, Singleton, Split, index_up, mixed_loops, with_guards
from tewb.schedule.schedule import Schedule
from tewb.schedule.stage import LoopList, Stage, split_loop
from tewb.tensor import ComputeOp, Tensor, check_accesses


@primitive(
    AXIS,
    Param("factor_axis", "int", "place of the new axis among those of the new stage", 0, rare=True),
    Param("parallel", "int", "how many parts the loop is cut into, which threads reduce at once", None),
    results="stage",
)
def rfactor(
    schedule: Schedule,
    tensor: Tensor,
    axis: IterVar | str,
    factor_axis: int = 0,
    parallel: int | bool | None = None,
) -> Any:
    """Reduce in two steps: a new stage makes a partial result for each iteration of the reduce loop `axis`,
    and `tensor` combines them. Float sums are added in another order.

        for i: for k.outer: for k.inner:              for k.inner: for i: for k.outer:
            C[i] += A[i, k.outer*4 + k.inner]   ->        C.rf[k.inner, i] += A[i, k.outer*4 + k.inner]
                                                      for i: for k.inner.v: C[i] += C.rf[k.inner.v, i]

    Other reduce axes are whole in the new stage, and come first. `factor_axis` is the place of the new axis among those of
    the new stage, counted from the end if it is negative. Returns the tensor of the new stage, or a tuple for a
    reduction of several values.

    With `parallel`, the loop is cut into so many parts that lie one behind the other, and threads reduce them at once: a
    `split` with `nparts`, an `rfactor` of the outer loop, which becomes the outermost one, and `parallel`, in one step.

        for i: for k in n:              for k.outer in parallel(2): for i: for k.inner in n // 2:
            C[i] += A[i, k]       ->        C.rf[k.outer, i] += A[i, k.outer*(n // 2) + k.inner]
                                        for i: for k.outer.v in 2: C[i] += C.rf[k.outer.v, i]

    True stands for the number of threads that run parallel loops now; the journal has the number. Float sums depend on the
    number of parts, and not on how many threads there are when the kernel runs, nor on which is first.
    """
    parts = thread_count() if parallel is True else None if parallel is False else parallel
    arguments = {"axis": axis, "factor_axis": factor_axis, "parallel": parts}
    return schedule.do("rfactor", schedule[tensor], arguments)


@rfactor.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
    """Why the loop `axis` of a reduction may not become an axis of partial results, or one of its parts."""
    parts = v.get("parallel")
    refused = _not_factored(stage, v) if parts is None else _not_a_reduction(stage, v["axis"])
    if refused or parts is None:
        return refused
    if parts < 1:
        return Refusal(f"parallel={parts} must be at least 1", "parallel=True: as many as there are threads")
    refused = settled(
        PRIMITIVES["split"].legal(stage, {"axis": v["axis"], "nparts": parts}), _loops_are_free(stage)
    )
    if refused and not refused.later:
        return refused
    with trying(stage):
        r = split_loop(stage, v["axis"], None, parts)
        stage.relations.append(r)
        stage.replace_leaves([r.parent], [r.outer, r.inner])
        return settled(_not_factored(stage, {**v, "axis": r.outer}), refused)


def _not_a_reduction(stage: Stage, axis: IterVar) -> Refusal | None:
    """Why there are no partial results of a loop."""
    op = stage.op
    refused = has_loops(stage) or at_once(not_inline(stage))
    if refused:
        return refused
    if not isinstance(op, ComputeOp) or not isinstance(op.body[0], Reduce):
        return Refusal(
            f"{stage.name} is not a reduction, so there are no partial results",
            "rfactor is for sums and the like",
        )
    if axis.kind is not AxisKind.REDUCE:
        loops = [stage.axis_name(iv) for iv in _reduce_loops(stage)]
        return Refusal(
            f"{stage.axis_name(axis)} is a {axis.kind.value} axis: its elements are whole results already",
            f"factor one of the reduce loops ({', '.join(loops)})",
            instead=tuple([Step("rfactor", stage.name, {"axis": loop}) for loop in loops]),
        )
    return None


def _not_factored(stage: Stage, v: Values) -> Refusal | None:
    """Why a loop may not become an axis of partial results as it is."""
    axis, position, rank = v["axis"], v["factor_axis"], len(stage.op.axis)
    refused = _not_a_reduction(stage, axis)
    if refused:
        return refused
    if not -rank - 1 <= position <= rank:
        return Refusal(
            f"the partial results have {rank + 1} axes, so there is no place {position} among them",
            f"factor_axis goes from {-rank - 1} to {rank}",
        )
    return _has_fixed_extent(stage, axis) or _loops_are_free(stage)


def _has_fixed_extent(stage: Stage, axis: IterVar) -> Refusal | None:
    """Partial results have an axis of their own, of one size for all elements."""
    root = next(
        (iv for iv in stage.op.reduce_axis if axis in stage.loops_of(iv) and dependent(stage, iv)), None
    )
    extent = stage.schedule.extents(stage)[axis]
    if root is None or const_int(extent) is not None:
        return None
    name = stage.axis_name(axis)
    return Refusal(
        f"how often {name} runs is not the same for all elements ({reason(stage, root)}), and partial results have "
        "an axis of one size",
        f"split {name} by a constant and factor the inner loop",
    )


def _loops_are_free(stage: Stage) -> Refusal | None:
    """The reduce loops move to another stage: nothing may hang on them."""
    mixed = next((iv for iv in _reduce_loops(stage) if iv in mixed_loops(stage.relations)), None)
    if mixed is not None:
        return Refusal(
            f"loop {stage.axis_name(mixed)} is over data and reduce axes at once, and cannot move to another stage",
            "call rfactor before fuse",
        )
    ahead = next(iter(stage.marks_of("prefetch")), None)
    if ahead is not None and ahead.axis is not None:
        return Refusal(
            f"loop {stage.axis_name(ahead.axis)} prefetches {ahead.values[0].name}, which the partial results will read",
            "call rfactor first",
        )
    for iv in _reduce_loops(stage):
        for m in stage.marks_on(iv):
            said = PRIMITIVES[m.primitive].mark_phrase(stage, m)
            return Refusal(
                f"reduce loop {stage.axis_name(iv)} {said}, and would move to another stage",
                f"call rfactor before {m.primitive}",
            )
    if stage.marks_of("double_buffer"):
        return Refusal("it is double buffered", "call rfactor before double_buffer")
    for iv in stage.leaf_iter_vars:
        here = attached_at(stage, iv)
        if here:
            return Refusal(
                f"{here[0].name} is computed at loop {stage.axis_name(iv)}, and the partial results will "
                "read it",
                f"call rfactor first, then compute {here[0].name} in the loops of the new stage",
                later=True,
            )
    return None


def _reduce_loops(stage: Stage) -> list[IterVar]:
    return [iv for iv in stage.leaf_iter_vars if iv.kind is AxisKind.REDUCE]


@rfactor.effect
def _effect(stage: Stage, v: Values, step: int) -> Results:
    axis, parts = v["axis"], v.get("parallel")
    if parts is None:
        return list(_factored_reduction(stage, axis, v["factor_axis"], step))
    axis, _ = PRIMITIVES["split"].effect(stage, {"axis": axis, "nparts": parts}, step)
    tensors = _factored_reduction(stage, axis, v["factor_axis"], step)
    partial = stage.schedule[tensors[0]]
    part = next(iv for iv in partial.op.axis if iv.var is axis.var)
    partial.leaf_iter_vars = LoopList([part, *(iv for iv in partial.leaf_iter_vars if iv is not part)])
    PRIMITIVES["parallel"].effect(partial, {"axis": part}, step)
    return list(tensors)


@rfactor.suggest
def _suggest(at: Selection) -> Iterator[Arguments]:
    yield {"axis": at.loop, "factor_axis": 0}
    iv = at.stage.find_axis(at.loop)
    if iv is not None and iv.kind is AxisKind.REDUCE:
        yield {"axis": at.loop, "factor_axis": 0, "parallel": thread_count()}


def _factored_reduction(stage: Stage, axis: IterVar, position: int, step: int) -> tuple[Tensor, ...]:
    """Move the reduction of `stage` into a new stage that has the reduce loop `axis` as an axis of its own, at
    `position` among the others, and let `stage` combine its elements. Returns the new tensors.

    The loops over the data axes of `stage` stay as they are.
    """
    schedule, op = stage.schedule, stage.op
    assert isinstance(op, ComputeOp)
    place = position if position >= 0 else position + len(op.axis) + 1
    partial = _partial_results(stage, op, axis, place)
    inserted = Stage(schedule, partial, schedule.unique_name(partial.name))
    inserted.place(step)
    inserted.attach, inserted.group = stage.own_place, stage.group  # it reads what may exist there only
    schedule.insert(inserted, schedule.stages.index(stage))
    combined, lane = _combination(stage, op, partial, axis, place)
    _combine_instead(stage, combined, lane, axis, step)
    return partial.outputs


def _partial_results(stage: Stage, op: ComputeOp, axis: IterVar, place: int) -> ComputeOp:
    """The operation with `axis` as a data axis, which reduces over the other reduce loops."""
    whole = op.body[0]
    assert isinstance(whole, Reduce)
    extents = stage.schedule.extents(stage)

    def like(iv: IterVar, kind: AxisKind) -> IterVar:
        """An axis for a loop of this stage, with its variable; a reduce axis that is whole moves itself."""
        if kind is AxisKind.REDUCE and any(iv is own for own in op.reduce_axis) and not op.domains:
            return iv
        return IterVar(Range(const(0, iv.dtype), extents[iv]), iv.var, kind)

    data = [IterVar(iv.dom, Var(iv.name, iv.dtype), AxisKind.DATA) for iv in op.axis]
    factored = like(axis, AxisKind.DATA)
    whole_axes = _axes_apart(stage, op, axis)
    relations, parts = _without(stage, whole_axes)
    loops = [*whole_axes, *(iv for iv in _reduce_loops(stage) if iv is not axis and iv not in parts)]
    left = {iv: like(iv, AxisKind.REDUCE) for iv in loops}
    values: dict[IterVar, Expr] = {iv: new.var for iv, new in ((axis, factored), *left.items())}
    # A guard stands where a split does not divide: an iteration too many must not be combined.
    guards = index_up(with_guards(relations), values, extents, Analyzer())
    names: dict[Var, Expr] = {old.var: new.var for old, new in zip(op.axis, data, strict=True)}
    for iv in op.reduce_axis:
        if left.get(iv) is iv:
            continue  # it begins where it did: the others count from 0
        dom = op.domain(iv)
        assert dom is not None
        names[iv.var] = at_axes(dict(names)).index(ops.add(dom.min, values[iv]))
    at = at_axes(names)
    if op.domains:  # the loops that are left depend on the axes of the new stage
        for new in left.values():
            assert new.dom is not None
            new.dom = Range(new.dom.min, substitute(new.dom.extent, names))
    condition = at(whole.condition)
    for _, g in guards:
        condition = ops.logical_and(ops.likely(at.index(g)), condition)
    source = tuple(at(e) for e in whole.source)
    body = _bodies(
        replace(whole, combiner=whole.combiner.map_children(at)), source, tuple(left.values()), condition
    )
    partial = ComputeOp(f"{op.name}.rf", (*data[:place], factored, *data[place:]), body, op.tag, check=False)
    partial.span = op.span
    if op.unproved:
        partial.unproved = check_accesses(partial, refuse=False)
    return partial


def _axes_apart(stage: Stage, op: ComputeOp, axis: IterVar) -> list[IterVar]:
    """The reduce axes that have no loop in common with the one that `axis` is of. They are whole in the new stage, and
    come first. (Where ranges depend on other axes, the order of the loops stays.)"""
    if op.domains:
        return []
    touched, apart = {axis}, list(op.reduce_axis)
    while True:
        near = [iv for iv in apart if not touched.isdisjoint(stage.loops_of(iv))]
        if not near:
            return apart
        touched.update(x for iv in near for x in stage.loops_of(iv))
        apart = [iv for iv in apart if not any(iv is x for x in near)]


def _without(stage: Stage, axes: Sequence[IterVar]) -> tuple[list[Relation], set[IterVar]]:
    """The relations among reduce loops that are not of `axes`, and all that `axes` became."""
    parts = set(axes)
    others: list[Relation] = []
    for r in stage.relations:
        if not _is_reduce(r) or isinstance(r, Singleton):
            continue
        if (r.parent if isinstance(r, Split) else r.outer) in parts:
            parts.update((r.outer, r.inner) if isinstance(r, Split) else (r.fused,))
        else:
            others.append(r)
    return others, parts


def _bodies(
    whole: Reduce, source: tuple[Expr, ...], axes: tuple[IterVar, ...], condition: Expr
) -> tuple[Expr, ...]:
    if axes:
        return tuple(
            Reduce(whole.combiner, source, axes, condition, i, (), e.dtype) for i, e in enumerate(source)
        )
    if ops.is_const(condition, 1):
        return source
    identity = whole.combiner.identity
    return tuple(ops.if_then_else(condition, e, start) for e, start in zip(source, identity, strict=True))


def _is_reduce(r: Relation) -> bool:
    if isinstance(r, Singleton):
        return False
    return (r.parent if isinstance(r, Split) else r.outer).kind is AxisKind.REDUCE


def _combination(
    stage: Stage, op: ComputeOp, partial: ComputeOp, axis: IterVar, place: int
) -> tuple[ComputeOp, IterVar]:
    """The operation that combines the partial results, and the reduce axis it does that over."""
    whole = op.body[0]
    assert isinstance(whole, Reduce)
    dom = partial.axis[place].dom
    lane = IterVar(dom, Var(f"{stage.axis_name(axis)}.v", axis.dtype), AxisKind.REDUCE)
    at = tuple(iv.var for iv in (*op.axis[:place], lane, *op.axis[place:]))
    source = tuple(ProducerLoad(t, at, t.dtype) for t in partial.outputs)
    always = IntImm(1, whole.condition.dtype)
    body = tuple(
        replace(whole, source=source, axes=(lane,), condition=always, index=i, dtype=e.dtype)
        for i, e in enumerate(op.body)
    )
    combined = ComputeOp(op.name, op.axis, body, "", check=False)
    combined.attrs, combined.span = op.attrs, op.span
    if op.unproved:  # what the reduction starts with is read here
        combined.unproved = check_accesses(combined, refuse=False)
    return combined, lane


def _combine_instead(stage: Stage, op: ComputeOp, lane: IterVar, axis: IterVar, step: int) -> None:
    """Let `stage` compute `op`, with one reduce loop where the first of its reduce loops was."""
    loops = _reduce_loops(stage)
    shapers = sorted({i for iv in loops for i in stage.shaped_by.get(iv, ())})
    leaves: list[Any] = [lane if iv is loops[0] else iv for iv in stage.leaf_iter_vars]
    stage.leaf_iter_vars = LoopList([iv for iv in leaves if iv is lane or iv.kind is not AxisKind.REDUCE])
    stage.relations = [r for r in stage.relations if not _is_reduce(r)]
    for iv in [iv for iv in stage.all_iter_vars if iv.kind is AxisKind.REDUCE]:
        stage.forget(iv)
    stage.register(lane, step)
    stage.shape(lane, *shapers)
    stage.schedule.swap_op(stage, op)
