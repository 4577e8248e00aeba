"""Gains: how much faster a program is predicted to be after some steps, for all that gives advice.

On this machine the steps are done to a copy, which is compiled and looked at: the times are those that Speed shows of the
program now, and would show after the steps. For another machine, whose code is not made here, the estimate says both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tewb.base import TewbError
from tewb.lowering import body_in_view, scheduled_loops
from tewb.schedule import Step
from tewb.workbench.judge.estimate import Machine, predict
from tewb.workbench.speed.why_fast import Program, Question, Speed, question, question_after

GAIN = 1.05
"""From so many times as fast on, a gain is predicted."""


@dataclass(frozen=True, slots=True)
class Gain:
    """How many times as fast a program is predicted to be after steps, and the seconds of a call now and then. `then` is what
    Speed would say of it; None for another machine."""

    times: float
    now: float
    after: float
    then: Speed | None

    @property
    def is_gain(self) -> bool:
        return self.times >= GAIN

    @property
    def is_loss(self) -> bool:
        return self.times <= 1 / GAIN


class Gains:
    """The gains of steps on a program as it is now. `speed` is what Speed says of it; None for another machine, and where it
    predicts no time."""

    def __init__(self, program: Program, machine: Machine | None = None) -> None:
        self.program, self.machine = program, machine
        self.speed = None if machine is not None else _with_a_time(question(program))

    def of(self, steps: Sequence[Step]) -> Gain | None:
        """The gain of steps; None where it cannot be told, as of steps that are refused."""
        if self.machine is not None:
            return self._estimated(steps, self.machine)
        try:
            then = _with_a_time(question_after(self.program, steps))
        except TewbError:
            return None
        now = None if self.speed is None else self.speed.predicted
        if not now or then is None or not then.predicted:
            return None
        return Gain(now / then.predicted, now, then.predicted, then)

    def _estimated(self, steps: Sequence[Step], machine: Machine) -> Gain | None:
        p, schedule = self.program, self.program.schedule.copy()
        try:
            for step in steps:
                schedule.apply(step)
            loops = scheduled_loops(schedule, p.args)
        except TewbError:
            return None
        now = predict(body_in_view(p.schedule, p.passes[0][1]), p.sizes, machine)
        after = max(predict(loops, p.sizes, machine), 1e-12)
        return Gain(now / after, now, after, None)


def _with_a_time(asked: Question) -> Speed | None:
    """What Speed says of a program; None where it predicts no time, as of code that it has no figures for, or of calls."""
    try:
        found = asked.answer()
    except TewbError:
        return None
    return found if found.predicted and found.verdict is not None and not found.verdict.calls else None
