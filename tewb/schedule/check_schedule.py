"""What a later call could still make right is judged when the program is lowered."""

from __future__ import annotations

from tewb.base import ScheduleError
from tewb.schedule.journal import in_recipe
from tewb.schedule.questions import Fault, first_fault
from tewb.schedule.schedule import Schedule
from tewb.schedule.stage import At, groups_around


def check_schedule(schedule: Schedule) -> None:
    """Raise the error of a call that was not right when it was made, and that no later one has made right.

    Only schedules with such calls are looked at: all others were right at every step.
    """
    if not schedule.doubts or schedule.judged == schedule.version:
        return
    fault = first_fault(schedule)
    if fault is not None:
        raise fault_error(schedule, fault)
    schedule.judged = schedule.version


def fault_error(schedule: Schedule, fault: Fault) -> ScheduleError:
    """The error of the call that led to a fault, with its line."""
    number = _offending_step(schedule, fault)
    if number is None:
        return fault.refusal.error(fault.primitive, fault.stage, None)
    step = schedule.journal[number]
    own = _is_call(step.primitive, step.stage, fault)
    refusal = fault.refusal if own else schedule.doubts.get(number, fault.refusal)
    error = refusal.error(step.primitive, schedule.find(step.stage) or fault.stage, step.span)
    if not step.calls:
        return error
    span = step.calls[0].span or step.span
    return ScheduleError(f"{in_recipe(step)}{error.message}", loops=error.loops, hint=error.hint, span=span)


def _offending_step(schedule: Schedule, fault: Fault) -> int | None:
    """The step of the journal that led to a fault: the last doubted one on the stages concerned, else the one that set
    the place or the mark."""
    concerned = {fault.stage.name, *(g.stage.name for g in groups_around(fault.stage))}
    if isinstance(fault.stage.attach, At):
        concerned.add(fault.stage.attach.stage.name)
    doubted = [n for n in schedule.doubts if schedule.journal[n].stage in concerned]
    steps = [(n, schedule.journal[n]) for n in schedule.own_steps()]
    own = [n for n, step in steps if _is_call(step.primitive, step.stage, fault)]
    same = [n for n in own if n in schedule.doubts and schedule.doubts[n].reason == fault.refusal.reason]
    if same:  # it was wrong from the start, whatever was doubted since
        return max(same)
    if any(
        n in schedule.doubts for n in own
    ):  # steps after it that only met with the same fault are not to blame
        doubted = [n for n in doubted if n in own or schedule.doubts[n].reason != fault.refusal.reason]
    return max(doubted or own, default=None)


def _is_call(primitive: str, stage: str, fault: Fault) -> bool:
    return primitive == fault.primitive and stage == fault.stage.name
