"""Cost: what each stage and loop does, with all that is inside of it, to be laid on the tree and on the code."""

from __future__ import annotations

from dataclasses import dataclass

from tewb.base import TewbError
from tewb.workbench.judge.cost import costs
from tewb.workbench.session import Session


@dataclass(frozen=True, slots=True)
class CostLine:
    """The cost of a stage or loop in one call of the kernel: iterations of its body, operations on elements, bytes
    loaded and stored, calls of foreign code. `part` is its number in the links of code, `key` its name in the tree."""

    key: str
    part: int
    iterations: float
    operations: float
    loaded: float
    stored: float
    calls: float


@dataclass(frozen=True, slots=True)
class Costs:
    """All costs; of loops that stand in each other the outer ones include the inner ones."""

    lines: tuple[CostLine, ...]
    problem: str | None


def cost_state(session: Session) -> Costs:
    """The cost of every stage and loop of a session's schedule."""
    try:
        found = costs(session)
    except TewbError as e:
        return Costs((), e.message)
    part = session.code_forms.loop_numbers.number
    return Costs(
        tuple(
            [
                CostLine(
                    stage if loop is None else f"{stage}/{loop}", part(stage, loop), c.iterations, c.operations, c.loaded,
                    c.stored, c.calls,
                )
                for (stage, loop), c in found.items()
            ]
        ),
        None,
    )  # fmt: skip
