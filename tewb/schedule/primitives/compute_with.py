"""compute_with: two stages in one loop nest."""

from __future__ import annotations

from collections.abc import Iterator

from tewb.ir import IterVar
from tewb.schedule.declare import (
    Arguments,
    Param,
    Refusal,
    Results,
    Selection,
    Values,
    loop_names,
    primitive,
)
from tewb.schedule.hybrid_loops import loops_to
from tewb.schedule.questions import misplaced_at, no_other_loop
from tewb.schedule.stage import Stage, With
from tewb.tensor import Tensor


def _others(stage: Stage) -> list[str]:
    """The stages with which a stage may be computed: those at the root, and those in loops where all that reads it is too."""
    others = [s for s in stage.schedule.stages if not s.is_placeholder and s is not stage]
    return [s.name for s in others if s.attach is None or (s.attached is not None and not s.is_after)]


@primitive(
    Param("parent", "stage", "the stage to compute this one with", choices=_others, code="s[{}]"),
    Param("axis", "place", "the innermost loop of that stage that both share"),
    is_place=True,
)
def compute_with(stage: Stage, parent: Stage | Tensor, scope: IterVar | str) -> None:
    """Compute this stage together with stage `parent`, in one loop nest: the loops of `parent` from the outermost to `scope` are
    the loops of both, first with first. Each keeps its own inner loops.

        for i in n:                            for i in max(n, m):
            for k: A[i] += f(i, k)                 if i < n:
        for i in m:                    ->              for k: A[i] += f(i, k)
            for k: B[i] += g(i, k)                 if i < m:
                                                       for k: B[i] += g(i, k)

    Neither may depend on the other. Where `parent` is computed in a loop of a third stage, this one is too. Shared loops begin
    together, run as often as the longer one does, and as `parent` says: marks are given there, splits to both stages. Reduce
    loops may be shared too: sums of the same data are made in one pass. What both read may be computed in a shared loop of
    `parent`.
    """
    stage.do("compute_with", parent=parent, axis=scope)


@compute_with.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
    parent, axis = v["parent"], v["axis"]
    of_itself = Refusal("a stage cannot be computed with itself", "name another stage")
    refused = no_other_loop(stage, parent, axis, of_itself)
    if refused is not None:
        return refused
    inner = next(
        (s for s in stage.schedule.stages if isinstance(s.attach, With) and s.attach.stage is stage), None
    )
    if inner is not None:
        return Refusal(
            f"{inner.name} is computed with {stage.name}", f"compute {inner.name} with {parent.name}", True
        )
    return misplaced_at(stage, With(parent, axis))


@compute_with.effect
def _effect(stage: Stage, v: Values, step: int) -> Results:
    stage.attach = With(v["parent"], v["axis"])
    stage.place(step)
    return []


@compute_with.suggest
def _suggest(at: Selection) -> Iterator[Arguments]:
    others = _others(at.stage)
    for name in others:
        loops = loop_names(at.stage.schedule[name])
        yield from ({"parent": name, "axis": loop} for loop in loops[: len(at.loops)])
    if not others:
        yield {"parent": at.stage.name, "axis": at.loop}


@compute_with.stage_property
def shared_loops(stage: Stage) -> list[str]:
    """The loops that it shares with the stage it is computed with, as that one names them."""
    at = stage.attach
    return [at.stage.axis_name(iv) for iv in loops_to(at.stage, at.axis)] if isinstance(at, With) else []
