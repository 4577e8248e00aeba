"""Replaying steps in another order, or without some: which still apply, and why the others do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tewb.base import ScheduleError, TewbError, brief, readable
from tewb.schedule import PRIMITIVES, RecipeCall, Schedule, Step
from tewb.workbench.journal.timeline import Journal

# A stage is named ("", "A.local"), a loop ("C", "i.outer").
Name = tuple[str, str]
Problem = Callable[[Schedule], TewbError | None]


@readable
@dataclass(frozen=True, slots=True)
class Conflict:
    """A step that no longer applies: its number in the journal, counted from 1, and why."""

    number: int
    step: Step
    reason: str

    def __str__(self) -> str:
        return f"step {self.number}, {self.step}: {brief(self.reason, 400)}"


class _GoneError(Exception):
    """A name that belongs to nothing at this point."""


def replay(
    schedule: Schedule, journal: Journal, order: Sequence[int], problem: Problem
) -> tuple[Journal, tuple[Conflict, ...]]:
    """Do the steps `order` (indices into `journal`) on an untouched copy of `schedule`.

    Returns the steps that applied and the conflicts. A loop or stage keeps its meaning when replaying gives
    it another name: what read the second copy of A does so when the second is the only one that is left.
    `problem` says why a schedule cannot be lowered; then the steps that lead there are conflicts too.
    """
    applied, conflicts, whole = _replay(schedule, journal, order, None)
    if problem(whole) is not None:
        applied, conflicts, _ = _replay(schedule, journal, order, problem)
    return applied, conflicts


def _replay(
    schedule: Schedule, journal: Journal, order: Sequence[int], problem: Problem | None
) -> tuple[Journal, tuple[Conflict, ...], Schedule]:
    trial, names, conflicts = (
        schedule.untouched(schedule.result_cache),
        _JournalNames(journal, order),
        [],
    )
    for index in order:
        step = journal[index]
        reason = _try(trial, step, names, problem)
        if reason is None:
            names.made(step, trial.journal[-1])
        else:
            names.lost.add(index)
            conflicts.append(Conflict(index + 1, step, reason))
    return trial.journal, tuple(conflicts), trial


def _try(trial: Schedule, step: Step, names: _JournalNames, problem: Problem | None) -> str | None:
    """Do `step`, or say why it cannot be done."""
    try:
        wanted = names.translate(step)
        # What a later step may still make right is a conflict only if the whole is not right.
        at_once = problem is not None
        reason = trial.why_not(wanted, at_once)
        if reason is not None:
            return reason
        trial.apply(wanted, at_once)
    except (_GoneError, ScheduleError) as e:
        return str(e.args[0])
    stuck = problem(trial) if problem else None
    if stuck is None:
        return None
    trial.restore(trial.journal[:-1])
    return stuck.message


class _JournalNames:
    """What the names of a journal mean while its steps are done again."""

    def __init__(self, journal: Journal, order: Sequence[int]) -> None:
        self.kept = set(order)
        self.lost: set[int] = set()
        self.now: dict[Name, str] = {}
        self.calls: dict[RecipeCall, RecipeCall] = {}
        self.maker = {name: i for i, step in enumerate(journal) for name in _results(step)}

    def made(self, step: Step, done: Step) -> None:
        """`step` was done, under the names of `done`."""
        self.now.update(zip(_results(step), done.results, strict=False))

    def translate(self, step: Step) -> Step:
        """`step` with the current names. Raises _GoneError."""
        kinds = {p.name: p.kind for p in PRIMITIVES[step.primitive].params} if _known(step) else {}
        args = {key: self._value(kinds.get(key, ""), value, step) for key, value in step.args.items()}
        calls = tuple(map(self._call, step.calls)) if step.calls else ()
        return replace(step, stage=self._look("", step.stage), args=args, results=(), calls=calls)

    def _call(self, call: RecipeCall) -> RecipeCall:
        """A call with the current names: the same for all of its steps."""
        if call not in self.calls:
            args = {key: self._given(value) for key, value in call.args.items()}
            self.calls[call] = call if args == call.args else RecipeCall(call.recipe, args, call.span)
        return self.calls[call]

    def _given(self, value: Any) -> Any:
        """What was given to a recipe, with the current names; names of what is gone stay."""
        if isinstance(value, list):
            return [self._given(one) for one in value]
        if not isinstance(value, dict):
            return value
        given = dict(value)
        for key in ("tensor", "stage", "operation"):
            if key in given:
                given[key] = self.now.get(("", given[key]), given[key])
        if "loop" in given:
            given["loop"] = self.now.get((str(value.get("stage")), given["loop"]), given["loop"])
        return given

    def _value(self, kind: str, value: Any, step: Step) -> Any:
        scope = {
            "axis": step.stage,
            "axes": step.stage,
            "place": step.args.get("parent"),
            "stage": "",
            "stages": "",
        }
        if kind not in scope:
            return value
        many = value if isinstance(value, list | tuple) else None
        translated = [self._look(str(scope[kind]), v) for v in ([value] if many is None else many)]
        return translated[0] if many is None else translated

    def _look(self, scope: str, name: Any) -> Any:
        key = (scope, name)
        if not isinstance(name, str) or key not in self.maker:
            return name
        if key in self.now:
            return self.now[key]
        index = self.maker[key]
        why = (
            "no longer applies" if index in self.lost else "comes later" if index in self.kept else "is gone"
        )
        raise _GoneError(f"{name} is made by step {index + 1}, which {why}")


def _known(step: Step) -> bool:
    return step.primitive in PRIMITIVES


def _results(step: Step) -> list[Name]:
    makes_stages = _known(step) and PRIMITIVES[step.primitive].results == "stage"
    return [("" if makes_stages else step.stage, name) for name in step.results]
