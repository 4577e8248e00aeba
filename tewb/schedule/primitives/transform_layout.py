"""transform_layout: the elements of a tensor in another order in memory, and its loops in that order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from tewb.ir import AxisKind, Expr, IterVar, ProducerLoad, Range, at_axes, const, ops
from tewb.schedule.declare import Arguments, Param, Refusal, Results, Selection, Values, primitive
from tewb.schedule.index_map import IndexMap, Inverse, NotInvertible, counts_in, inverse, read_map
from tewb.schedule.journal import Step
from tewb.schedule.loop_layout import guarded, guarded_bodies
from tewb.schedule.questions import attached_at, settled
from tewb.schedule.scans import scan_of
from tewb.schedule.stage import LoopList, Mark, Stage
from tewb.tensor import ComputeOp, PlaceholderOp, Tensor, TensorComputeOp, check_accesses

if TYPE_CHECKING:
    from tewb.schedule.code import Names


def _layouts(stage: Stage) -> list[str]:
    """The dimensions the other way round, and the last one cut in two."""
    names = "ijklmnpq"[: len(_shape(stage))]
    listed, (*others, last) = ", ".join(names), [*names] or ["i"]
    cut = ", ".join([*others, f"{last} // 4", f"{last} % 4"])
    return [f"lambda {listed}: [{', '.join(reversed(names))}]", f"lambda {listed}: [{cut}]"] if names else []


@primitive(
    Param(
        "mapping_function",
        "layout",
        "the indices in memory, of those of the tensor",
        choices=_layouts,
        code="{}",
    ),
    results="axis",
)
def transform_layout(
    stage: Stage, mapping_function: Callable[..., Sequence[Expr | int]] | str
) -> list[IterVar] | None:
    """Keep element X[indices] at X'[mapping_function(*indices)] in memory.

        for i in n: for j in m:                       for axis0 in m: for axis1 in n // 4: for axis2 in 4:
            X[i, j] = f(i, j)                    ->       X'[axis0, axis1, axis2] = f(axis1*4 + axis2, axis0)
        Y[...] = X[i, j]         (lambda i, j:        Y[...] = X'[j, i // 4, i % 4]
                                  [j, i // 4, i % 4])

    The function is made of `+ - * // %` and can be turned round. Loops run over the new indices, in their order, and
    are returned; an input has none, and gives None. Where factors do not divide, some places hold no element. Arrays
    for inputs and outputs have the new shape. `te.AXIS_SEPARATOR` between indices is kept, and memory has one dimension.
    """
    made = stage.do("transform_layout", mapping_function=mapping_function)
    if not isinstance(stage.op, ComputeOp):
        return None
    return list(made) if isinstance(made, tuple) else [] if made is None else [made]


@transform_layout.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
    return (
        _has_memory(stage)
        or _read_by_indices(stage)
        or _loops_as_axes(stage)
        or settled(_not_invertible(stage, v), _for_the_workbench(stage))
    )


def _has_memory(stage: Stage) -> Refusal | None:
    if isinstance(stage.op, TensorComputeOp) or not isinstance(stage.op, ComputeOp | PlaceholderOp):
        return Refusal(
            f"{stage.name} is not a compute, and its code knows one layout",
            f"copy it, and lay out the copy: s.cache_read({stage.name}, ...)",
        )
    scan = scan_of(stage)
    if scan is not None:
        return Refusal(
            f"{stage.name} is a part of scan {scan.name}, whose memory it is computed into",
            f"copy {scan.name} for its readers, and lay out the copy",
        )
    if not _shape(stage):
        return Refusal(
            f"{stage.name} has one element, and no indices", "lay out a tensor that has dimensions"
        )
    return None


def _read_by_indices(stage: Stage) -> Refusal | None:
    """Readers find elements at their new places."""
    for reader in stage.readers():
        op = reader.op
        if not isinstance(op, ComputeOp) or isinstance(op, TensorComputeOp):
            return Refusal(
                f"{reader.name} reads {stage.name}, and its code knows one layout",
                f"copy it for {reader.name} first: s.cache_read({stage.name}, ..., [{reader.name}])",
            )
        if any(stage.schedule.stage_of(load.producer) is stage for load, _, _ in op.unproved):
            return Refusal(
                f"{reader.name} reads {stage.name} at indices that are checked when it runs",
                f"copy it for {reader.name} first: s.cache_read({stage.name}, ..., [{reader.name}])",
            )
    return None


def _loops_as_axes(stage: Stage) -> Refusal | None:
    """The loops over data are those of the axes, side by side, and nothing is said of them."""
    axes = LoopList([*stage.op.axis])
    if not axes:
        return None
    at = [n for n, iv in enumerate(stage.leaf_iter_vars) if iv in axes]
    if not at or not axes.same_as(stage.leaf_iter_vars[at[0] : at[0] + len(axes)]):
        return Refusal(
            "its loops over data are split, fused or reordered already", "call transform_layout before that"
        )
    marked = next((iv for iv in axes if stage.marks_on(iv)), None)
    if marked is not None:
        mark = stage.marks_on(marked)[0].primitive
        return Refusal(
            f"loop {stage.axis_name(marked)} is marked {mark}, and will be another one",
            f"call transform_layout before {mark}",
        )
    here = next((s for iv in axes for s in attached_at(stage, iv)), None)
    if here is not None:
        return Refusal(
            f"{here.name} is computed at a loop that will be another one",
            f"call transform_layout first, then compute {here.name} in the new loops",
        )
    return None


def _not_invertible(stage: Stage, v: Values) -> Refusal | None:
    try:
        _inverse(stage, v["mapping_function"])
    except NotInvertible as e:
        return Refusal(
            f"{v['mapping_function']} cannot be turned round: {e}",
            "every index is told by its parts, as i by [i // 4, i % 4]",
        )
    return None


def _for_the_workbench(stage: Stage) -> Refusal | None:
    """Programs give arguments in their new layout; the workbench compares with the definition, in its layout."""
    if not (stage.is_placeholder or stage.is_output):
        return None
    kind = "an input" if stage.is_placeholder else "an output"
    copy = "cache_read" if stage.is_placeholder else "cache_write"
    return Refusal(
        f"{stage.name} is {kind}: its arrays would have another layout than the definition says",
        f"lay out a copy: s.{copy}({stage.name}, ...)",
        later=True,
        in_doubt=False,
        instead=(Step(copy, stage.name, {"scope": "global"}),),
    )


@transform_layout.effect
def _effect(stage: Stage, v: Values, step: int) -> Results:
    text, op, schedule = v["mapping_function"], stage.op, stage.schedule
    once = schedule.result_cache.once
    m, new = once(("layout", id(op), text, step), (op,), lambda: _laid_out(stage, text))
    readers = [s for s in schedule.stages if stage in s.reads()]
    old = {t for t in (t for s in readers for t in s.op.inputs) if schedule.stage_of(t) is stage}
    schedule.swap_op(stage, new)
    for reader in readers:
        own = reader.op
        assert isinstance(own, ComputeOp)
        reading = once(("read", id(own), id(new)), (own, new), partial(_reading, own, old, new, m))
        schedule.swap_op(reader, reading)
    stage.mark("transform_layout", None, text)
    stage.place(step)
    return _take_loops(stage, op.axis, new.axis, step)


def _take_loops(stage: Stage, old: Sequence[IterVar], new: Sequence[IterVar], step: int) -> Results:
    """Put the loops of the new axes where those of the old ones were."""
    if not old:
        return []
    stage.replace_leaves([*old], [*new])
    shaped = [n for iv in old for n in stage.shaped_by.get(iv, ())]
    for iv in old:
        stage.forget(iv)
    for iv in new:
        stage.register(iv, step)
        stage.shape(iv, *shaped)
    return list(new)


def _shape(stage: Stage) -> tuple[Expr, ...]:
    return stage.op.output(0).shape


def _map(stage: Stage, text: str) -> IndexMap:
    shape = _shape(stage)
    sizes = {v.name: v for v in stage.schedule.size_vars()}
    return read_map(text, len(shape), sizes, counts_in(shape))


def _inverse(stage: Stage, text: str) -> tuple[IndexMap, Inverse]:
    m = _map(stage, text)
    return m, inverse(m, _shape(stage), stage.schedule.size_vars())


def _laid_out(stage: Stage, text: str) -> tuple[IndexMap, PlaceholderOp | ComputeOp]:
    """The operation of `stage` in another layout."""
    m, back = _inverse(stage, text)
    op = stage.op
    if isinstance(op, PlaceholderOp):
        new: Any = PlaceholderOp(op.name, [back.extents] * len(op.outputs), [t.dtype for t in op.outputs])
    else:
        assert isinstance(op, ComputeOp)
        new = _computed(op, back)
    new.attrs, new.span = op.attrs, op.span
    return m, new


def _computed(op: ComputeOp, back: Inverse) -> ComputeOp:
    axis = tuple(
        IterVar(Range(const(0, n.dtype), n), v, AxisKind.DATA)
        for v, n in zip(back.axes, back.extents, strict=True)
    )
    at = at_axes({iv.var: e for iv, e in zip(op.axis, back.values, strict=True)})
    guard = ops.all_of(*[ops.likely(g) for g in back.guards]) if back.guards else None
    domains = op.mapped_domains(lambda e: guarded(guard, at.index(e), const(0, e.dtype)))
    new = ComputeOp(op.name, axis, guarded_bodies(op, at, guard), op.tag, False, domains)
    if op.unproved:
        new.unproved = check_accesses(new, refuse=False)
    return new


def _reading(op: ComputeOp, old: set[Tensor], new: PlaceholderOp | ComputeOp, m: IndexMap) -> ComputeOp:
    """An operation that finds the elements of `old` at their new places, where they are known to be inside."""

    def read(n: ProducerLoad) -> Expr:
        if n.producer not in old:
            return n
        return ProducerLoad(new.output(n.producer.value_index), m.at(n.indices), n.dtype)

    rewrite = op.with_reads(read)
    body, domains = tuple(rewrite(e) for e in op.body), op.mapped_domains(rewrite)
    reading = ComputeOp(op.name, op.axis, body, op.tag, False, domains, op.first_step)
    if op.unproved:
        checked = check_accesses(reading, refuse=False)
        reading.unproved = tuple(a for a in checked if a[0].producer.op is not new)
    reading.attrs, reading.span = op.attrs, op.span
    return reading


@transform_layout.suggest
def _suggest(at: Selection) -> Iterator[Arguments]:
    yield from ({"mapping_function": text} for text in _layouts(at.stage))


@transform_layout.code
def _code(step: Step, names: Names) -> str:
    """The loops come in a list, also one."""
    call = f"s[{names.stage(step.stage)}].transform_layout({step.args['mapping_function']})"
    return f"{call}[0]" if len(step.results) == 1 else call


@transform_layout.mark_text
def _text(stage: Stage, mark: Mark) -> str:
    return f"laid out by {mark.values[0]}"
