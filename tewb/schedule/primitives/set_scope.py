"""set_scope: the memory in which a stage is kept."""

from __future__ import annotations

from collections.abc import Iterator

from tewb.schedule.declare import Arguments, Param, Refusal, Results, Selection, Values, primitive
from tewb.schedule.primitives.nontemporal import not_nontemporal
from tewb.schedule.questions import not_given
from tewb.schedule.scans import shares_memory
from tewb.schedule.stage import Mark, Stage


def memory_scopes(stage: Stage) -> list[str]:
    return ["local", "global", "shared"]


@primitive(Param("scope", "scope", "global, local, shared or warp", choices=memory_scopes))
def set_scope(stage: Stage, scope: str) -> None:
    """Keep this stage's values in `scope`: a kind of memory, and words that say more ("shared.dyn", "global:tag").

    On a processor all memory is the same, and the word says which threads have it in common, where loops around the
    stage are bound to threads: each thread has "local" memory of its own, "shared" memory is one for all threads of a
    block, which wait for each other before they read it, and "warp" memory one for those of threadIdx.x. "global" is
    what nothing was said of: local inside of bound threads, or shared if its own loops are bound to these.
    """
    stage.do("set_scope", scope=scope)


@set_scope.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
    away = v["scope"] != "global"
    if stage.is_output and not away:
        return None  # where outputs are anyway
    return (
        not_given(stage, "set the scope of")
        or shares_memory(stage, "set the scope of")
        or (not_nontemporal(stage, f"keep it in {v['scope']} memory") if away else None)
    )


@set_scope.effect
def _effect(stage: Stage, v: Values, step: int) -> Results:
    stage.scope = v["scope"]
    stage.place(step)
    return []


@set_scope.suggest
def _suggest(at: Selection) -> Iterator[Arguments]:
    yield {"scope": "global" if at.stage.scope == "local" else "local"}


@set_scope.mark_text
def _text(stage: Stage, mark: Mark) -> str:
    return f"in {mark.values[0]} memory"
