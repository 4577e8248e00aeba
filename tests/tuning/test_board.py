"""The board of a session: knobs that were pressed, what searches put on it, and what is there another day."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tuning.test_subject import session
from tewb.base import ArgumentError, TewbError
from tewb.runtime import Timing
from tewb.schedule import Step
from tewb.tuning import board as boards
from tewb.tuning.auto import AutoResult, AutoTrial
from tewb.tuning.board import (
    Board,
    Found,
    Run,
    board_of,
    can_recall,
    differences,
    fate,
    knob_texts,
    press,
    pressed,
    recall,
    release,
    search_freely,
    search_knobs,
    trials_file,
)
from tewb.tuning.database import BEGINS
from tewb.tuning.study import Trial
from tewb.workbench import Session


@pytest.fixture(autouse=True)
def _no_trials_of_this_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def run(search: Run) -> tuple[str, list[Any]]:
    """What a search said, and how far it told it was."""
    told: list[Any] = []
    return search(lambda done, note: told.append((done, note)), lambda: False, lambda: None), told


def trial(number: int, seconds: float | None, state: Any = "timed", **more: Any) -> Trial:
    return Trial(number, {"x": number}, state, None if seconds is None else Timing((seconds,)), **more)


# ---------------------------------------------------------------- knobs


def test_a_knob_stays_with_its_step() -> None:
    s = session()
    assert press(s, "2.x_factor") == "step 2: tile(C) x_factor is a knob with 8 values"
    assert press(s, "1.factor", "2, 4") == "step 1: split(C) factor is a knob with 3 values"
    assert list(pressed(s)) == ["1.factor", "2.x_factor"] and pressed(s)["1.factor"] == (2, 4, 8)
    s.delete_step(1, True)
    assert list(pressed(s)) == ["1.x_factor"]  # the tile is the first now
    s.undo()
    assert list(pressed(s)) == ["1.factor", "2.x_factor"]
    release(s, "1.factor")
    assert list(pressed(s)) == ["2.x_factor"]


def test_two_splits_of_a_stage_have_names_of_their_own() -> None:
    s = session()
    s.apply(Step("split", "C", {"axis": "i.inner", "factor": 2}))
    assert len(set(knob_texts(s.journal).values())) == len(knob_texts(s.journal))
    assert release(s, "4.factor") == "step 4: split(C) factor is no knob"


def test_a_name_that_is_no_loop_is_refused_as_it_is_typed() -> None:
    s = session()
    s.reset()
    s.apply(
        Step("cache_write", "C", {"scope": "local"}), Step("compute_at", "C.local", {"parent": "C", "axis": "i"}),
        Step("split", "C", {"axis": "j", "factor": 3, "tail": "guard"}),
    )  # fmt: skip
    with pytest.raises(
        ArgumentError, match=r"knob 2\.axis: nix is no loop of stage C before step 2\n.*there are i, j"
    ):
        press(s, "2.axis", "j, nix")
    with pytest.raises(
        ArgumentError, match=r"knob 3\.tail: zz is no tail of split\n.*there are guard, shift"
    ):
        press(s, "3.tail", "zz")
    assert not pressed(s)
    press(s, "2.axis", "j")
    assert pressed(s) == {"2.axis": ("j", "i")}


def test_the_best_of_duels_is_explained_where_another_time_is_less() -> None:
    trials = (trial(0, 3.0), trial(1, 2.0), trial(2, 9.0, "slow"))
    assert "in turn with the best before" in str(Found("autoschedule", trials, (0,)))
    assert str(Found("autoschedule", trials, (0, 1))) == "3 trials, the best 2 s ± 0 ns"


def test_what_time_did_not_suffice_for_is_said() -> None:
    s = session()
    told = 0

    def stop() -> bool:
        return bool(told)

    def changed() -> None:
        nonlocal told
        told += 1

    said = search_knobs(s, 60, {"1.factor": [4, 6]})(lambda done, note: None, stop, changed)
    assert said.endswith(": there is more to try, search again to go on")


def test_what_is_no_value_of_the_journal() -> None:
    s = session()
    with pytest.raises(ArgumentError, match=r"there is no value of the journal 3\.factor"):
        press(s, "3.factor")
    s.reset()
    with pytest.raises(ArgumentError, match="the journal has no value that could be a knob"):
        press(s, "1.factor")


# ---------------------------------------------------------------- searches


def test_a_search_over_knobs_fills_the_board_and_leaves_the_schedule_as_it_is() -> None:
    s = session()
    before = s.journal
    press(s, "1.factor", [4])
    said, told = run(search_knobs(s, 60))
    found = board_of(s).found
    assert said == str(found) and told[0] == (0.0, "preparing the trials") and s.journal == before
    assert found.kind == "knobs" and [t.point["1.factor"] for t in found.trials] == [8, 4]
    assert found.best is not None and found.best.number == found.leads[-1]
    assert found.texts["1.factor"] == "step 1: split(C) factor"
    mine = board_of(s).trial_with(s.journal)
    assert mine is not None and mine.point == {"1.factor": 8}
    s.take_steps([dict(step) for step in found.trial(1).steps])
    assert s.journal[0].args["factor"] == 4
    mine = board_of(s).trial_with(s.journal)
    assert mine is None or mine.number == 1  # given up as slow, it was not timed to the end
    assert list(pressed(s)) == ["1.factor"]


@pytest.mark.slow
def test_what_was_searched_is_there_another_day() -> None:
    s = session()
    run(search_knobs(s, 60, {"1.factor": [4], "3.done": [True, False]}))
    found = board_of(s).found
    file = trials_file(s)
    assert file is not None and file.exists() and len(found.trials) == 4
    again = session()
    assert can_recall(again)
    recall(again)
    shown = board_of(again).found
    assert shown.trials == found.trials and shown.leads == found.leads and shown.is_of_another_day
    assert pressed(again) == {"1.factor": (4, 8), "3.done": (True, False)} and not can_recall(again)
    run(search_knobs(again, 60))  # goes on: all points are known
    assert board_of(again).found.trials == found.trials and not board_of(again).found.is_of_another_day
    other = session()
    other.sizes = {}
    other.name = "another"
    assert not can_recall(other)


def test_a_file_that_is_no_database_is_no_reason_to_show_nothing() -> None:
    s = session()
    file = trials_file(s)
    assert file is not None
    file.write_text("nothing of ours, which stays as it is")
    assert trials_file(s) is None and not can_recall(s)
    recall(s)
    assert board_of(s).found == Found() and file.read_text().startswith("nothing")
    with file.open("wb") as f:
        f.write(BEGINS + b"and then something else")
    other = session()
    assert can_recall(other)
    recall(other)
    assert board_of(other).found == Found()


@pytest.mark.parametrize("name", ["a b/c", "../up", "x" * 300])
def test_a_kernel_of_any_name_has_a_file(name: str) -> None:
    s = session()
    s.name = name
    file = trials_file(s)
    assert file is not None and file.parent.name == "trials" and len(file.name) < 60
    file.touch()
    assert file.exists()


def test_where_nothing_can_be_written_trials_are_not_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    assert trials_file(session()) is None and not can_recall(session())


def test_nothing_is_recalled_while_a_search_goes_on() -> None:
    s = session()
    file = trials_file(s)
    assert file is not None
    file.touch()
    assert can_recall(s)
    search_knobs(s, 5)
    assert not can_recall(s)
    other = session()
    search_freely(other, 5)
    assert not can_recall(other)


@pytest.mark.slow
def test_other_values_of_a_knob_go_on_with_the_search_and_its_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    s = session()
    run(search_knobs(s, 60, {"1.factor": [4, 6]}))
    board_of(s).pin(1)
    before = board_of(s).found.trials
    run(search_knobs(s, 60, {"1.factor": [6, 2]}))
    found = board_of(s).found
    assert [t.point["1.factor"] for t in found.trials] == [8, 4, 6, 2] and found.trials[:3] == before
    assert board_of(s).pinned == (1,)
    searched_freely(s, monkeypatch)
    assert board_of(s).found.kind == "autoschedule" and board_of(s).pinned == ()
    run(search_knobs(s, 60, {"1.factor": [6, 2]}))
    assert board_of(s).found.trials == found.trials and board_of(s).pinned == (1,)


def test_a_search_that_finds_nothing_leaves_the_table_as_it_is() -> None:
    s = session()
    before = Found("autoschedule", (trial(0, 1.0), trial(1, 2.0)), (0,))
    board_of(s).show(before)
    board_of(s).pin(1)
    said, _ = run(search_knobs(s, 1e-9, {"1.factor": [4]}))
    assert said.startswith("0 trials, none was timed; the table is that of before")
    assert board_of(s).found is before and board_of(s).pinned == (1,)


@pytest.mark.slow
def test_another_journal_is_another_search() -> None:
    """The same program with the same names of knobs, whose trials are not those of this journal."""
    s = session()
    run(search_knobs(s, 60, {"1.factor": [4]}))
    other = session()
    other.reset()
    other.apply(Step("split", "C", {"axis": "j", "factor": 8}))
    run(search_knobs(other, 60, {"1.factor": [4]}))
    assert {t.steps[0]["args"]["axis"] for t in board_of(other).found.trials} == {"j"}
    assert all(t.state != "stopped" for t in board_of(other).found.trials)


def test_without_optuna_a_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "has_optuna", lambda: False)
    with pytest.raises(TewbError, match="needs Optuna, which is not installed; autoschedule does without"):
        search_knobs(session(), 5)
    assert not can_recall(session())


@pytest.mark.parametrize("seconds", [0, -1.0, float("nan"), float("inf")])
def test_a_search_takes_some_time(seconds: float) -> None:
    for begin in (search_knobs, search_freely):
        with pytest.raises(ArgumentError, match="seconds is a time"):
            begin(session(), seconds)


def test_a_search_without_knobs_shows_what_was_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    s = session()
    steps = s.journal

    def autoschedule(program: Session, seconds: float, progress: Any, stop: Any) -> AutoResult:
        kept = AutoTrial("as it was given", steps, 1.0, Timing((2.0,)), is_kept=True)
        for t in (
            kept,
            AutoTrial("tile", steps[:1], 1.0, None, None, "the result is wrong: C"),
            AutoTrial("pack", steps[:2], 1.0, None, None, "its process ended with signal SIGKILL"),
            AutoTrial("fuse", steps[:2], 1.0, Timing((3.0,)), 0.7),
            AutoTrial("order", steps[:2], 1.0, message="given up as slow: a call took 9 s"),
        ):
            progress(t)
        return AutoResult(program, (kept,), kept, 9)

    monkeypatch.setattr(boards, "autoschedule", autoschedule)
    said, _ = run(search_freely(s, 5))
    found = board_of(s).found
    assert said.startswith("5 trials, the best 2") and found.leads == (0,) and found.kind == "autoschedule"
    assert [fate(t) for t in found.trials] == ["ok", "wrong", "killed", "ok", "slow"]
    assert found.trials[1].point == {"ideas": "tile"}
    assert board_of(s).trial_with(steps) == found.trials[0]


def searched_freely(s: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that times the program as it was given, finds something faster, and then fails, once."""
    steps = s.journal

    def autoschedule(program: Session, seconds: float, progress: Any, stop: Any) -> Any:
        progress(AutoTrial("as it was given", steps, 1.0, Timing((2.0, 3.0)), is_kept=True))
        progress(AutoTrial("tile", steps[:1], 1.0, Timing((1.0,)), 2.0, is_kept=True))
        progress(AutoTrial("pack", steps[:2], 1.0, None, None, "its process ended with signal SIGKILL"))
        raise TewbError("the kernel of the notebook is killed here")

    monkeypatch.setattr(boards, "autoschedule", autoschedule)
    with pytest.raises(TewbError, match="is killed here"):
        run(search_freely(s, 5))


