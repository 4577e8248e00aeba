"""The shortest journal that still shows something."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.programs import PROGRAMS, random_schedule
from tewb import te
from tewb.base import TewbError
from tewb.ir import const_int
from tewb.schedule import Schedule
from tewb.workbench.demos import demo_session
from tewb.workbench.judge.minimise import _Search, minimise
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


def test_sizes_become_as_small_as_they_can() -> None:
    """Wrong only where a loop of 100 is cut into parts that do not divide it: 2 steps, and a size of 4 shows it too."""
    A = te.placeholder((100, 60), name="A")
    B = te.compute((100, 60), lambda i, j: A[i, j] + 1.0, name="B")
    s = Session(te.create_schedule(B.op), [A, B])
    s.apply(
        {"primitive": "split", "stage": "B", "args": {"axis": "j", "factor": 4}},
        {"primitive": "split", "stage": "B", "args": {"axis": "i", "factor": 3}},
        {"primitive": "unroll", "stage": "B", "args": {"axis": "i.inner"}},
    )

    def has_a_tail(schedule: Schedule) -> bool:
        size = const_int(schedule["B"].op.output(0).shape[0]) or 0
        return any(x.args["axis"] == "i.inner" for x in schedule.journal) and size % 3 != 0 and size > 3

    found = minimise(s, has_a_tail)
    assert [x.args["axis"] for x in found.steps] == ["i", "i.inner"] and found.complete
    assert found.sizes == {"100": 4, "60": 1} and "; 4 for 100; 1 for 60" in str(found)
    names: dict[str, Any] = {}
    exec(found.code, names)
    assert [const_int(n) for n in names["args"][1].shape] == [4, 1]
    assert [x.primitive for x in names["s"].journal] == ["split", "unroll"]


def test_what_fails_is_found_with_its_sizes() -> None:
    """A unit that is as long as its axis cannot be made longer: what fails is left of six steps, and of 512."""
    s = demo_session("matmul", n=512)
    s.schedule["C"].split("i", 8)
    s.schedule["C"].split("j", 256)
    s.schedule["C"].unroll("i.inner")
    s.schedule["C"].unroll("j.inner")
    s.schedule["C"].split("k", 64)
    s.schedule["C"].unroll("k.inner")
    s.sync()
    assert s.problem is not None
    found = minimise(s, "fails")
    assert 0 < len(found.steps) < 6 and all("512" not in line for line in found.code.splitlines())
    with pytest.raises(TewbError):
        exec(found.code, {})


def test_symbolic_sizes_have_the_smallest_values_that_show_it() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    s = Session(te.create_schedule(B.op), [A, B])
    found = _Search(
        s, lambda schedule, args, sizes: sizes.get(n, 9) > 4, lambda: False, lambda done, note: None
    )
    assert found.minimal("so").sizes == {"n": 5}


def test_what_makes_a_kernel_slow_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow is what loses half of what the whole schedule loses, however long a call takes."""
    s = demo_session("matmul", n=64)
    s.apply(*STEPS[:4])

    def seconds(schedule: Schedule, args: Any, sizes: Any, against: Any) -> tuple[float, float]:
        return (2.0 if any(step.args.get("axis") == "k" for step in schedule.journal) else 1.1), 1.0

    monkeypatch.setattr("tewb.workbench.judge.still._seconds", seconds)
    found = minimise(s, "slow")
    assert [x.args["axis"] for x in found.steps] == ["k"] and set(found.sizes.values()) == {1}
    s.take(())
    with pytest.raises(
        TewbError, match=r"is not slow: it takes 1.1 times as long as the schedule without any step"
    ):
        minimise(s, "slow")


def test_it_can_be_stopped_and_says_how_far_it_is() -> None:
    s = demo_session("matmul", n=32)
    s.apply(*STEPS)
    said: list[str] = []
    found = minimise(
        s, lambda schedule: True, stop=lambda: len(said) > 1, progress=lambda done, note: said.append(note)
    )
    assert not found.complete and "6 steps" in said
