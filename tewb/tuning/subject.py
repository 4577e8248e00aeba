"""What is searched: a program with knobs, which gives a scheduled session at each point."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from tewb.base import ArgumentError, TewbError, check_given, here
from tewb.schedule import Schedule, Step, steps_of
from tewb.tuning.journal_knobs import DONE, extent_for, sizes_in
from tewb.tuning.knobs import Chooser, Config, UnknownValueError, at, by_default
from tewb.workbench.session import Session

Program = Callable[[Config], tuple[Schedule, Sequence[Any]]]
Space = Mapping[str, Sequence[Any]]


class Subject(Protocol):
    """A program with knobs."""

    def session(self, choose: Chooser) -> tuple[Config, Session]:
        """The session at a point, and the knobs that led there. Raises what the program raises."""

    def session_of(self, point: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> Session:
        """The session of a trial, also of one whose values are none of its knobs any more, where its steps say it."""

    @property
    def about(self) -> Mapping[str, Any]:
        """What tells its searches from others of the same program, as JSON."""


def key_of_search(about: Mapping[str, Any]) -> str:
    """What a search is known by among those of its program: its steps and the names of its knobs, whatever values they have."""
    space = about.get("space")
    return json.dumps({**about, "space": sorted(space) if space else None}, sort_keys=True, default=str)


class FromProgram:
    """A program that is a function of its knobs: `program(cfg)` returns (schedule, arguments), as a kernel is built of."""

    def __init__(self, program: Program, **options: Any) -> None:
        self._program, self._options = program, options

    @property
    def about(self) -> Mapping[str, Any]:
        return {}

    def session(self, choose: Chooser) -> tuple[Config, Session]:
        config = Config(choose)
        made = self._program(config)
        if not (isinstance(made, tuple | list) and len(made) == 2 and isinstance(made[0], Schedule)):
            raise ArgumentError(
                f"the program returned {type(made).__name__}, and not a schedule with the arguments of its kernel",
                hint="return s, [A, B, C]",
                span=here(),
            )
        schedule, args = made
        return config, Session(schedule, list(args), **self._options)

    def session_of(self, point: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> Session:
        try:
            return self.session(at(point))[1]
        except UnknownValueError:
            _, made = self.session(by_default)
            schedule = made.schedule.untouched()
            schedule.restore(steps_of(steps, "the steps of a trial"))
            return Session(schedule, list(made.args), **self._options)


class FromJournal:
    """A session whose journal has the knobs: its steps are done again with other factors.

    `space` names them, as "2.factor" (the parameter `factor` of step 2, from 1) with their values, and as "3.done" whether
    step 3 is done at all (True, False); without it, every factor of a split or a tile is one, over the powers of two and
    divisors of its loop. What stands in the journal is the default.
    """

    def __init__(self, session: Session, space: Space | None = None) -> None:
        _check_space(space)
        self._session, self._space = session, None if space is None else dict(space)
        known = [f"{i}.{name}" for i, step in enumerate(session.journal, 1) for name in sizes_in(step)]
        every = [f"{i}.{name}" for i, step in enumerate(session.journal, 1) for name in (*step.args, DONE)]
        for name in self._space or {}:
            if name not in every:
                raise ArgumentError(
                    f"the journal has no value {name!r} that could be a knob",
                    hint=f"there are {', '.join(every) or 'none: it has no steps'}",
                    span=here(),
                )
        if not (self._space or known):
            raise ArgumentError(
                "the journal has no factors to search over",
                hint="split or tile a loop, name values by space={...}, or give a function of cfg",
                span=here(),
            )

    @property
    def about(self) -> Mapping[str, Any]:
        """The steps without the values that are turned, and the values that are tried for them."""
        steps = [s.to_json() for s in self._session.journal]
        for number, step in enumerate(self._session.journal, 1):
            for name in step.args:
                if f"{number}.{name}" in self._space if self._space is not None else name in sizes_in(step):
                    steps[number - 1]["args"][name] = None
        space = None if self._space is None else {k: list(map(_plain, vs)) for k, vs in self._space.items()}
        return {"steps": steps, "space": space}

    def session(self, choose: Chooser) -> tuple[Config, Session]:
        before = self._session
        schedule = before.schedule.untouched()
        config = Config(choose)
        for i, step in enumerate(before.journal, 1):
            if self._chosen(config, f"{i}.{DONE}", True):
                schedule.apply(self._varied(config, schedule, i, step))
        return config, self._scheduled(schedule)

    def session_of(self, point: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> Session:
        try:
            return self.session(at(point))[1]
        except UnknownValueError:
            schedule = self._session.schedule.untouched()
            schedule.restore(steps_of(steps, "the steps of a trial"))
            return self._scheduled(schedule)

    def _scheduled(self, schedule: Schedule) -> Session:
        before = self._session
        made = Session(schedule, before.args, before.name, before.reference, before.inputs, before.sizes)
        made.budget.lines.extend(before.budget.lines)
        return made

    def _varied(self, config: Config, schedule: Schedule, number: int, step: Step) -> Step:
        args = dict(step.args)
        for name, value in step.args.items():
            knob = f"{number}.{name}"
            if self._space is None and name in sizes_in(step):
                args[name] = config.split(knob, max(extent_for(schedule, step, name), value), value)
            else:
                args[name] = self._chosen(config, knob, value)
        return step if args == step.args else replace(step, args=args)

    def _chosen(self, config: Config, knob: str, value: Any) -> Any:
        """The value that a knob has; `value` where there is no such knob. A list is a tuple among the values of a knob."""
        if self._space is None or knob not in self._space:
            return value
        values = [tuple(v) if isinstance(v, list) else v for v in self._space[knob]]
        default = tuple(value) if isinstance(value, list) else value
        return _plain(config.choice(knob, values, default if default in values else None))


def _check_space(space: Any) -> None:
    is_right = space is None or (
        isinstance(space, Mapping)
        and all(isinstance(v, Sequence) and not isinstance(v, str) for v in space.values())
    )
    wanted, hint = "a dict of lists", 'space={"2.factor": [4, 8, 16]}'
    check_given(is_right, "space", space, wanted, hint, ArgumentError)


def _plain(value: Any) -> Any:
    """A value as a journal has it."""
    return list(value) if isinstance(value, tuple) else value


def refusal(e: Exception) -> str:
    """Why a point is none, in a line."""
    return e.message if isinstance(e, TewbError) else f"{type(e).__name__}: {e}"
