"""reverse_compute_at: a stage is computed in the loops of the one that it reads, after what it needs there."""

from __future__ import annotations

from collections.abc import Iterator

from tewb.base import TewbError
from tewb.ir import IterVar
from tewb.schedule.bounds import infer_bounds
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
from tewb.schedule.journal import Step
from tewb.schedule.questions import for_now, misplaced_at, no_other_loop, placed
from tewb.schedule.recompute import repeated
from tewb.schedule.shared_loops import nest_of, read_after_inlining
from tewb.schedule.stage import At, Stage
from tewb.tensor import Tensor


def _producers(stage: Stage) -> list[str]:
    """The stages in whose loops a stage may be computed: those that it reads, or those in whose loops these are."""
    read = [nest_of(s) if s.is_after else s for s in read_after_inlining(stage) if not s.is_placeholder]
    return list(dict.fromkeys(s.name for s in read))


@primitive(
    Param(
        "parent",
        "stage",
        "the stage in whose loops to compute this one, which reads it",
        choices=_producers,
        code="s[{}]",
    ),
    Param("axis", "place", "a loop of that stage, around its reduce loops"),
    is_place=True,
)
def reverse_compute_at(stage: Stage, parent: Stage | Tensor, scope: IterVar | str) -> None:
    """Compute this stage inside loop `scope` of stage `parent`, which it reads: after the part of `parent` that an iteration
    makes, the elements that need no more than is made by then.

        for t: for k: for i in 8: P[t*8 + i] += ...        for t:
        for i: C[i] = f(P[i])                       ->         for k: for i in 8: P[t*8 + i] += ...
                                                               for i in 8: C[t*8 + i] = f(P[t*8 + i])

    It may be an output. An element may need several of `parent`, as C[i] = P[i] + P[i + 2] does, along loops that run in order:
    it is computed when the last of them is made. Its own loops stay, and run over that part. Memory of `parent` is for one
    part where nothing else reads it and no part is read later. Stages that read this one may come after it, at the same loop.
    """
    stage.do("reverse_compute_at", parent=parent, axis=scope)


@reverse_compute_at.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
    parent, axis = v["parent"], v["axis"]
    of_itself = Refusal("a stage cannot be computed inside of itself", "name a stage that it reads")
    place = At(parent, axis, after=True)
    return (
        no_other_loop(stage, parent, axis, of_itself)
        or misplaced_at(stage, place)
        or _not_complete(stage, place)
    )


def _not_complete(stage: Stage, place: At) -> Refusal | None:
    """Why the elements that a part needs are not proved to be made by then."""
    with placed(stage, place):
        try:
            return for_now(repeated(stage, infer_bounds(stage.schedule)))
        except TewbError as e:
            reason = e.message.removeprefix(f"reverse_compute_at on stage {stage.name}: ")
            return Refusal(reason, e.hint, later=True)


@reverse_compute_at.effect
def _effect(stage: Stage, v: Values, step: int) -> Results:
    stage.attach = At(v["parent"], v["axis"], after=True)
    stage.place(step)
    return []


@reverse_compute_at.suggest
def _suggest(at: Selection) -> Iterator[Arguments]:
    producers = _producers(at.stage)
    for name in producers:
        yield from ({"parent": name, "axis": loop} for loop in loop_names(at.stage.schedule[name]))
    if not producers:
        yield {"parent": at.stage.name, "axis": at.loop}


@reverse_compute_at.repairs
def _readers_first(at: Selection, args: Arguments) -> Iterator[Repair]:
    """What is computed between the two may be inline."""
    parent = at.stage.schedule.find(args.get("parent"))
    for s in at.stage.reads():
        if s is not parent and not s.is_placeholder:
            yield Repair(Step("compute_inline", s.name, {}))
            yield Repair(Step("reverse_compute_at", s.name, dict(args)))
