"""pragma: what classic schedules say of the loops inside of a loop."""

from __future__ import annotations

from collections.abc import Iterator

from tewb.base import brief, printable
from tewb.ir import IterVar
from tewb.schedule.declare import (
    AXIS,
    PRIMITIVES,
    Arguments,
    Param,
    Refusal,
    Results,
    Selection,
    Values,
    primitive,
)
from tewb.schedule.questions import has_loops, not_inline
from tewb.schedule.stage import Mark, Stage
from tewb.tensor import ComputeOp

MOST_STEPS = 4096

KEYS = {
    "auto_unroll_max_step": f"unroll the loops inside that come to so many steps or fewer (0 to {MOST_STEPS})",
    "unroll_explicit": "0 leaves the unrolled loops inside to the machine-code compiler, 1 writes them out",
}

_MARKS = ("unroll", "vectorize")  # pragmas that are primitives


def _keys(stage: Stage) -> list[str]:
    return list(KEYS)


@primitive(
    AXIS,
    Param("key", "word", "which pragma", choices=_keys),
    Param("value", "value", "its number or word", 1, code="{}"),
)
def pragma(stage: Stage, var: IterVar | str, pragma_type: str, pragma_value: int | str | None = None) -> None:
    """Say something of the loops inside of loop `var`, as classic schedules do:

    * `auto_unroll_max_step`: unroll those that come to so many steps or fewer;
    * `unroll_explicit`: 0 leaves unrolled ones to the machine-code compiler, 1 writes them out, which is the
      default;
    * `unroll` and `vectorize` are the primitives of these names;
    * `import_llvm`: its value is LLVM text, or the name of a file of it (`.ll`, `.bc`), that is linked to the kernel:
      `te.call_extern("int32", "f", ...)` calls the `f` that it defines;
    * `debug_skip_region`: nothing is done inside, which shows what the rest takes; results are not computed.

        for i: for j in 4: body    -- pragma(i, "auto_unroll_max_step", 16) -->    for i: for j in unroll(4): body

    Every other word is kept as an attribute of the code inside, `pragma_` and the word, and changes nothing.
    """
    value = 1 if pragma_value is None else pragma_value
    stage.do("pragma", axis=var, key=pragma_type, value=value)


@pragma.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
    """Why a pragma cannot be put on loop `axis`."""
    axis, key, value = v["axis"], v["key"], v["value"]
    if key in _MARKS:
        return PRIMITIVES[key].legal(stage, {"axis": axis})
    refused = has_loops(stage)
    if refused:
        return refused
    if not isinstance(stage.op, ComputeOp):
        return Refusal(f"{stage.name} is not a compute, and its code has the loops that it was written with")
    if not key:
        return Refusal("the pragma has no name", f"there are {', '.join(KEYS)}, and any other word")
    most = {"auto_unroll_max_step": MOST_STEPS, "unroll_explicit": 1}.get(key)
    if most is not None and not (isinstance(value, int) and 0 <= value <= most):
        return Refusal(f"{key}={value} must be from 0 to {most}")
    if key == "import_llvm" and not (isinstance(value, str) and value):
        return Refusal(
            f"import_llvm takes LLVM text, not {value}", "the text of a file, or its name: code.ll"
        )
    if (axis, key) in pragmas(stage):
        return Refusal(f"loop {stage.axis_name(axis)} has the pragma {key} already")
    return not_inline(stage)


@pragma.effect
def _effect(stage: Stage, v: Values, step: int) -> Results:
    axis, key = v["axis"], v["key"]
    if key in _MARKS:
        return PRIMITIVES[key].effect(stage, {"axis": axis}, step)
    stage.mark("pragma", axis, key, v["value"])
    stage.shape(axis, step)
    return []


@pragma.stage_property
def pragmas(stage: Stage) -> dict[tuple[IterVar, str], int | str]:
    """The pragmas of its loops: (loop, key) and the number or word."""
    marks = stage.marks_of("pragma")
    return {(m.axis, m.values[0]): m.values[1] for m in marks if m.axis is not None}


@pragma.mark_text
def _text(stage: Stage, mark: Mark) -> str:
    key, value = mark.values
    return f"{key} {brief(printable(str(value)))}"


@pragma.mark_phrase
def _phrase(stage: Stage, mark: Mark) -> str:
    return f"has the pragma {mark.values[0]}"


@pragma.suggest
def _suggest(at: Selection) -> Iterator[Arguments]:
    yield {"axis": at.loop, "key": "auto_unroll_max_step", "value": 16}
