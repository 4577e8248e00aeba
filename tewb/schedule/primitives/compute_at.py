"""compute_at, compute_inline and compute_root: where a stage is computed."""

from __future__ import annotations

from collections.abc import Iterator

from tewb.ir import IterVar
from tewb.schedule.declare import (
    Arguments,
    Param,
    Refusal,
    Repair,
    Results,
    Selection,
    Values,
    in_a_reader,
    not_computed,
    primitive,
)
from tewb.schedule.journal import Step
from tewb.schedule.primitives.dot import feeds_dot
from tewb.schedule.primitives.nontemporal import not_nontemporal
from tewb.schedule.questions import (
    for_now,
    misplaced_at,
    no_expression,
    no_other_loop,
    not_given,
    placed,
    read_by,
    reads_through,
    settled,
)
from tewb.schedule.recompute import repeated
from tewb.schedule.stage import INLINE, At, Stage
from tewb.tensor import ComputeOp, PlaceholderOp, Tensor


def _parents(stage: Stage) -> list[str]:
    """Where a stage may be computed: its readers, and the stages that these are computed in."""
    names: dict[str, None] = {}
    pending = stage.readers()
    while pending:
        reader = pending.pop(0)
        if reader is stage or reader.name in names:
            continue
        if reader.is_inlined:
            pending.extend(reader.readers())
            continue
        names[reader.name] = None
        if isinstance(reader.attach, At):
            pending.append(reader.attach.stage)
    return list(names)


@primitive(
    Param("parent", "stage", "the stage to compute this one in", choices=_parents, code="s[{}]"),
    Param("axis", "place", "a loop of that stage"),
    is_place=True,
)
def compute_at(stage: Stage, parent: Stage | Tensor, scope: IterVar | str) -> None:
    """Compute this stage inside loop `scope` of stage `parent`, just the part that is needed there.

    Of what is read in steps, as `B[i*5]`, that is only the elements that are read.

    for j: B[j] = ...                 for i: B[i] = ...
    for i: C[i] = f(B[i])      ->            C[i] = f(B[i])
    """
    stage.do("compute_at", parent=parent, axis=scope)


@compute_at.legal
def _at_refusal(stage: Stage, v: Values) -> Refusal | None:
    parent, axis = v["parent"], v["axis"]
    of_itself = Refusal("a stage cannot be computed inside of itself", "name a stage that reads it")
    refused = (
        not_given(stage, "compute_at")
        or not_nontemporal(stage, "compute it elsewhere")
        or no_other_loop(stage, parent, axis, of_itself)
    )
    if refused:
        return refused
    if stage not in parent.reads() and not reads_through(parent, stage):
        return Refusal(f"{parent.name} does not read {stage.name}", read_by(stage), later=True)
    return misplaced_at(stage, At(parent, axis)) or _repeats(stage, At(parent, axis))


def _repeats(stage: Stage, place: At) -> Refusal | None:
    """A stateful extern may be computed in pieces, and not twice."""
    with placed(stage, place):
        return for_now(repeated(stage))


@compute_at.effect
def _compute_at(stage: Stage, v: Values, step: int) -> Results:
    stage.attach = At(v["parent"], v["axis"])
    stage.place(step)
    return []


@compute_at.suggest
def _suggest(at: Selection) -> Iterator[Arguments]:
    parents = _parents(at.stage)
    for name in parents:
        parent = at.stage.schedule[name]
        yield from ({"parent": name, "axis": parent.axis_name(iv)} for iv in parent.leaf_iter_vars)
    if not parents:
        yield {"parent": at.stage.name, "axis": at.loop}


@compute_at.repairs
def _take_readers_along(at: Selection, args: Arguments) -> Iterator[Repair]:
    for reader in at.stage.readers():
        if reader.name != args["parent"]:
            yield Repair(Step("compute_at", reader.name, dict(args)))
            yield Repair(Step("compute_inline", reader.name))


@primitive(is_place=True)
def compute_inline(stage: Stage) -> None:
    """Put the expression of this stage where its elements are read; it gets no loops and no memory.

    B[j] = g(j);  C[i] = f(B[i])    ->    C[i] = f(g(i))
    """
    stage.do("compute_inline")


@compute_inline.legal
def _inline_refusal(stage: Stage, v: Values) -> Refusal | None:
    refused = not_given(stage, "inline") or not_nontemporal(stage, "inline it")
    if refused:
        return refused
    if not isinstance(stage.op, ComputeOp):
        return Refusal(
            f"{stage.name} is not a compute: there is no expression to put elsewhere",
            "use compute_at",
            instead=in_a_reader(stage),
        )
    if stage.is_inlined:
        return Refusal("it is computed inline already", "once is enough", later=True, in_doubt=False)
    for s in stage.schedule.stages:
        if isinstance(s.attach, At) and s.attach.stage is stage:
            return Refusal(f"{s.name} is computed inside of its loops", f"move {s.name} first", later=True)
    return settled(misplaced_at(stage, INLINE), for_now(no_expression(stage) or feeds_dot(stage)))


@compute_inline.effect
def _compute_inline(stage: Stage, v: Values, step: int) -> Results:
    stage.attach = INLINE
    stage.place(step)
    return []


@primitive(is_place=True)
def compute_root(stage: Stage) -> None:
    """Compute this stage before everything that reads it, in loops of its own."""
    stage.do("compute_root")


@compute_root.legal
def _root_refusal(stage: Stage, v: Values) -> Refusal | None:
    if isinstance(stage.op, PlaceholderOp):
        return not_computed(stage)
    return misplaced_at(stage, None)


@compute_root.effect
def _compute_root(stage: Stage, v: Values, step: int) -> Results:
    stage.attach = None
    stage.place(step)
    return []
