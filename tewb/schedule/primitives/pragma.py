"""pragma: what classic schedules say of the loops inside of a loop."""

from __future__ import annotations

from collections.abc import Iterator

from tewb.ir import IterVar
from tewb.schedule.declare import AXIS, Arguments, Param, Refusal, Selection, Values, primitive
from tewb.schedule.questions import has_loops, not_inline
from tewb.schedule.stage import Mark, Stage
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


def _keys(stage: Stage) -> list[str]:
    return list(KEYS)


@primitive(
    AXIS,
    Param("key", "word", "which pragma", choices=_keys),
    Param("value", "int", "its number", 1, code="{}"),
)
def pragma(stage: Stage, var: IterVar | str, pragma_type: str, pragma_value: int = 1) -> None:
    """Say something of the loops inside of loop `var`, as classic schedules do:

    * `auto_unroll_max_step`: unroll those that come to so many steps or fewer;
    * `unroll_explicit`: 0 leaves unrolled ones to the machine-code compiler, 1 writes them out, which is the
      default.

        for i: for j in 4: body    -- pragma(i, "auto_unroll_max_step", 16) -->    for i: for j in unroll(4): body
    """
    stage.do("pragma", axis=var, key=pragma_type, value=pragma_value)


@pragma.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
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
    if (axis, key) in pragmas(stage):
        return Refusal(f"loop {stage.axis_name(axis)} has the pragma {key} already")
    return not_inline(stage)


@pragma.stage_property
def pragmas(stage: Stage) -> dict[tuple[IterVar, str], int]:
    """The pragmas of its loops: (loop, key) and the number."""
    marks = stage.marks_of("pragma")
    return {(m.axis, m.values[0]): m.values[1] for m in marks if m.axis is not None}


@pragma.mark_text
def _text(stage: Stage, mark: Mark) -> str:
    key, value = mark.values
    return f"{key} {value}"


@pragma.mark_phrase
def _phrase(stage: Stage, mark: Mark) -> str:
    return f"has the pragma {mark.values[0]}"


@pragma.suggest
def _suggest(at: Selection) -> Iterator[Arguments]:
    yield {"axis": at.loop, "key": "auto_unroll_max_step", "value": 16}
