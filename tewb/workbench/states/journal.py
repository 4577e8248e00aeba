"""The journal: the steps that were done and those that redo would add, branches, and the pin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tewb.base import TewbError
from tewb.schedule import Step
from tewb.workbench.session import Session


@dataclass(frozen=True, slots=True)
class StepLine:
    """A step: its number (from 1), its text, what it is as JSON, a person's own words, whether it was taken back
    (`ahead`), and its loops in the links of code (`step` there counts from 0)."""

    number: int
    text: str
    step: dict[str, Any]
    name: str
    note: str
    ahead: bool
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch and the number of its steps."""

    name: str
    steps: int
    current: bool


@dataclass(frozen=True, slots=True)
class Journal:
    """All that is known of the way to the schedule.

    `pinned_at` is the number of steps after which the pinned schedule stands in this journal; it is None where there
    is no pin, or where it is another schedule, of `pinned_steps` steps. `share` is the journal as one line, `code` as
    Python that can be edited.
    """

    steps: tuple[StepLine, ...]
    branches: tuple[Branch, ...]
    pinned_at: int | None
    pinned_steps: int | None
    can_undo: bool
    can_redo: bool
    share: str
    code: str


def journal_state(session: Session) -> Journal:
    """The journal of a session."""
    journal = session.journal
    pinned = None if session.pinned is None else session.pinned.journal
    done = [_line(session, i, step, ahead=False) for i, step in enumerate(journal, 1)]
    ahead = [_line(session, i, step, ahead=True) for i, step in enumerate(session.ahead, len(journal) + 1)]
    return Journal(
        (*done, *ahead),
        tuple(
            [Branch(name, len(steps), name == session.on_branch) for name, steps in session.branches.items()]
        ),
        len(pinned) if pinned is not None and journal[: len(pinned)] == pinned else None,
        None if pinned is None else len(pinned),
        session.can_undo,
        session.can_redo,
        session.to_string(),
        schedule_code(session),
    )


def schedule_code(session: Session) -> str:
    """The code that schedules, or a comment that says why there is none."""
    try:
        return session.schedule_code
    except TewbError as e:
        return f"# {e.message}\n"


def _line(session: Session, number: int, step: Step, ahead: bool) -> StepLine:
    measured = None if ahead else session.timings.get(session.journal[:number])
    kernel = None if measured is None else measured.kernel
    seconds = None if kernel is None else kernel.median
    return StepLine(number, str(step), step.to_json(), step.name, step.note, ahead, seconds)
