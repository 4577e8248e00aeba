"""create_group, group_at and group_root: stages that are computed in one place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tewb.base import unique_name
from tewb.ir import IterVar
from tewb.schedule.declare import Arguments, Param, Refusal, Results, Selection, Values, primitive
from tewb.schedule.journal import Step
from tewb.schedule.questions import for_now, misplaced, no_loop_for_others, placed
from tewb.schedule.schedule import Schedule
from tewb.schedule.stage import At, Stage, StageGroup, flat, groups_around
from tewb.tensor import Tensor

if TYPE_CHECKING:
    from tewb.schedule.code import Names


def _producers(stage: Stage) -> list[str]:
    return [s.name for s in stage.reads()]


def _stages(stage: Stage) -> list[str]:
    return [s.name for s in stage.schedule.stages if not s.is_placeholder]


@primitive(
    Param("inputs", "stages", "what the stages read from outside", choices=_producers),
    Param("others", "stages", "more outputs of the group", (), choices=_stages),
    Param("include_inputs", "int", "1 if the inputs belong to it too", 0, rare=True),
)
def create_group(
    schedule: Schedule,
    outputs: Tensor | Iterable[Tensor],
    inputs: Tensor | Iterable[Tensor],
    include_inputs: bool = False,
) -> StageGroup:
    """Make a group of the stages on the way from `inputs` to `outputs`. What has no place of its own is computed
    where its group is.

        for j: B[j] = ...                             for i:
        for j: C[j] = g(B[j])                ->           B[i] = ...
        for i: D[i] = f(C[i])                             C[i] = g(B[i])
                                                          D[i] = f(C[i])

        group = s.create_group(C, A);  group.compute_at(s[D], i)

    Groups may be nested: all stages of an inner one belong to the outer one. Returns the group.
    """
    first, *others = flat([outputs])
    arguments = {"inputs": flat([inputs]), "others": others, "include_inputs": int(include_inputs)}
    schedule.do("create_group", schedule[first], arguments)
    return schedule.groups[-1]


@create_group.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
    if v["include_inputs"] not in (0, 1):
        return Refusal(f"include_inputs={v['include_inputs']} is neither 0 nor 1")
    members = _between([stage, *v["others"]], v["inputs"], bool(v["include_inputs"]))
    if not members:
        given = ", ".join(s.name for s in v["inputs"]) or "no inputs"
        return Refusal(f"no stage is on the way from {given} to {stage.name}", "name what the group reads")
    around = _group_around(members)
    for inner in dict.fromkeys(g for m in members if (g := _right_inside(m, around)) is not None):
        left_out = next((s for s in inner.members if s not in members), None)
        if left_out is not None:
            return Refusal(
                f"{inner.name} would be in it, but {left_out.name} of {inner.name} would not",
                f"take {left_out.name} in, or leave all of {inner.name} out",
            )
    return None


def _between(outputs: list[Stage], inputs: list[Stage], include_inputs: bool) -> list[Stage]:
    """The stages on the way from `inputs` to `outputs`, in the order of computation."""
    reach = set(inputs)
    for s in outputs[0].schedule.stages:  # each after those that it reads
        if any(x in reach for x in s.reads()):
            reach.add(s)
    needed: set[Stage] = set()
    pending = list(outputs)
    while pending:
        s = pending.pop()
        if s in reach and s not in needed:
            needed.add(s)
            pending += [] if s in inputs else s.reads()
    left = needed if include_inputs else needed - set(inputs)
    return [s for s in outputs[0].schedule.stages if s in left and not s.is_placeholder]


def _group_around(members: list[Stage]) -> StageGroup | None:
    """The innermost group that all of them are in."""
    first, *others = [groups_around(m) for m in members]
    return next((g for g in first if all(g in o for o in others)), None)


def _right_inside(stage: Stage, around: StageGroup | None) -> StageGroup | None:
    """The outermost group of `stage` inside of the group `around`."""
    groups = groups_around(stage)
    inner = groups[: groups.index(around)] if around is not None else groups
    return inner[-1] if inner else None


@create_group.effect
def _effect(stage: Stage, v: Values, step: int) -> Results:
    schedule = stage.schedule
    members = _between([stage, *v["others"]], v["inputs"], bool(v["include_inputs"]))
    taken = {g.name for g in schedule.groups}
    group = StageGroup(schedule, unique_name("group", taken.__contains__), stage)
    group.group = _group_around(members)
    for s in members:
        inner = _right_inside(s, group.group)
        if inner is None:
            s.group = group
        elif inner is not group:
            inner.group = group
        s.shape(None, step)
    schedule.groups.append(group)
    return []


@create_group.suggest
def _suggest(at: Selection) -> Iterator[Arguments]:
    yield {"inputs": _producers(at.stage)}


@create_group.code
def _code(step: Step, names: Names) -> str:
    outputs, inputs = (
        ", ".join(map(names.stage, listed))
        for listed in ([step.stage, *step.args.get("others", ())], step.args["inputs"])
    )
    more = ", include_inputs=True" if step.args.get("include_inputs") else ""
    return f"s.create_group([{outputs}], [{inputs}]{more})"


# ---------------------------------------------------------------- where a group is


def _groups(stage: Stage) -> list[str]:
    return [g.name for g in stage.schedule.groups if g.stage is stage]


def _find(stage: Stage, name: str) -> StageGroup | Refusal:
    group = next((g for g in stage.schedule.groups if g.name == name), None)
    if group is not None:
        return group
    names = ", ".join(g.name for g in stage.schedule.groups)
    hint = f"there are {names}" if names else "group = s.create_group(outputs, inputs)"
    return Refusal(f"there is no group {name}", hint)


def _readers(stage: Stage) -> list[str]:
    return [s.name for s in stage.readers() if not s.is_inlined]


@primitive(
    Param("group", "word", "a group of stages", choices=_groups),
    Param("parent", "stage", "the stage to compute it in", choices=_readers, code="s[{}]"),
    Param("axis", "place", "a loop of that stage"),
    is_place=True,
)
def group_at(stage: Stage, group: str, parent: Stage | Tensor, axis: IterVar | str) -> None:
    """Compute the stages of a group inside loop `axis` of stage `parent`: what `group.compute_at` does.

    for i: B;  for i: C;  for i: D    ->    for i: B, C, D
    """
    stage.do("group_at", group=group, parent=parent, axis=axis)


@group_at.legal
def _at_refusal(stage: Stage, v: Values) -> Refusal | None:
    group, parent, axis = _find(stage, v["group"]), v["parent"], v["axis"]
    if isinstance(group, Refusal):
        return group
    output = next((s for s in group.members if s.is_output), None)
    if output is not None:
        return Refusal(f"{output.name} of {group.name} is an output, and outputs are computed at the root")
    if parent in group.members:
        return Refusal(f"{parent.name} belongs to {group.name}, which cannot be computed inside of itself")
    return no_loop_for_others(parent, axis) or _misplaced(group, At(parent, axis))


def _misplaced(group: StageGroup, place: At | None) -> Refusal | None:
    """Why the places of all stages would not fit together, for now, with the group at `place`."""
    with placed(group, place):
        return for_now(misplaced(group.schedule))


@group_at.effect
def _group_at(stage: Stage, v: Values, step: int) -> Results:
    return _place(stage, v["group"], At(v["parent"], v["axis"]), step)


@primitive(Param("group", "word", "a group of stages", choices=_groups), is_place=True)
def group_root(stage: Stage, group: str) -> None:
    """Compute the stages of a group at the root, or where the group around it is: what `group.compute_root` does.

    for i: B, C, D    ->    for i: B;  for i: C;  for i: D
    """
    stage.do("group_root", group=group)


@group_root.legal
def _root_refusal(stage: Stage, v: Values) -> Refusal | None:
    group = _find(stage, v["group"])
    return group if isinstance(group, Refusal) else _misplaced(group, None)


@group_root.effect
def _group_root(stage: Stage, v: Values, step: int) -> Results:
    return _place(stage, v["group"], None, step)


def _place(stage: Stage, name: str, place: At | None, step: int) -> Results:
    group = _find(stage, name)
    assert isinstance(group, StageGroup)
    group.own_place = place
    for s in group.members:
        if s.own_place is None:
            s.place(step)
    return []
