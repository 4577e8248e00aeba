"""compute_at, compute_inline and compute_root: where a stage is computed."""

from __future__ import annotations

from collections.abc import Iterator

from tewb.ir import AxisKind, ForKind, IterVar, Reduce
from tewb.schedule.declare import Arguments, Param, Refusal, Repair, Results, Selection, Values, primitive
from tewb.schedule.hybrid_loops import loops_to
from tewb.schedule.journal import Step
from tewb.schedule.primitives.dot import feeds_dot
from tewb.schedule.primitives.nontemporal import not_nontemporal
from tewb.schedule.questions import has_loops, misplaced_at, not_given, read_by, untouched
from tewb.schedule.recompute import recompute_factor
from tewb.schedule.stage import INLINE, At, Stage
from tewb.tensor import ComputeOp, ExternOp, PlaceholderOp, Tensor


def _parents(stage: Stage) -> list[str]:
    """Where a stage may be computed: its readers, and the stages that these are computed in."""
    names: dict[str, None] = {}
    pending = stage.readers()
    while pending:
        reader = pending.pop(0)
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

    for j: B[j] = ...                 for i: B[i] = ...
    for i: C[i] = f(B[i])      ->            C[i] = f(B[i])
    """
    stage.do("compute_at", parent=parent, axis=scope)


@compute_at.legal
def _at_refusal(stage: Stage, v: Values) -> Refusal | None:
    parent, axis = v["parent"], v["axis"]
    refused = not_given(stage, "compute_at") or not_nontemporal(stage, "compute it elsewhere")
    if refused:
        return refused
    if parent is stage:
        return Refusal("a stage cannot be computed inside of itself", "name a stage that reads it")
    if parent.is_placeholder:
        return Refusal(f"{parent.name} is an input", "compute it at a stage that reads it")
    refused = has_loops(parent)
    if refused:
        return refused
    if axis.kind is AxisKind.OPAQUE:
        return untouched(parent, axis)
    if stage not in parent.reads() and not _reads_through(parent, stage):
        return Refusal(f"{parent.name} does not read {stage.name}", read_by(stage))
    name = parent.axis_name(axis)
    if any(parent.loop_kind(iv) is ForKind.VECTORIZED for iv in loops_to(parent, axis)):
        return Refusal(f"loop {name} of {parent.name} is vectorized, and loops cannot become lanes")
    if parent.loop_kind(axis) is ForKind.DOT:
        return Refusal(
            f"loop {name} of {parent.name} is marked dot, and nothing but products is inside of it"
        )
    return misplaced_at(stage, At(parent, axis)) or _repeats(stage, At(parent, axis))


def _repeats(stage: Stage, place: At) -> Refusal | None:
    """A stateful extern may be computed in pieces, and not twice."""
    if not (isinstance(stage.op, ExternOp) and stage.op.effect == "stateful"):
        return None
    before = stage.attach
    stage.attach = place
    try:
        times = recompute_factor(stage)
    finally:
        stage.attach = before
    if times == 1:
        return None
    often = "an unknown number of times" if times is None else f"{times:.3g} times on average"
    return Refusal(
        f"extern {stage.name} is stateful, and would make each element {often} there",
        "compute it further out, or declare effect='idempotent'",
    )


def _reads_through(parent: Stage, stage: Stage) -> bool:
    """Whether some reader of `stage` is computed inside of `parent`, or inlined into it."""
    seen = set()
    pending = stage.readers()
    while pending:
        reader = pending.pop()
        if reader is parent:
            return True
        if reader not in seen:
            seen.add(reader)
            if reader.is_inlined:
                pending.extend(reader.readers())
            elif isinstance(reader.attach, At):
                pending.append(reader.attach.stage)
    return False


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
    if stage.is_inlined:
        return Refusal("it is computed inline already")
    if not isinstance(stage.op, ComputeOp):
        return Refusal(
            f"{stage.name} is not a compute: there is no expression to put elsewhere", "use compute_at"
        )
    if any(isinstance(e, Reduce) for e in stage.op.body):
        return Refusal("a reduction needs loops and cannot be inlined", "use compute_at")
    for reader in stage.readers():
        if not isinstance(reader.op, ComputeOp):
            return Refusal(
                f"{reader.name} reads {stage.name} from memory, so it cannot be inlined", "use compute_at"
            )
    for s in stage.schedule.stages:
        if isinstance(s.attach, At) and s.attach.stage is stage:
            return Refusal(f"{s.name} is computed inside of its loops", f"move {s.name} first")
    return feeds_dot(stage) or misplaced_at(stage, INLINE)


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
        return Refusal(f"{stage.name} is an input: its values are given, not computed")
    return misplaced_at(stage, None)


@compute_root.effect
def _compute_root(stage: Stage, v: Values, step: int) -> Results:
    stage.attach = None
    stage.place(step)
    return []
