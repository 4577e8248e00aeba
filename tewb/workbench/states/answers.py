"""Answers to questions: advice on the whole schedule, and why something is as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tewb.base import TewbError
from tewb.workbench.session import Session

QUESTIONS = {
    "bound": "why this loop runs so often",
    "allocation": "why this stage takes its memory",
    "guard": "why there are guards",
    "simplification": "how indices became simple",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A piece of advice: its kind, where it is, what was found, and the steps that answer it."""

    kind: str
    stage: str
    loop: str | None
    message: str
    steps: tuple[dict[str, Any], ...]
    steps_text: str


@dataclass(frozen=True, slots=True)
class AdviceList:
    """All findings; `problem` says why there can be none."""

    findings: tuple[Finding, ...]
    problem: str | None


@dataclass(frozen=True, slots=True)
class Reasons:
    """A question, the sentences that lead to its answer, and the answer."""

    question: str
    sentences: tuple[str, ...]
    answer: str


def advice_state(session: Session) -> AdviceList:
    """What makes the schedule slow or large."""
    try:
        findings = session.advice()
    except TewbError as e:
        return AdviceList((), e.message)
    return AdviceList(
        tuple(
            [
                Finding(
                    a.kind, a.stage, a.loop, a.message, tuple([s.to_json() for s in a.steps]), ", then ".join(map(str, a.steps))
                )
                for a in findings
            ]
        ),
        None,
    )  # fmt: skip


def why_state(session: Session, what: str, stage: str, loop: str | None) -> Reasons:
    """The answer to one of QUESTIONS about a stage and a loop: the innermost one, where none is chosen."""
    known = session.schedule.find(stage)
    if loop is None and known is not None and known.leaf_iter_vars:
        loop = known.axis_name(known.leaf_iter_vars[-1])
    try:
        found = session.explain(what, stage, loop)
    except TewbError as e:
        return Reasons(QUESTIONS.get(what, what), (), e.message)
    return Reasons(found.question, found.steps, found.answer)
