"""Steps as data: to JSON and back, as text, and what is none."""

from __future__ import annotations

from typing import Any

import pytest

from tewb.base import ScheduleError
from tewb.schedule import Step
from tewb.schedule.journal import steps_of

SPLIT = Step("split", "C", {"axis": "i", "factor": 4})


def test_words_and_lines_do_not_make_another_step() -> None:
    assert Step("split", "C", {"axis": "i", "factor": 4}, name="rows", note="why") == SPLIT
    assert Step("split", "C", {"axis": "i", "factor": 8}) != SPLIT
    assert SPLIT.with_results(("i.outer", "i.inner")) != SPLIT


def test_json_and_back_is_the_same_step() -> None:
    step = Step("reorder", "C", {"axes": ["j", "i"]}, name="rows", note="why")
    data = step.to_json()
    assert data == {
        "primitive": "reorder",
        "stage": "C",
        "args": {"axes": ["j", "i"]},
        "name": "rows",
        "note": "why",
    }
    back = Step.from_json(data)
    assert (back, back.name, back.note) == (step, "rows", "why")
    assert "name" not in SPLIT.to_json() and "results" not in SPLIT.with_results(("a",)).to_json()
    data["args"]["axes"] = []
    assert step.args == {"axes": ["j", "i"]}


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"primitive": "split"},
        {"stage": "C"},
        [],
        7,
        None,
        {"primitive": "split", "stage": "C", "args": 3},
    ],
)
def test_what_is_no_step_is_refused(data: Any) -> None:
    with pytest.raises(ScheduleError, match="is not a step") as e:
        Step.from_json(data)
    assert e.value.hint == '{"primitive", "stage", "args"}'


def test_a_long_mistake_is_shortened() -> None:
    with pytest.raises(ScheduleError) as e:
        Step.from_json({"x" * 10_000: 1})
    assert len(e.value.message) < 1000


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (SPLIT, "split(C, axis=i, factor=4)"),
        (Step("split", "C", {"axis": "i", "factor": 4, "nparts": None}), "split(C, axis=i, factor=4)"),
        (Step("reorder", "C", {"axes": ["j", "i"]}), "reorder(C, axes=[j, i])"),
        (Step("compute_inline", "B"), "compute_inline(B)"),
    ],
)
def test_a_step_as_text(step: Step, text: str) -> None:
    assert str(step) == text


def test_a_list_of_steps_takes_steps_and_json() -> None:
    assert steps_of([SPLIT, SPLIT.to_json()], "hint") == (SPLIT, SPLIT)
    assert steps_of((), "hint") == ()


@pytest.mark.parametrize("given", [None, 3, "split", b"split", {"primitive": "split", "stage": "C"}])
def test_what_is_no_list_of_steps_is_refused(given: Any) -> None:
    with pytest.raises(ScheduleError, match="is no list of steps") as e:
        steps_of(given, "a hint")
    assert e.value.hint == "a hint"
