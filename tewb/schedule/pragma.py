"""Pragmas: what classic schedules say of the loops inside of a loop."""

from __future__ import annotations

from tewb.schedule.allowed import has_loops
from tewb.schedule.primitive import Refusal, Values
from tewb.schedule.stage import Stage
from tewb.tensor import ComputeOp

MOST_STEPS = 4096

KEYS = {
    "auto_unroll_max_step": f"unroll the loops inside that come to so many steps or fewer (0 to {MOST_STEPS})",
    "unroll_explicit": "0 leaves the unrolled loops inside to the machine-code compiler, 1 writes them out",
}

# What classic code says in other places, and what says it here.
_INSTEAD = {
    "vectorize": "call vectorize on the loop",
    "unroll": "call unroll on the loop",
    "parallel": "call parallel on the loop",
    "parallel_launch_point": "call parallel on a loop: it starts the threads that it needs",
    "parallel_stride_pattern": "call parallel on a loop: its iterations go to the threads one by one",
    "parallel_barrier_when_finish": "call parallel on a loop: it waits for all of its iterations",
    "import_c": "call C functions by te.call_extern",
    "import_llvm": "call functions by te.call_extern",
    "prefetch_scope": "call prefetch",
    "double_buffer_scope": "call prefetch: the processor computes while it waits for memory",
}


def pragma(stage: Stage, v: Values) -> Refusal | None:
    """Why a pragma cannot be put on loop `axis`."""
    axis, key, value = v["axis"], v["key"], v["value"]
    refused = has_loops(stage)
    if refused:
        return refused
    if key not in KEYS:
        known = "; ".join(f"{k}: {doc}" for k, doc in KEYS.items())
        return Refusal(f"there is no pragma {key} here", _INSTEAD.get(key, f"there are {known}"))
    if not isinstance(stage.op, ComputeOp):
        return Refusal(f"{stage.name} is not a compute, and its code has the loops that it was written with")
    most = MOST_STEPS if key == "auto_unroll_max_step" else 1
    if not 0 <= value <= most:
        return Refusal(f"{key}={value} must be from 0 to {most}")
    if (axis, key) in stage.pragmas:
        return Refusal(f"loop {stage.axis_name(axis)} has the pragma {key} already")
    return None
