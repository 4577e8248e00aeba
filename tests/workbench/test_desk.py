"""A desk: selection, long work in the background, and what it tells."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tewb.workbench.demos import demo_session
from tewb.workbench.desk import Desk, answer
from tewb.workbench.measure.verify import Verdict

SPLIT = {"primitive": "split", "stage": "C", "args": {"axis": "j", "factor": 8}}


def test_the_last_stage_is_selected_first() -> None:
    assert Desk(demo_session("softmax", n=8, m=8)).selected == {"stage": "P", "loop": ""}


def test_a_loop_that_is_split_stays_selected_as_its_outer_part() -> None:
    desk = Desk(demo_session("matmul", n=32))
    desk.select("C", "j")
    desk.session.apply(SPLIT)
    assert desk.selected == {"stage": "C", "loop": "j.outer"}
    desk.select("C", "j.inner")
    desk.session.undo()
    assert desk.selected == {"stage": "C", "loop": ""}


def test_a_stage_that_goes_is_not_selected_any_more() -> None:
    desk = Desk(demo_session("matmul", n=32))
    desk.session.apply({"primitive": "cache_write", "stage": "C", "args": {"scope": "local"}})
    desk.select("C.local", "i")
    desk.session.undo()
    assert desk.selected["stage"] == "C"


def test_listeners_hear_of_selections_and_edits_until_they_leave() -> None:
    desk, heard = Desk(demo_session("matmul", n=32)), []
    leave = desk.on_change(lambda: heard.append(dict(desk.selected)))
    desk.select("C", "i")
    desk.select("C", "i")
    desk.session.apply(SPLIT)
    assert len(heard) == 2
    leave()
    desk.show_form("assembly")
    assert len(heard) == 2 and desk.form == "assembly"


def test_measuring_goes_on_in_the_background_and_says_how_far_it_is() -> None:
    desk, told = Desk(demo_session("matmul", n=16)), []
    desk.listen(told.append)
    assert desk.answer("measure", {}).ok
    again = desk.answer("measure", {})
    assert again.ok or "running already" in again.refused.message  # type: ignore[union-attr]
    desk.wait()
    assert desk.measured is not None and desk.measured.ok
    kinds = [m["kind"] for m in told]
    assert "busy" in kinds and kinds[-1] == "idle"
    assert desk.look("measured", {})["contestants"][0]["name"] == "tewb"


def test_a_measurement_can_be_stopped() -> None:
    session = demo_session("matmul", n=16)
    began, go_on = threading.Event(), threading.Event()

    def slow(a: Any, b: Any) -> Any:
        began.set()
        go_on.wait(10)
        return a @ b

    session.reference = slow
    desk = Desk(session)
    desk.answer("measure", {})
    assert began.wait(20)
    assert desk.answer("stop", {}).said == "stopping"
    desk.wait()
    go_on.set()
    assert not desk.is_busy and desk.answer("stop", {}).said == "nothing is running"


def test_what_the_users_program_raises_is_told() -> None:
    session, told = demo_session("matmul", n=16), []
    session.reference = lambda a, b: 1 / 0
    desk = Desk(session)
    desk.listen(told.append)
    desk.answer("measure", {})
    desk.wait()
    (failed,) = [m for m in told if m["kind"] == "failed"]
    assert failed["what"] == "measure" and "ZeroDivisionError" in failed["message"]


def test_the_check_says_what_it_found() -> None:
    desk = Desk(demo_session("matmul", n=16))
    desk.session.apply(SPLIT)
    assert desk.look("checked", {})["test"] == "unknown"
    desk.answer("verify", {})
    desk.wait()
    assert desk.look("checked", {})["test"] == "same"
    desk.session.undo()
    assert desk.look("checked", {})["test"] == "unknown"


def test_a_view_that_cannot_be_made_is_a_problem_and_no_exception() -> None:
    desk = Desk(demo_session("matmul", n=8))
    assert "there is no view lops" in desk.look("lops", {})["problem"]
    assert "its option" in desk.look("why", {})["problem"] or "missing" in desk.look("why", {})["problem"]


@pytest.mark.parametrize("content", [{"kind": "ask", "id": 1}, {"kind": "ask", "id": 1, "request": "nope"}])
def test_a_request_that_there_is_not_is_refused(content: dict[str, Any]) -> None:
    reply = answer(Desk(demo_session("matmul", n=8)), content)
    assert (
        reply["id"] == 1
        and not reply["reply"]["ok"]
        and "there is no request" in reply["reply"]["refused"]["message"]
    )


def test_minimising_goes_on_in_the_background_and_can_be_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, told = Desk(demo_session("matmul", n=16)), []
    desk.listen(told.append)
    desk.session.apply(SPLIT, {"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 4}})

    def wrong(schedule: Any, args: Any) -> Verdict:
        return Verdict(not any(s.args.get("axis") == "i" for s in schedule.journal), "C[0] is 3, not 4")

    monkeypatch.setattr("tewb.workbench.judge.minimise.verify", wrong)
    assert desk.answer("minimise", {}).ok
    desk.wait()
    assert [s.args["axis"] for s in desk.session.journal] == ["i"]
    assert any(m["kind"] == "done" and "1 of 2 steps" in m["text"] for m in told)
    desk.session.undo()
    assert len(desk.session.journal) == 2
