"""The shortest journal that still shows something."""

from __future__ import annotations

import random

import pytest

from tests.programs import PROGRAMS, random_schedule
from tewb.base import TewbError
from tewb.schedule import Schedule
from tewb.workbench.demos import demo_session
from tewb.workbench.judge.minimise import minimise
from tewb.workbench.session import Session

STEPS = [
    {"primitive": "split", "stage": "C", "args": {"axis": "k", "factor": 4}},
    {"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 8}},
    {"primitive": "unroll", "stage": "C", "args": {"axis": "k.inner"}},
    {"primitive": "split", "stage": "C", "args": {"axis": "j", "factor": 8}},
    {"primitive": "vectorize", "stage": "C", "args": {"axis": "j.inner"}},
    {"primitive": "parallel", "stage": "C", "args": {"axis": "i.outer"}},
]


def test_steps_that_others_need_stay_and_the_rest_goes() -> None:
    s = demo_session("matmul", n=32)
    s.apply(*STEPS)
    found = minimise(s, lambda schedule: any(x.primitive == "vectorize" for x in schedule.journal))
    assert (
        [x.primitive for x in found.steps] == ["split", "vectorize"] and found.before == 6 and found.complete
    )
    assert "2 of 6 steps: split(C, axis=j, factor=8); vectorize(C, axis=j.inner)" in str(found)
    assert len(s.journal) == 6  # nothing changed


def test_two_steps_far_apart_are_found() -> None:
    s = demo_session("matmul", n=32)
    s.apply(*STEPS)

    def both(schedule: Schedule) -> bool:
        return {"unroll", "parallel"} <= {x.primitive for x in schedule.journal}

    assert [x.primitive for x in minimise(s, both).steps] == ["split", "split", "unroll", "parallel"]


def test_what_needs_no_step_has_none() -> None:
    s = demo_session("matmul", n=32)
    s.apply(*STEPS)
    assert minimise(s, lambda schedule: True).steps == ()


def test_a_schedule_that_is_right_has_nothing_to_minimise() -> None:
    s = demo_session("matmul", n=16)
    s.apply(*STEPS[:2])
    with pytest.raises(TewbError, match="the schedule as it is now is not different"):
        s.minimise()
    with pytest.raises(TewbError, match="there is no question wrong"):
        s.minimise("wrong")


def test_the_time_is_bounded() -> None:
    s = demo_session("matmul", n=32)
    s.apply(*STEPS)
    found = minimise(s, lambda schedule: True, seconds=0.0)
    assert not found.complete and len(found.steps) == 6 and "not enough" in str(found)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", PROGRAMS)
def test_no_step_of_what_is_left_can_be_left_out(name: str) -> None:
    inputs, outputs = PROGRAMS[name]()
    schedule = random_schedule(outputs, random.Random(f"minimise{name}"), 7)
    s = Session(schedule, inputs + outputs)
    if not s.journal:
        return
    wanted = s.journal[-1].primitive

    def has(x: Schedule) -> bool:
        return any(step.primitive == wanted for step in x.journal)

    left = minimise(s, has)
    small = Session(Schedule(schedule.outputs), inputs + outputs)
    small.take(left.steps)
    assert has(small.schedule)
    assert len(minimise(small, has).steps) == len(left.steps)
