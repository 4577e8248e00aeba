"""The shortest journal and the smallest sizes that still show something: a wrong result, an error, or a slow kernel.

Delta debugging on the steps (A. Zeller and R. Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002): runs of
steps are left out, and what still shows it goes on; a step that others need takes them with it. Then the sizes of the
program are made smaller, one after the other.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tewb.base import ArgumentError, Stop, Stopped, TewbError, check_given, one_of, readable, stopped_by
from tewb.ir import Var
from tewb.schedule import Schedule, Step
from tewb.workbench.journal.replay import replay
from tewb.workbench.journal.write_code import program_code
from tewb.workbench.judge.still import Question, fails, is_as_slow, is_different
from tewb.workbench.measure.counts import Sizes
from tewb.workbench.measure.trials import Progress
from tewb.workbench.measure.verify import SMALL, constant_sizes, smaller_sizes, twin
from tewb.workbench.session_view import SessionView

Still = Callable[[Schedule], bool]
STILL = ("different", "fails", "slow")

SECONDS = 30.0
SMALLEST = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 17, 24, 32, 33, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)


@readable
@dataclass(frozen=True, slots=True)
class Minimal:
    """The steps that are left, how many there were, how many programs were tried, and whether the time was enough to
    know that nothing can be made smaller.

    `sizes` are the smaller sizes by those of the program, or by the names of variables. `code` is the small program as
    Python, with these sizes and steps; "" where the definitions have no source.
    """

    steps: tuple[Step, ...]
    before: int
    tried: int
    complete: bool
    sizes: Mapping[str, int] = field(default_factory=dict)
    code: str = ""

    def __str__(self) -> str:
        steps = "; ".join(map(str, self.steps)) or "no step is needed"
        sizes = "".join(f"; {new} for {old}" for old, new in self.sizes.items())
        rest = "" if self.complete else " (the time was not enough to try all)"
        return f"{len(self.steps)} of {self.before} steps: {steps}{sizes}{rest}"


def minimise(
    program: SessionView,
    still: str | Still = "different",
    seconds: float = SECONDS,
    against: Sequence[Step] = (),
    stop: Stop | None = None,
    progress: Progress | None = None,
) -> Minimal:
    """The shortest journal and the smallest sizes found that still show what the whole program does.

    `still` is "different" (results differ from the definition on small sizes), "fails" (lowering raises), "slow" (the
    kernel takes longer than with the steps `against`, by default none), or a function of a schedule. Nothing changes in the
    session. What was found until `seconds` are over, or `stop()` is true, is returned. Raises TewbError when the program
    as it is does not show it.
    """
    is_time = isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds >= 0
    check_given(is_time, "seconds", seconds, "a limit of time", "seconds=30", ArgumentError)
    is_right, hint = isinstance(still, str) or callable(still), 'minimise("slow")'
    check_given(is_right, "still", still, "a word, or a function of a schedule", hint, ArgumentError)
    until = time.monotonic() + seconds

    def is_late() -> bool:
        return time.monotonic() > until or (stop is not None and stop())

    with stopped_by(is_late):
        shows = _question(program, still, against)
        search = _Search(program, shows, is_late, progress or (lambda done, note: None))
        if still == "slow":  # it was timed already
            search.known[tuple(range(len(program.journal)))] = program.journal
        return search.minimal(still if isinstance(still, str) else "so")


def _question(program: SessionView, still: str | Still, against: Sequence[Step]) -> Question:
    if not isinstance(still, str):
        return lambda schedule, args, sizes: still(schedule)
    if one_of("question", still, STILL, TewbError) == "slow":
        return is_as_slow(program.schedule, program.args, program.sizes, against)
    return {"different": is_different, "fails": fails}[still]


@dataclass(frozen=True, slots=True)
class _Program:
    """The program, or a twin of it: no step is done yet. `shrunk` are its sizes by those of the program."""

    schedule: Schedule
    args: Sequence[Any]
    sizes: Sizes
    shrunk: Mapping[int, int]

    def after(self, steps: Sequence[Step]) -> Schedule:
        """Its schedule after steps. Raises ScheduleError."""
        schedule = self.schedule.untouched()
        schedule.restore(steps)
        return schedule


class _Search:
    """Tries parts of a journal, each once, and smaller sizes, until the time is over."""

    def __init__(self, program: SessionView, shows: Question, is_late: Stop, tell: Progress) -> None:
        self.session, self.journal, self.shows, self.late, self.tell = (
            program,
            program.journal,
            shows,
            is_late,
            tell,
        )
        self.program = _Program(program.schedule.untouched(), program.args, program.sizes, {})
        self.known: dict[tuple[int, ...], tuple[Step, ...] | None] = {}
        self.tried = 0

    @property
    def is_late(self) -> bool:
        return self.late()

    def minimal(self, what: str) -> Minimal:
        """What is left. Raises TewbError when the whole program does not show it."""
        everything = list(range(len(self.journal)))
        if self.shown(everything) is None:
            raise TewbError(
                f"the schedule as it is now is not {what}",
                hint="minimise looks for the steps that make it so",
            )
        self.begin_small()
        steps = self.shown(self.shortest(everything))
        assert steps is not None
        self.shrink(steps)
        shrunk = sorted(self.program.shrunk.items(), reverse=True)
        sizes = {str(old): new for old, new in shrunk if old != new}
        return Minimal(
            steps,
            len(self.journal),
            self.tried,
            not self.is_late,
            sizes | self.symbols(steps),
            self.code(steps),
        )

    def asks(self, p: _Program, steps: Sequence[Step]) -> bool:
        """Whether a program shows it after steps; one that cannot be made or run does not."""
        self.tried += 1
        try:
            return self.shows(p.after(steps), p.args, p.sizes)
        except (TewbError, Stopped):
            return False

    # ---- steps

    def shown(self, order: Sequence[int]) -> tuple[Step, ...] | None:
        """The steps that are left of these, if they show it."""
        key = tuple(order)
        if key not in self.known:
            self.tell(0.0, f"{len(order)} steps")
            steps, _ = replay(self.session.schedule, self.journal, order, lambda schedule: None)
            self.known[key] = steps if self.asks(self.program, steps) else None
        return self.known[key]

    def shortest(self, order: list[int]) -> list[int]:
        """Leaves out halves, quarters, ... of the steps, down to single ones, as long as that makes it shorter."""
        parts = 2
        while len(order) > 1 and not self.is_late:
            size = -(-len(order) // parts)
            chunks = [order[i : i + size] for i in range(0, len(order), size)]
            shorter = next(
                (
                    rest
                    for rest in map(_without(order), chunks)
                    if not self.is_late and self.shown(rest) is not None
                ),
                None,
            )
            if shorter is not None:
                order, parts = shorter, max(parts - 1, 2)
            elif size == 1:
                break
            else:
                parts = min(2 * parts, len(order))
        if len(order) == 1 and not self.is_late and self.shown([]) is not None:
            return []
        return order

    # ---- sizes

    def begin_small(self) -> None:
        """Go on with a twin that shows it with all steps, where there is one: all that follows is faster."""
        for shrunk in (*smaller_sizes(self.session.schedule), *_parts(self.session.schedule)):
            if self.is_late or self.takes(shrunk, self.journal):
                return

    def shrink(self, steps: Sequence[Step]) -> None:
        """Make one size after the other as small as it can be."""
        for old in sorted(constant_sizes(self.session.schedule.outputs), reverse=True):
            for new in SMALLEST:
                if new >= self.program.shrunk.get(old, old) or self.is_late:
                    break
                if self.takes({**self.program.shrunk, old: new}, steps):
                    break

    def takes(self, shrunk: Mapping[int, int], steps: Sequence[Step]) -> bool:
        """Go on with other sizes, if the program shows it with them."""
        self.tell(0.5, ", ".join(f"{new} for {old}" for old, new in shrunk.items()))
        try:
            outputs, args, variables = twin(self.session.schedule.outputs, self.session.args, shrunk)
        except TewbError:
            return False
        schedule = Schedule(outputs)
        schedule.variables = {a.name: a for a in args if isinstance(a, Var)}
        given = self.session.sizes
        sizes = {**given, **{v: given[old] for old, v in variables.items() if old in given}}
        smaller = _Program(schedule, args, sizes, dict(shrunk))
        if not self.asks(smaller, steps):
            return False
        self.program = smaller
        self.known = {order: known for order, known in self.known.items() if known is not None}
        return True

    def symbols(self, steps: Sequence[Step]) -> dict[str, int]:
        """The smallest values of symbolic sizes that show it."""
        values: dict[str, int] = {}
        for v in self.program.schedule.size_variables().values():
            for new in SMALLEST:
                tried = replace(self.program, sizes={**self.program.sizes, **values, v.name: new, v: new})
                if self.is_late or self.asks(tried, steps):
                    break
            else:
                continue
            if not self.is_late:
                values[v.name] = new
        return values

    def code(self, steps: Sequence[Step]) -> str:
        """The program as Python; "" where its definitions have no source."""
        try:
            return program_code(self.program.after(steps), self.program.args, self.session.name)
        except TewbError:
            return ""


def _parts(schedule: Schedule) -> Iterator[dict[int, int]]:
    """An eighth, a quarter and a half of the sizes, with the remainders that they have by the factors of the journal."""
    factors = [v for step in schedule.journal for v in step.args.values() if isinstance(v, int) and v > 1]
    unit = math.lcm(*factors) if factors else 8
    for part in (8, 4, 2):
        shrunk = {
            n: n // part // unit * unit + n % unit for n in constant_sizes(schedule.outputs) if n > SMALL
        }
        if shrunk and all(shrunk.values()):
            yield shrunk


def _without(order: Sequence[int]) -> Callable[[Sequence[int]], list[int]]:
    return lambda chunk: [i for i in order if i not in chunk]
