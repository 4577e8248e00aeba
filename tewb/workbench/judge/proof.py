"""What is proved of a schedule: that no step changes a result, from the steps alone.

Every primitive is refused where the analyzer cannot show that results stay the same. So a schedule is proved, except
for what it was told and has to believe (what an extern says that it touches, what a tensor intrinsic says that it
computes), and except for the order in which floating-point numbers are added, which a reduction may change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tewb.base import readable
from tewb.ir import AxisKind
from tewb.schedule import Stage, Step
from tewb.tensor import ExternOp
from tewb.workbench.session_view import ProgramView


@readable
@dataclass(frozen=True, slots=True)
class Proof:
    """Whether all results are proved to stay the same; `rounds` when only up to the rounding of sums. `text` says
    why, or what is believed."""

    holds: bool
    rounds: bool
    text: str

    def __str__(self) -> str:
        return self.text


def proof(program: ProgramView) -> Proof:
    """What is proved of the schedule as it is now."""
    beliefs = list(_beliefs(program))
    if beliefs:
        return Proof(False, False, f"believed: {'; '.join(beliefs)}")
    sums = [str(step) for step in program.journal if _reorders_sums(program, step)]
    if sums:
        return Proof(True, True, f"proved up to rounding: {'; '.join(sums)} adds in another order")
    return Proof(True, False, "proved: each step keeps every result")


def _beliefs(program: ProgramView) -> Iterator[str]:
    placed = {step.stage for step in program.journal}
    for s in program.schedule.stages:
        if isinstance(s.op, ExternOp) and s.op.access.tiled and (s.attach is not None or s.name in placed):
            yield f"extern {s.name} touches what its access says"
    for step in program.journal:
        if step.primitive == "tensorize":
            yield f"the intrinsic {step.args.get('intrin')} computes what it declares"
        if step.primitive == "pragma" and "import" in str(step.args.get("key")):
            yield f"code that {step} brings"


def _reorders_sums(program: ProgramView, step: Step) -> bool:
    """Whether a step changes the order in which a sum of floating-point numbers is made."""
    stage = program.schedule.find(step.stage)
    if step.primitive == "rfactor":
        return stage is None or _is_float(stage)
    if stage is None or not _is_float(stage):
        return False
    named = step.args.get("axes") or [step.args.get(which) for which in ("axis", "x", "y")]
    reduced = [name for name in named if isinstance(name, str) and _is_reduce(stage, name)]
    match step.primitive:
        case "vectorize" | "bind":
            return bool(reduced)
        case "reorder" | "tile":
            return len(reduced) > 1
    return False


def _is_float(stage: Stage) -> bool:
    return any("float" in str(t.dtype) for t in stage.op.outputs)


def _is_reduce(stage: Stage, name: str) -> bool:
    known = stage.find_axis(name)
    return known is not None and known.kind is AxisKind.REDUCE