@pytest.mark.parametrize("optuna", [True, False])
def test_what_autoschedule_tried_is_there_another_day(monkeypatch: pytest.MonkeyPatch, optuna: bool) -> None:
    """Also where Optuna is not installed, and where the search was killed."""
    monkeypatch.setattr(boards, "has_optuna", lambda: optuna)
    s = session()
    searched_freely(s, monkeypatch)
    again = session()
    assert can_recall(again)
    recall(again)
    found = board_of(again).found
    assert (found.kind, found.leads, found.is_of_another_day) == ("autoschedule", (0, 1), True)
    assert [fate(t) for t in found.trials] == ["ok", "ok", "killed"]
    assert found.trials[1].steps == tuple(x.to_json() for x in s.journal[:1])
    assert found.trials[0].time == Timing((2.0, 3.0))
    assert board_of(again).trial_with(s.journal) == found.trials[0]
    board_of(again).pin(1)
    board_of(again).pin(0)
    third = session()
    recall(third)
    assert board_of(third).pinned == (1, 0)
    board_of(third).pin(1, False)
    searched_freely(s, monkeypatch)  # another search, of which nothing is pinned
    fourth = session()
    recall(fourth)
    assert board_of(fourth).pinned == () and len(board_of(fourth).found.trials) == 3


