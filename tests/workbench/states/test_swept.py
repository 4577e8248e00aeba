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


def test_seconds_compare_as_the_gains_do_although_the_machine_was_busy_for_some() -> None:
    trials = (
        SweepTrial("quiet", (STEP,), 2.0, 0.2, 1.07, base=2.14),
        SweepTrial("busy", (STEP,), 2.7, 0.27, 1.33, base=3.591),
        SweepTrial("slow", (STEP,), 5.0, 0.5, 0.5, base=2.5),
    )
    rows = swept_state(Sweep(trials, 0, (), True)).rows
    assert [r.label for r in rows] == ["busy", "quiet", "slow"]
    assert [r.seconds for r in rows] == [2.5 / 1.33, 2.5 / 1.07, 5.0]
    assert all(abs((r.spread or 0) / (r.seconds or 1) - 0.1) < 1e-9 for r in rows)


def test_it_is_json_with_a_schema() -> None:
    state = as_json(swept_state(Sweep((SweepTrial("a", (STEP,), 2.0, 0.1, 0.5),), 0, (), False)))
    assert state["rows"][0]["steps"] == [STEP.to_json()]
    assert set(state) == set(json_schema(Swept)["$defs"]["Swept"]["properties"])
