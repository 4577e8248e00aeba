"""The journal: the steps that were done and those that redo would add, branches, and the pin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tewb.base import TewbError
from tewb.schedule import RECIPES, Run, Step, given_text, runs_of
from tewb.workbench.measure.measurement import Measurement
from tewb.workbench.session import Session
from tewb.workbench.states.actions import FormField, fields_of


@dataclass(frozen=True, slots=True)
class StepLine:
    """A step: its number (from 1), its text, what it is as JSON, a person's own words, whether it was taken back
    (`ahead`), its loops in the links of code (`step` there counts from 0), and the line of the user's program."""

    number: int
    text: str
    step: dict[str, Any]
    name: str
    note: str
    ahead: bool
    seconds: float | None
    where: str


@dataclass(frozen=True, slots=True)
class RecipeLine:
    """A call of a recipe: it made `count` steps from number `first` on, and `depth` other calls are around it. `state` is
    "same" while it makes just these steps, "changed" when some of them were edited, and "unknown" where only its steps are
    known. `fields` are its parameters with what it was given; `where` is the line that called it."""

    first: int
    count: int
    depth: int
    name: str
    text: str
    state: str
    fields: tuple[FormField, ...]
    where: str


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
    is no pin, or where it is another schedule, of `pinned_steps` steps. `recipes` are the calls that made some of the steps,
    each before those inside of it. `share` is the journal as one line, `code` as
    Python that can be edited.
    """

    steps: tuple[StepLine, ...]
    recipes: tuple[RecipeLine, ...]
    branches: tuple[Branch, ...]
    pinned_at: int | None
    pinned_steps: int | None
    can_undo: bool
    can_redo: bool
    share: str
    code: str


def journal_state(session: Session) -> Journal:
    """The journal of a session."""
    code = schedule_code(session)  # which finds out what recipes still make
    journal = session.journal
    pinned = None if session.pinned is None else session.pinned.journal
    timings = session.timings or None  # to look one up takes as long as the journal is
    done = [_line(i, step, timings and timings.get(journal[:i])) for i, step in enumerate(journal, 1)]
    ahead = [_line(i, step, None, ahead=True) for i, step in enumerate(session.ahead, len(journal) + 1)]
    return Journal(
        (*done, *ahead),
        tuple([_recipe(session, run) for run in runs_of((*journal, *session.ahead))]),
        tuple(
            [Branch(name, len(steps), name == session.on_branch) for name, steps in session.branches.items()]
        ),
        len(pinned) if pinned is not None and journal[: len(pinned)] == pinned else None,
        None if pinned is None else len(pinned),
        session.can_undo,
        session.can_redo,
        session.to_string(),
        code,
    )


def _recipe(session: Session, run: Run) -> RecipeLine:
    call, recipe = run.call, RECIPES.get(run.call.recipe)
    steps = session.journal[run.first : run.end]
    known = call.known
    state = "unknown" if recipe is None else "same"
    is_known = known is not None and known[:2] == (recipe, RECIPES.version)
    if recipe is not None and is_known and len(steps) == run.count:
        state = "same" if known[3] == steps and known[4] else "changed"
    own = None if recipe is None else recipe.own_stage
    stage = None if own is None else session.schedule.find(given_text(call.args.get(own.name)))
    stage = stage or session.schedule.output_stages[0]
    return RecipeLine(
        run.first + 1,
        run.count,
        run.depth,
        call.recipe,
        str(call),
        state,
        () if recipe is None else fields_of(recipe, stage, call.args),
        "" if call.span is None else str(call.span),
    )


def schedule_code(session: Session) -> str:
    """The code that schedules, or a comment that says why there is none."""
    try:
        return session.schedule_code
    except TewbError as e:
        return f"# {e.message}\n"


def _line(number: int, step: Step, measured: Measurement | None, ahead: bool = False) -> StepLine:
    kernel = None if measured is None else measured.kernel
    seconds = None if kernel is None else kernel.median
    return StepLine(number, str(step), step.to_json(), step.name, step.note, ahead, seconds, step.where)