@pytest.mark.slow
def test_the_last_search_of_both_kinds_is_there_with_its_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    s = session()
    searched_freely(s, monkeypatch)
    run(search_knobs(s, 60, {"1.factor": [4]}))
    board_of(s).pin(1)
    again = session()
    recall(again)
    assert board_of(again).found.kind == "knobs" and board_of(again).pinned == (1,)
    other = session()
    other.reset()
    other.apply(Step("split", "C", {"axis": "j", "factor": 8}))
    run(search_knobs(other, 60, {"1.factor": [4]}))
    assert board_of(other).found.kind == "knobs"
    later = session()
    recall(later)
    assert board_of(later).pinned == ()  # what was pinned is of another search
    searched_freely(s, monkeypatch)
    last = session()
    recall(last)
    assert board_of(last).found.kind == "autoschedule"


def test_where_there_was_time_for_the_model_only_its_answer_is_a_trial() -> None:
    s = session()
    run(search_freely(s, 0.01))
    found = board_of(s).found
    assert [t.state for t in found.trials] == ["predicted"] and found.best is None and found.trials[0].steps


# ---------------------------------------------------------------- the board


def test_pins_stay_while_their_trials_do() -> None:
    b = Board()
    b.show(Found("knobs", (trial(0, 1.0), trial(1, 2.0))))
    b.pin(1)
    b.pin(0)
    b.pin(1)
    assert b.pinned == (0, 1)
    b.show(Found("knobs", (trial(0, 1.0), trial(1, 2.0), trial(2, 0.5))))
    assert b.pinned == (0, 1)
    b.show(Found("autoschedule", (trial(0, 1.5), trial(1, 2.0))))
    assert b.pinned == (1,)
    b.pin(1, False)
    assert b.pinned == ()
    with pytest.raises(ArgumentError, match="there is no trial 7"):
        b.pin(7)


@pytest.mark.parametrize(
    ("state", "message", "said"),
    [
        ("timed", "", "ok"),
        ("failed", "timing took more than 10 s", "hung"),
        ("failed", "its process ended with signal SIGKILL", "killed"),
        ("failed", "no memory", "failed"),
        ("refused", "took more than", "refused"),
    ],
)
def test_what_became_of_a_trial(state: str, message: str, said: str) -> None:
    assert fate(trial(0, None, state, message=message)) == said


def test_the_steps_that_are_different() -> None:
    mine = session().journal
    other = [*mine[:1], Step("unroll", "C", {"axis": "i.inner"}), *mine[1:2]]
    assert differences(mine, other) == [
        ("+", "unroll(C, axis=i.inner)"),
        ("-", "vectorize(C, axis=j.inner)"),
    ]
    assert differences(mine, mine) == []
