"""What a sweep found, as a state."""

from __future__ import annotations

from tewb.schedule import Step
from tewb.workbench.judge.sweep import Sweep, SweepTrial
from tewb.workbench.states.schema import as_json, json_schema
from tewb.workbench.states.swept import Swept, swept_state

STEP = Step("split", "C", {"axis": "j", "factor": 8})


def test_the_fastest_comes_first_and_what_failed_last() -> None:
    trials = (
        SweepTrial("a", (STEP,), 2.0, 0.1, 0.5),
        SweepTrial("b", (STEP,), None, None, None, "the result is wrong"),
        SweepTrial("c", (STEP,), 0.5, 0.1, 2.0),
    )
    state = swept_state(Sweep(trials, 3, (), True), is_current=False)
    assert [r.label for r in state.rows] == ["c", "a", "b"] and state.rows[2].message == "the result is wrong"
    assert state.left_out == 3 and state.complete and not state.is_current
    assert state.text == "3 tried; c: 2 times as fast"


def test_it_is_json_with_a_schema() -> None:
    state = as_json(swept_state(Sweep((SweepTrial("a", (STEP,), 2.0, 0.1, 0.5),), 0, (), False)))
    assert state["rows"][0]["steps"] == [STEP.to_json()]
    assert set(state) == set(json_schema(Swept)["$defs"]["Swept"]["properties"])
