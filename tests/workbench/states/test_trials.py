"""The knobs and the table of trials, as states."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workbench.states.test_views import SCHEMA, fits
from tewb.runtime import Timing
from tewb.schedule import Step, journal_json
from tewb.tuning import Trial, board_of
from tewb.tuning.board import Found, press
from tewb.workbench.demos import demo_session
from tewb.workbench.session import Session
from tewb.workbench.states import trials
from tewb.workbench.states.schema import as_json
from tewb.workbench.states.trials import knobs_state, trials_state

SPLIT = Step("split", "C", {"axis": "j", "factor": 8})
OTHER = Step("split", "C", {"axis": "j", "factor": 16})
MARK = Step("vectorize", "C", {"axis": "j.inner"})


def tiled() -> Session:
    s = demo_session("matmul", n=32)
    s.apply(SPLIT, MARK)
    return s


def trial(number: int, seconds: float | None, factor: Any, state: Any = "timed", **more: Any) -> Trial:
    steps = tuple(journal_json([Step("split", "C", {"axis": "j", "factor": factor}), MARK]))
    time = None if seconds is None else Timing((seconds,))
    return Trial(number, {"1.factor": factor}, state, time, steps=steps, **more)


def searched() -> Session:
    s = tiled()
    found = (
        trial(0, 4e-3, 8),
        trial(1, 2e-3, 16),
        trial(2, 2e-3, 17, "same", twin=1),
        trial(3, None, 5, "refused", message="it does not divide"),
        trial(4, 9e-3, 2, "slow", message="given up as slow: a call took 9 ms"),
    )
    board_of(s).show(Found("knobs", found, (0, 1), {"1.factor": "split(C) factor"}, "", {"1.factor": 1.0}))
    return s


def test_the_values_of_the_journal_and_which_are_knobs() -> None:
    s = tiled()
    assert "press a value to make it a knob" in knobs_state(s).text and knobs_state(s).can_tune
    press(s, "1.factor", [4])
    known = knobs_state(s)
    assert [(k.name, k.kind, k.now, k.values, k.pressed) for k in known.lines] == [
        ("1.factor", "factor", "8", "4, 8", True),
        ("2.done", "flag", "yes", "", False),
    ]
    assert known.points == 2 and known.text == "2 points, all are tried"
    s.reset()
    assert not knobs_state(s).can_tune and "split or tile a loop" in knobs_state(s).text


def test_how_many_points_were_tried_is_said() -> None:
    s = tiled()
    press(s, "1.factor", [2, 4])
    press(s, "2.done", [False])
    assert knobs_state(s).text == "6 points, all are tried"
    first = Trial(0, {"1.factor": 8, "2.done": True}, "timed", Timing((1.0,)))
    refused = Trial(1, {"1.factor": 4}, "refused")  # before it came to the other knob
    board_of(s).show(Found("knobs", (first, refused)))
    assert knobs_state(s).text == "6 points, of which 3 were tried; tuning again goes on with the others"
    board_of(s).show(Found("knobs", (first, refused, Trial(2, {"1.factor": 2}, "refused"))))
    assert "of which 5 were tried" in knobs_state(s).text
    last = Trial(3, {"1.factor": 8, "2.done": False}, "slow")
    board_of(s).show(Found("knobs", (*board_of(s).found.trials, last)))
    assert knobs_state(s).text == "6 points, all are tried"


def test_without_factors_nothing_is_said_of_them() -> None:
    s = demo_session("matmul", n=32)
    s.apply(Step("unroll", "C", {"axis": "k"}))
    assert knobs_state(s).text == "press a value to make it a knob, here or in the journal"
    assert not knobs_state(s).can_tune


def test_where_optuna_is_missing_a_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "has_optuna", lambda: False)
    known = knobs_state(tiled())
    assert not known.can_tune and "needs Optuna" in known.text and "tewb[tune]" in known.text


def test_the_table_says_what_became_of_each_trial_beside_mine() -> None:
    s = searched()
    state = trials_state(s)
    assert [r.text for r in state.rows] == ["ok, mine", "ok, best", "same text as 1", "refused", "slow"]
    assert [r.times for r in state.rows] == [1.0, 2.0, 2.0, None, None]
    slow = state.rows[4]  # a sample or two are no time, and no point of the plot
    assert (slow.seconds, slow.spread, slow.time) == (None, None, "given up as slow: a call took 9 ms")
    assert state.rows[3].time == "it does not divide" and state.rows[3].values == ("5",)
    assert (state.columns[0].text, state.columns[0].importance) == ("split(C) factor", 1.0)
    assert [(lead.number, lead.seconds) for lead in state.leads] == [(0, 4e-3), (1, 2e-3)]
    (best,) = state.compared
    assert best.is_best and best.text == "The best, trial 1: 2 times as fast as the schedule as it is"
    assert [(c.sign, c.text) for c in best.changes] == [("-", str(SPLIT)), ("+", str(OTHER))]


def test_what_is_pinned_stands_beside_mine_and_mine_is_what_the_schedule_is_now() -> None:
    s = searched()
    board_of(s).pin(4)
    board_of(s).pin(1)
    s.take_steps([dict(step) for step in board_of(s).found.trial(1).steps])
    state = trials_state(s)
    assert [(c.number, c.is_best) for c in state.compared] == [(1, True), (4, False)]
    assert state.compared[0].text == "The best and pinned, trial 1: this is the schedule as it is"
    assert state.compared[1].text == "Pinned, trial 4: given up as slow: a call took 9 ms"
    assert not state.compared[0].changes
    assert state.rows[1].text == "ok, best, mine" and state.rows[0].times == 0.5
    s.undo()
    s.apply(Step("unroll", "C", {"axis": "k"}))
    assert trials_state(s).compared[0].text.endswith("the schedule as it is was not timed")
    s.take_steps([dict(step) for step in board_of(s).found.trial(4).steps])
    assert (
        trials_state(s)
        .compared[0]
        .text.endswith("the schedule as it is was given up as slow: a call took 9 ms")
    )


def test_what_was_refused_has_no_steps_to_compare() -> None:
    s = searched()
    board_of(s).pin(3)
    pinned = trials_state(s).compared[1]
    assert pinned.text == "Pinned, trial 3: refused, it does not divide" and not pinned.changes


def test_of_many_trials_the_fastest_the_last_and_what_is_pinned_are_shown() -> None:
    s = tiled()
    many = [trial(n, 1.0 + n % 97, 16) for n in range(400)]
    board_of(s).show(Found("knobs", tuple(many), (0,)))
    slow = next(t.number for t in many if t.number % 97 == 96)
    board_of(s).pin(slow)
    state = trials_state(s)
    shown = {r.number for r in state.rows}
    assert len(shown) <= trials.MOST_ROWS and {0, slow, 399} <= shown
    assert state.left_out == 400 - len(shown) and "the fastest and the last" in state.text


def test_the_states_are_json_with_a_schema_also_while_there_is_nothing() -> None:
    for s in (searched(), demo_session("matmul", n=8)):
        for view, state in (("knobs", knobs_state(s)), ("trials", trials_state(s))):
            assert fits(as_json(state), SCHEMA["views"][view]["state"])
