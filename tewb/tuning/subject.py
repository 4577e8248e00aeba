"""What is searched: a program with knobs, which gives a scheduled session at each point."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from tewb.base import ArgumentError, TewbError, here
from tewb.ir import const_int
from tewb.schedule import PRIMITIVES, Schedule, Step
from tewb.tuning.knobs import Chooser, Config
from tewb.workbench.session import Session

Program = Callable[[Config], tuple[Schedule, Sequence[Any]]]
Space = Mapping[str, Sequence[Any]]


class Subject(Protocol):
    """A program with knobs."""

    def session(self, choose: Chooser) -> tuple[Config, Session]:
        """The session at a point, and the knobs that led there. Raises what the program raises."""


class FromProgram:
    """A program that is a function of its knobs: `program(cfg)` returns (schedule, arguments), as a kernel is built of."""

    def __init__(self, program: Program, **options: Any) -> None:
        self._program, self._options = program, options

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


class FromJournal:
    """A session whose journal has the knobs: its steps are done again with other factors.

    `space` names them, as "2.factor" (the parameter `factor` of step 2, from 1) with their values; without it, every
    factor of a split or a tile is one, over the powers of two and divisors of its loop. What stands in the journal is
    the default.
    """

    def __init__(self, session: Session, space: Space | None = None) -> None:
        self._session, self._space = session, None if space is None else dict(space)
        known = [f"{i}.{name}" for i, step in enumerate(session.journal, 1) for name in _sizes_in(step)]
        every = [f"{i}.{name}" for i, step in enumerate(session.journal, 1) for name in step.args]
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

    def session(self, choose: Chooser) -> tuple[Config, Session]:
        before = self._session
        schedule = before.schedule.untouched()
        config = Config(choose)
        for i, step in enumerate(before.journal, 1):
            schedule.apply(self._varied(config, schedule, i, step))
        made = Session(schedule, before.args, before.name, before.reference, before.inputs, before.sizes)
        made.budget.lines.extend(before.budget.lines)
        return config, made

    def _varied(self, config: Config, schedule: Schedule, number: int, step: Step) -> Step:
        args = dict(step.args)
        for name, value in step.args.items():
            knob = f"{number}.{name}"
            if self._space is not None:
                if knob in self._space:
                    args[name] = config.choice(
                        knob, list(self._space[knob]), _default(value, self._space[knob])
                    )
            elif name in _sizes_in(step):
                extent = _extent(schedule, step, name)
                args[name] = config.split(knob, max(extent, value), value)
        return Step(step.primitive, step.stage, args, step.results, step.span, step.name, step.note)


def _sizes_in(step: Step) -> list[str]:
    """The parameters of a step that are factors, and have a number."""
    params = PRIMITIVES[step.primitive].params
    return [p.name for p in params if p.kind == "size" and type(step.args.get(p.name)) is int]


def _extent(schedule: Schedule, step: Step, param: str) -> int:
    """How long the loop is that a factor splits: a power of two where it is not known."""
    axis = step.args.get("axis") or step.args.get(param.removesuffix("_factor"))
    stage = schedule[step.stage]
    iv = stage.find_axis(axis)
    extent = None if iv is None else const_int(schedule.extents(stage)[iv])
    return extent or 1024


def _default(value: Any, values: Sequence[Any]) -> Any:
    return value if value in values else None


def refusal(e: Exception) -> str:
    """Why a point is none, in a line."""
    return e.message if isinstance(e, TewbError) else f"{type(e).__name__}: {e}"
