"""Answers to questions: advice on the whole schedule, what to try next, and why something is as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tewb.base import TewbError
from tewb.schedule import Step
from tewb.workbench.judge.advice import Advice
from tewb.workbench.judge.next_steps import Advised, each_next_step
from tewb.workbench.looks.glossary import words_in
from tewb.workbench.session import Session
from tewb.workbench.states.apart import apart

QUESTIONS = {
    "bound": "why this loop has so many iterations",
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
class Proposal:
    """Something to try: its kind, the stage, the reason, the steps, how many times as fast the program is predicted to be
    after them (with the times behind it, in words), and `others`: the same with other factors, which are timed beside
    them."""

    kind: str
    stage: str
    reason: str
    steps: tuple[dict[str, Any], ...]
    steps_text: str
    gain: float
    predicted: str
    others: tuple[tuple[dict[str, Any], ...], ...]


@dataclass(frozen=True, slots=True)
class AdviceList:
    """All findings, and what to try next; `standing` says how near the program is to the roof of the machine and what bounds it, and `share`
    how much of it it reaches (None: that cannot be said). `tried` are the steps that did not help, in words. `words` explains
    the words of the field that are in it, `problem` says why there can be none."""

    findings: tuple[Finding, ...]
    problem: str | None
    standing: str
    share: float | None
    next: tuple[Proposal, ...]
    tried: tuple[str, ...]
    words: dict[str, str]


@dataclass(frozen=True, slots=True)
class Reasons:
    """A question, the sentences that lead to its answer, and the answer."""

    question: str
    sentences: tuple[str, ...]
    answer: str


def advice_state(session: Session) -> Iterator[AdviceList | None]:
    """What makes the schedule slow or large, and what to try next. The compiler works for it: it is made apart."""
    yield from apart(session, _advised)


def _advised(session: Session) -> Iterator[AdviceList | None]:
    try:
        findings = tuple([_finding(a) for a in session.advice()])
        yield None
        for advised in each_next_step(session):
            yield None if advised is None else _advice(findings, advised)
    except TewbError as e:
        yield AdviceList((), e.message, "", None, (), (), {})


def _finding(a: Advice) -> Finding:
    return Finding(a.kind, a.stage, a.loop, a.message, _json(a.steps), ", then ".join(map(str, a.steps)))


def _advice(findings: tuple[Finding, ...], advised: Advised) -> AdviceList:
    proposals = [
        Proposal(
            n.kind, n.stage, n.reason, _json(n.steps), ", then ".join(map(str, n.steps)), n.gain, n.predicted,
            tuple(map(_json, n.others)),
        )
        for n in advised.next
    ]  # fmt: skip
    tried = tuple([str(t) for t in advised.tried])
    words = words_in(
        advised.standing,
        *(f"{p.reason} {p.predicted}" for p in proposals),
        *tried,
        *(f"{f.kind}: {f.message}" for f in findings),
    )
    return AdviceList(findings, None, advised.standing, advised.share, tuple(proposals), tried, words)


def _json(steps: tuple[Step, ...]) -> tuple[dict[str, Any], ...]:
    return tuple([s.to_json() for s in steps])


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
