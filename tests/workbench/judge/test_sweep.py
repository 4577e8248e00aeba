"""A sweep: neighbours of a journal, each built, checked and timed once, while the session stays as it is."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

import tewb
from tewb.base import ArgumentError, LowerError, ScheduleError, TewbError
from tewb.schedule import Step
from tewb.workbench.demos import demo_session
from tewb.workbench.judge import sweep as module
from tewb.workbench.judge.sweep import Sweep, SweepTrial, changes, neighbours, sweep

TILE = Step("tile", "C", {"x": "i", "y": "j", "x_factor": 4, "y_factor": 16})
ORDER = Step("reorder", "C", {"axes": ["i.outer", "j.outer", "k", "i.inner", "j.inner"]})


def tiled(n: int = 32) -> Any:
    session = demo_session("matmul", n=n)
    session.apply(TILE, ORDER, Step("vectorize", "C", {"axis": "j.inner"}))
    return session


def test_neighbours_differ_in_one_factor_or_one_order() -> None:
    found = dict(neighbours([TILE, ORDER]))
    factors = [label for label in found if label.startswith("tile")]
    assert factors == [
        f"tile(C): {axis} by {n} instead of {now}"
        for axis, now, others in (("i", 4, (8, 2, 6, 3)), ("j", 16, (32, 8, 24, 12)))
        for n in others
    ]
    assert "reorder(C): k outside of j.outer" in found and len(found) == 8 + 4
    for journal in found.values():
        assert sum(a != b for a, b in zip(journal, [TILE, ORDER], strict=True)) == 1
    assert list(neighbours([Step("vectorize", "C", {"axis": "j"})])) == []
    assert [s.args["factor"] for _, (s,) in neighbours([Step("split", "C", {"axis": "j", "factor": 2})])] == [
        4,
        3,
    ]


def test_trials_are_checked_and_timed_and_the_session_stays() -> None:
    session = demo_session("matmul", n=32)
    session.apply(Step("split", "C", {"axis": "j", "factor": 8}))
    before, version = session.journal, session.schedule.version
    heard: list[SweepTrial] = []
    told: list[tuple[float, str]] = []
    found = sweep(session, 60, progress=lambda done, what: told.append((done, what)), on_trial=heard.append)
    assert session.journal == before and session.schedule.version == version
    assert list(found.trials) == heard and len(heard) >= 4 and found.journal == before
    for trial in found.trials:
        assert trial.seconds and trial.gain and trial.spread is not None and not trial.message
        assert trial.journal != before
        taken = session.copy()
        taken.take_steps(trial.journal)
        assert taken.journal == trial.journal
    assert all(0 <= done <= 1 for done, _ in told)


def test_what_lowers_to_the_same_program_is_left_out() -> None:
    session = demo_session("matmul", n=16)
    session.apply(Step("split", "C", {"axis": "j", "factor": 16}))  # 16, 32 and 24 are all of j
    found = sweep(session, 60)
    assert found.left_out >= 1
    labels = [t.label for t in found.trials]
    assert len(labels) == len(set(labels))


def test_a_walk_goes_on_from_what_was_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    session = demo_session("matmul", n=64)
    session.apply(Step("split", "C", {"axis": "j", "factor": 4}))

    def timed(walk: Any, label: str, schedule: Any) -> SweepTrial:
        (step,) = schedule.journal
        factor = step.args["factor"]
        return SweepTrial(label, schedule.journal, 1 / factor, 0.0, factor / 4)

    monkeypatch.setattr(module._Walk, "_timed", timed)
    found = sweep(session, 60)
    assert found.best is not None and found.best.journal[0].args["factor"] == 64  # 96 is the same program
    assert found.complete and "16 times as fast" in str(found)


def test_each_label_is_against_the_start_although_the_walk_moved_on(monkeypatch: pytest.MonkeyPatch) -> None:
    session = tiled(64)
    start = session.journal

    def timed(walk: Any, label: str, schedule: Any) -> SweepTrial:
        tile, order, _ = schedule.journal
        gain = tile.args["x_factor"] * tile.args["y_factor"] / 64 + 0.1 * (order != start[1])
        return SweepTrial(label, schedule.journal, 1.0, 0.0, gain)

    monkeypatch.setattr(module._Walk, "_timed", timed)
    found = sweep(session, 120, stop=lambda: False)
    labels = [t.label for t in found.trials]
    assert len(labels) == len(set(labels)) > 20
    assert "tile(C): i by 8 instead of 4" in labels
    assert any(x.startswith("tile(C): i by 8 instead of 4, j by 8 instead of 16") for x in labels)
    assert all("instead of 8" not in x and "instead of 32" not in x for x in labels)


def test_what_is_different_from_an_idea_is_said_after_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    session = demo_session("matmul", n=32)
    tried: list[str] = []

    def timed(walk: Any, label: str, schedule: Any) -> SweepTrial:
        tried.append(label)
        return SweepTrial(label, schedule.journal, 1.0, 0.0, 2.0 if label == "register tile" else 0.5)

    monkeypatch.setattr(module._Walk, "_timed", timed)
    sweep(session, 60)
    later = [x for x in tried if x.startswith("register tile, ")]
    assert later and all(" instead of " in x or " outside of " in x for x in later)


def test_changes_are_those_from_the_start() -> None:
    one = replace(TILE, args={**TILE.args, "x_factor": 6, "y_factor": 24})
    swapped = replace(ORDER, args={"axes": ["i.outer", "k", "j.outer", "i.inner", "j.inner"]})
    other = replace(ORDER, args={"axes": ["k", "i.outer", "j.outer", "i.inner", "j.inner"]})
    said = "tile(C): i by 6 instead of 4, j by 24 instead of 16; reorder(C): "
    assert changes([TILE, ORDER], [one, swapped]) == said + "k outside of j.outer"
    assert changes([TILE, ORDER], [one, other]) == said + "order k, i.outer, j.outer, i.inner, j.inner"
    assert changes([TILE, ORDER], [TILE, ORDER]) == ""


def test_without_factors_ideas_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    session = demo_session("matmul", n=32)
    monkeypatch.setattr(
        module._Walk, "_timed", lambda walk, label, s: SweepTrial(label, s.journal, 1.0, 0.0, 0.5)
    )
    found = sweep(session, 60)
    assert "register tile" in [t.label for t in found.trials] and session.journal == () and found.complete


def test_time_is_limited_and_it_can_be_stopped() -> None:
    began = time.monotonic()
    found = sweep(tiled(64), 0.4)
    assert time.monotonic() - began < 8 and not found.complete and "not enough to try all" in str(found)
    stopped = sweep(tiled(), 60, stop=lambda: True)
    assert stopped.trials == () and not stopped.complete and stopped.best is None


def test_a_wrong_trial_has_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    right = module.Rig.checked
    count = 0

    def wrong(rig: Any, kernel: Any) -> Any:
        nonlocal count
        count += 1
        return right(rig, kernel) if count == 1 else replace(right(rig, kernel), wrong="C differs")

    monkeypatch.setattr(module.Rig, "checked", wrong)
    found = sweep(tiled(16), 60)
    assert found.best is None and {t.message for t in found.trials} == {"the result is wrong: C differs"}
    assert all(t.gain is None and t.seconds is None for t in found.trials)


def test_a_program_that_is_wrong_already_is_not_swept() -> None:
    session = tiled(16)
    session.reference = lambda a, b: a @ b + 1
    with pytest.raises(TewbError, match="the schedule as it is gives a wrong result: C differs from numpy"):
        sweep(session, 60)


@pytest.mark.parametrize("seconds", [0, -1, "20", None, True])
def test_misuse(seconds: Any) -> None:
    with pytest.raises(ArgumentError, match="is no time"):
        sweep(tiled(16), seconds)


def test_a_schedule_without_loops() -> None:
    session = demo_session("matmul", n=16)
    broken = tewb.Session(session.schedule, session.args[:2])
    with pytest.raises((LowerError, ScheduleError), match="C is an output and is not among the arguments"):
        broken.sweep(1)


def test_what_it_says() -> None:
    trial = SweepTrial("split(C): j by 8 instead of 4", (), 1.0, 0.1, 1.5)
    assert str(Sweep((trial,), 2, (), True)) == "1 tried; split(C): j by 8 instead of 4: 1.5 times as fast"
    assert str(Sweep((), 0, (), False)) == "0 tried; none is faster (the time was not enough to try all)"
