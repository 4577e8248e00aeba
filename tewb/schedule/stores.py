"""Why the results of a stage may not be stored past the caches: a refusal or None."""

from __future__ import annotations

from tewb.ir import Reduce
from tewb.schedule.allowed import has_loops
from tewb.schedule.primitive import Refusal, Values
from tewb.schedule.stage import At, Stage
from tewb.tensor import ComputeOp


def nontemporal(stage: Stage, v: Values) -> Refusal | None:
    if stage.is_nontemporal:
        return Refusal("its stores are non-temporal already")
    return has_loops(stage) or _stores_results(stage) or _to_memory(stage)


def _stores_results(stage: Stage) -> Refusal | None:
    """Every store must be of a result that its own loops do not read again."""
    if not isinstance(stage.op, ComputeOp):
        return Refusal(
            f"{stage.name} is not a compute: what it stores, and whether it reads that again, only its own code knows",
            "copy its result with a te.compute, and let the copy be stored so",
        )
    if any(isinstance(e, Reduce) for e in stage.op.body):
        return Refusal(
            f"{stage.name} is a reduction: every step reads the sum so far back from where it is stored",
            f's.cache_write({stage.name}, "local") first, so that {stage.name} only stores results',
        )
    return None


def _to_memory(stage: Stage) -> Refusal | None:
    if isinstance(stage.attach, At):
        place = f"loop {stage.attach.stage.axis_name(stage.attach.axis)} of {stage.attach.stage.name}"
        return Refusal(
            f"it is computed at {place}, which reads it soon, from the caches", "call compute_root first"
        )
    if stage.scope != "global":
        return Refusal(
            f"it is kept in {stage.scope} memory, near to what reads it", 'set_scope("global") first'
        )
    return None
