"""Replaying steps in another order or without some: which still apply, and why the others do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

import tewb
from tests.programs import PROGRAMS, schedule_for
from tests.workbench.journal.sessions import TILE, TILED, applied, session
from tewb.base import LowerError, ParseError, ScheduleError, TewbError
from tewb.schedule import Schedule, Step
from tewb.workbench.journal.replay import Conflict, replay


def test_delete_names_every_conflict_and_changes_nothing() -> None:
    s = applied(session(), TILED)
    before, ir = s.journal, s.ir
    with pytest.raises(ScheduleError) as e:
        s.delete_step(1)
    text = str(e.value)
    assert f"step 1, {TILE}, cannot be deleted: 3 steps do not apply then" in text
    assert (
        "step 2, reorder(C, axes=[i.outer, j.outer, k, i.inner, j.inner]): i.outer is made by step 1" in text
    )
    assert "step 3, vectorize(C, axis=j.inner): j.inner is made by step 1, which is gone" in text
    assert "step 4, unroll(C, axis=i.inner)" in text and "force=True" in text
    assert s.journal == before and s.ir == ir


def test_a_conflict_that_follows_from_a_conflict_says_so() -> None:
    s = applied(session(), "C:split(i,8);C:split(i.inner,2);C:unroll(i.inner.inner)")
    dropped = s.delete_step(1, force=True)
    assert [str(c) for c in dropped] == [
        "step 2, split(C, axis=i.inner, factor=2): i.inner is made by step 1, which is gone",
        "step 3, unroll(C, axis=i.inner.inner): i.inner.inner is made by step 2, which no longer applies",
    ]


def test_a_stage_keeps_its_meaning_when_its_name_changes() -> None:
    inputs, outputs = PROGRAMS["chain"]()
    s = tewb.Session(schedule_for(outputs), inputs + outputs)
    s.load("A:cache_read(local,B);A:cache_read(local,C)")
    first, second = (step.results[0] for step in s.journal)
    assert first != second
    s.apply(Step("set_scope", second, {"scope": "global"}))
    s.delete_step(1)
    assert [step.stage for step in s.journal] == ["A", first]  # the second copy has the first one's name now


def test_a_step_that_makes_lowering_impossible_is_a_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    def needs_a_tile(schedule: Any, args: Any, name: str) -> None:
        done = [step.primitive for step in schedule.journal]
        if "parallel" in done and "tile" not in done:
            raise LowerError("parallel loops need tiles")

    s = session()
    monkeypatch.setattr("tewb.workbench.journal.history.lower_schedule", needs_a_tile)
    s.load("C:unroll(k);C:tile(i,j,8,16);C:parallel(i.outer)")
    with pytest.raises(ParseError) as e:
        s.load("C:unroll(k);C:parallel(i);C:unroll(j)")
    assert str(e.value).startswith("line 1, column 13: parallel loops need tiles")
    text = s.to_json().replace('"tile"', '"reorder"')
    with pytest.raises(ScheduleError, match="reorder has no parameter"):
        s.load(text)
    assert s.to_string() == "C:unroll(k);C:tile(i,j,8,16);C:parallel(i.outer)"


def replayed(
    text: str, order: Sequence[int], problem: Any = lambda schedule: None
) -> tuple[list[str], list[str]]:
    """The steps that apply in this order, and the conflicts."""
    s = applied(session(), text)
    journal, conflicts = replay(Schedule(s.schedule.outputs), s.journal, order, problem)
    return [str(step) for step in journal], [str(c) for c in conflicts]


def test_no_steps_and_all_steps() -> None:
    text = "C:split(i,8);C:unroll(i.inner)"
    assert replayed(text, []) == ([], [])
    assert replayed(text, [0, 1]) == (["split(C, axis=i, factor=8)", "unroll(C, axis=i.inner)"], [])


def test_a_step_before_the_one_that_makes_its_loop_is_a_conflict() -> None:
    done, conflicts = replayed("C:split(i,8);C:unroll(i.inner)", [1, 0])
    assert done == ["split(C, axis=i, factor=8)"]
    assert conflicts == ["step 2, unroll(C, axis=i.inner): i.inner is made by step 1, which comes later"]


def test_steps_that_make_lowering_impossible_are_found_one_by_one() -> None:
    def no_unrolling(schedule: Schedule) -> TewbError | None:
        unrolled = any(step.primitive == "unroll" for step in schedule.journal)
        return LowerError("nothing is unrolled here") if unrolled else None

    done, conflicts = replayed("C:split(i,8);C:unroll(i.inner);C:parallel(j)", [0, 1, 2], no_unrolling)
    assert done == ["split(C, axis=i, factor=8)", "parallel(C, axis=j)"]
    assert conflicts == ["step 2, unroll(C, axis=i.inner): nothing is unrolled here"]


def test_long_reasons_are_cut() -> None:
    conflict = Conflict(3, Step("unroll", "C", {"axis": "i"}), "x" * 5000)
    assert str(conflict) == "step 3, unroll(C, axis=i): " + "x" * 400 + "..."
