"""The tail of a split that would take guards out of loops: the same steps, with another word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tewb.base import TewbError
from tewb.lowering import LOWER, run, scheduled_loops
from tewb.schedule import ROUND_UP, SHIFT, Split, Step, divides
from tewb.schedule.bounds import infer_bounds
from tewb.workbench.judge.ledger import argument_stages
from tewb.workbench.judge.palette import guards_left
from tewb.workbench.session_view import ProgramView


def split_without_guard(program: ProgramView, stage: str, guards: int) -> Step | None:
    """A split of `stage` as its step would be with a tail that leaves fewer than `guards` of that stage; None where there is
    no such tail, or it is refused."""
    journal = program.schedule.journal
    for number in _splits(program, stage):
        for tail in (ROUND_UP, SHIFT):
            step = replace(journal[number], args={**journal[number].args, "tail": tail})
            left = _guards_of(program, (*journal[:number], step, *journal[number + 1 :]), stage)
            if left is not None and left < guards:
                return step
    return None


def _splits(program: ProgramView, stage: str) -> Iterator[int]:
    """The steps that split loops of a stage into parts of which the last is not whole."""
    schedule = program.schedule
    own = schedule.find(stage)
    bounds = infer_bounds(schedule, argument_stages(schedule, program.args))
    if own is None or own not in bounds.stages:
        return
    for r in own.relations:
        if not isinstance(r, Split) or r.tail in (ROUND_UP, SHIFT) or divides(r, bounds.stages[own].extents):
            continue
        number = own.made_by.get(r.outer)
        if number is not None and schedule.journal[number].primitive == "split":
            yield number


def _guards_of(program: ProgramView, steps: tuple[Step, ...], stage: str) -> int | None:
    """The guards that are left of a stage after other steps; None where one of these is refused."""
    other = program.schedule.copy()
    try:
        other.restore(steps)
        return guards_left(run(scheduled_loops(other, program.args), LOWER, memory=other.result_cache), stage)
    except TewbError:
        return None
