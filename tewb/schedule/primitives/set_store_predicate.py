"""set_store_predicate: the threads that store a result which all of them have."""

from __future__ import annotations

from collections.abc import Iterator

from tewb.ir import Expr
from tewb.schedule.declare import Arguments, Param, Refusal, Results, Selection, Values, primitive
from tewb.schedule.questions import for_now, has_loops
from tewb.schedule.stage import Mark, Stage
from tewb.schedule.threads import bound, condition_threads, launched_around
from tewb.tensor import ComputeOp
from tewb.tensor.hybrid import HybridOp


def _conditions(stage: Stage) -> list[str]:
    return ["threadIdx.x == 0"]


@primitive(Param("predicate", "condition", "when an element is stored", choices=_conditions, code="{}"))
def set_store_predicate(stage: Stage, preds: Expr | str) -> None:
    """Store the elements of this stage only in the threads for which a condition holds: of threads that have the same
    result one needs to store it.

    C[i] = value    -- set_store_predicate(tx.var.equal(0)) -->    if threadIdx.x == 0: C[i] = value
    """
    stage.do("set_store_predicate", predicate=preds)


def _running(stage: Stage) -> Iterator[str]:
    """The threads that run loops of a stage, or are launched around it."""
    yield from (t.key for t in (*bound(stage).values(), *launched_around(stage)))
    if isinstance(stage.op, HybridOp):
        yield from (iv.thread_tag for iv in stage.op.axis if iv.thread_tag)


@set_store_predicate.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
    refused = has_loops(stage)
    if refused:
        return refused
    if not isinstance(stage.op, ComputeOp):
        return Refusal(f"{stage.name} is not a compute: its code chooses what it stores")
    if stage.marks_of("set_store_predicate"):
        return Refusal("it has a predicate already", "join the two: te.all(a, b)")
    running = {key for s in stage.schedule.stages for key in _running(s)}
    missing = next((key for key in condition_threads(v["predicate"]) if key not in running), None)
    if missing is not None:
        return for_now(Refusal(f"no loop is bound to {missing}", "bind one before"))
    return None


@set_store_predicate.effect
def _effect(stage: Stage, v: Values, step: int) -> Results:
    stage.mark("set_store_predicate", None, v["predicate"])
    stage.place(step)
    return []


@set_store_predicate.stage_property
def store_predicate(stage: Stage) -> str | None:
    """When its elements are stored, as text; None for always."""
    return next((m.values[0] for m in stage.marks_of("set_store_predicate")), None)


@set_store_predicate.mark_text
def _text(stage: Stage, mark: Mark) -> str:
    return f"stored if {mark.values[0]}"


@set_store_predicate.suggest
def _suggest(at: Selection) -> Iterator[Arguments]:
    yield {"predicate": "threadIdx.x == 0"}
