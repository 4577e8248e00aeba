"""Whether the schedule keeps the results: what is proved of its steps, and what a run on small sizes found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tewb.workbench.judge.proof import proof
from tewb.workbench.measure.verify import Verdict
from tewb.workbench.session import Session

Test = Literal["running", "same", "different", "unknown"]


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of the results.

    `proved` says whether the steps themselves prove that results stay the same, `rounds` whether only up to the rounding of
    sums, `proof` why. `test` is what a run on small sizes found ("unknown": it was not done), `found` in words, and `step`
    (from 0) the one that changed a result.
    """

    proved: bool
    rounds: bool
    proof: str
    test: Test
    found: str
    step: int | None


def checked_state(session: Session, verdict: Verdict | None, running: bool = False) -> Checked:
    """What is known of the results of a session's schedule."""
    p = proof(session)
    if running:
        return Checked(p.holds, p.rounds, p.text, "running", "running on small sizes", None)
    if verdict is None:
        return Checked(p.holds, p.rounds, p.text, "unknown", "not run yet", None)
    test: Test = "unknown" if verdict.ok is None else "same" if verdict.ok else "different"
    return Checked(p.holds, p.rounds, p.text, test, verdict.message, verdict.step)
