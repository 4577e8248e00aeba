"""A desk: selection, long work in the background, and what it tells."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

import tewb
from tests.workbench.journal.sessions import recipes
from tests.workbench.measure.symbolic import symbolic_session
from tewb import te
from tewb.base import catch_up_on_collections
from tewb.runtime import Timing, register_func
from tewb.schedule import Step
from tewb.tuning import Trial, board_of
from tewb.tuning.board import Found
from tewb.workbench.demos import demo_session
from tewb.workbench.desk import Desk, answer
from tewb.workbench.judge.minimise import Minimal
from tewb.workbench.judge.sweep import Sweep, SweepTrial
from tewb.workbench.measure.measure import STOPPED
from tewb.workbench.measure.measurement import Measurement
from tewb.workbench.measure.verify import Verdict
from tewb.workbench.requests import ask
from tewb.workbench.session import Session

SPLIT = {"primitive": "split", "stage": "C", "args": {"axis": "j", "factor": 8}}


def test_the_last_stage_is_selected_first() -> None:
    assert Desk(demo_session("softmax", n=8, m=8)).selected == {"stage": "P", "loop": ""}


def test_a_loop_that_is_split_stays_selected_as_its_outer_part_and_back() -> None:
    desk = Desk(demo_session("matmul", n=32))
    desk.select("C", "j")
    desk.session.apply(SPLIT)
    assert desk.selected == {"stage": "C", "loop": "j.outer"}
    desk.select("C", "j.inner")
    desk.session.undo()
    assert desk.selected == {"stage": "C", "loop": "j"}


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
        go_on.wait(60)
        return a @ b

    session.reference = slow
    desk = Desk(session)
    desk.answer("measure", {})
    assert began.wait(60)
    assert desk.answer("stop", {}).said == "stopping"
    desk.wait()
    go_on.set()
    assert not desk.is_busy and desk.answer("stop", {}).said == "nothing is running"


def test_the_loops_are_measured_in_the_background() -> None:
    desk, told, changes = Desk(demo_session("matmul", n=16)), [], []
    desk.listen(told.append)
    desk.on_change(lambda: changes.append(desk.look("loop_times", {})["steps"]))
    assert desk.look("loop_times", {})["steps"] is None
    assert desk.answer("measure_loops", {"seconds": 0.001}).ok
    desk.wait()
    assert changes == [0] and {m["what"] for m in told if m["kind"] == "busy"} == {"measure the loops"}
    assert [m["kind"] for m in told][-2:] == ["done", "idle"] and "a call; with" in told[-2]["text"]
    desk.session.apply(SPLIT)
    assert desk.look("loop_times", {})["stale"]


def test_measuring_the_loops_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, told = Desk(demo_session("matmul", n=16)), []
    began, go_on = threading.Event(), threading.Event()

    def listen(message: Any) -> None:
        told.append(message)
        if message["kind"] == "busy":
            began.set()
            go_on.wait(60)

    desk.listen(listen)
    desk.answer("measure_loops", {})
    assert began.wait(60)
    assert desk.answer("stop", {}).said == "stopping"
    go_on.set()
    desk.wait()
    assert desk.session.loop_times is None and "stopped" in told[-2]["text"]


def test_threads_are_measured_in_the_background_and_it_is_told() -> None:
    session, told = demo_session("blur", n=32), []
    session.apply({"primitive": "parallel", "stage": "Y", "args": {"axis": "i"}})
    desk, changes = Desk(session), []
    desk.listen(told.append)
    desk.on_change(lambda: changes.append(desk.look("threads", {})["measured"]))
    assert desk.answer("measure_threads", {"repeat": 2}).said == "measuring the threads began"
    desk.wait()
    assert changes[-1]["loops"][0]["iterations"] == 32
    kinds = [m["kind"] for m in told]
    assert kinds[0] == "busy" and told[0]["what"] == "measuring the threads" and kinds[-1] == "idle"
    assert {"kind": "done", "text": changes[-1]["sentence"]} in told


def test_a_measurement_of_threads_can_be_stopped_before_it_has_one() -> None:
    session, told = demo_session("blur", n=32), []
    desk = Desk(session)
    desk.listen(told.append)
    began, go_on = threading.Event(), threading.Event()

    def hold(*given: Any) -> None:
        began.set()
        go_on.wait(60)

    desk.listen(lambda m: hold() if m.get("note") == "making inputs" else None)
    desk.answer("measure_threads", {"repeat": 100_000, "seconds": 60})
    assert began.wait(60)
    assert desk.answer("stop", {}).said == "stopping"
    go_on.set()
    desk.wait()
    assert not desk.is_busy and told[-1] == {"kind": "idle", "what": "measuring the threads"}


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

    def wrong(schedule: Any, args: Any, sizes: Any) -> Verdict:
        return Verdict(not any(s.args.get("axis") == "i" for s in schedule.journal), "C[0] is 3, not 4")

    monkeypatch.setattr("tewb.workbench.judge.still.verify", wrong)
    assert desk.answer("minimise", {}).ok
    desk.wait()
    assert [s.args["axis"] for s in desk.session.journal] == ["i"]
    assert any(m["kind"] == "done" and "1 of 2 steps" in m["text"] for m in told)
    desk.session.undo()
    assert len(desk.session.journal) == 2


def test_a_shorter_journal_is_said_to_be_not_taken_when_the_schedule_was_edited_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk, told = Desk(demo_session("matmul", n=16)), []
    desk.listen(told.append)
    desk.session.apply(SPLIT)
    monkeypatch.setattr("tewb.workbench.judge.still.verify", lambda *_: Verdict(False, "C[0] is 3, not 4"))
    desk.listen(
        lambda m: (
            desk.session.undo() if m.get("note") == "leaving steps out" and desk.session.journal else None
        )
    )
    assert desk.answer("minimise", {"still": "different"}).ok
    desk.wait()
    (done,) = [m for m in told if m["kind"] == "done"]
    assert done["text"].endswith("; not taken, as the schedule was edited meanwhile")


# ---------------------------------------------------------------- trying


REORDER = {"primitive": "reorder", "stage": "C", "args": {"axes": ["k", "j"]}}


def trying(monkeypatch: pytest.MonkeyPatch, gain: float) -> tuple[Desk, list[Any]]:
    """A desk where trials come out like this, and what it tells."""
    monkeypatch.setattr("tewb.workbench.measure.try_steps.faster", lambda old, new: gain)
    desk, told = Desk(demo_session("matmul", n=32)), []
    desk.listen(told.append)
    return desk, told


@pytest.mark.parametrize(("gain", "steps", "said"), [(2.0, 1, "2 times as fast"), (0.5, 0, "taken back")])
def test_steps_are_tried_in_the_background(
    monkeypatch: pytest.MonkeyPatch, gain: float, steps: int, said: str
) -> None:
    desk, told = trying(monkeypatch, gain)
    assert desk.answer("try_steps", {"steps": [REORDER]}).said == "try_steps began"
    desk.wait()
    assert len(desk.session.journal) == steps and len(desk.session.tried) == 1
    assert any(m["kind"] == "done" and said in m["text"] for m in told) and told[-1]["kind"] == "idle"
    assert {m["what"] for m in told if m["kind"] == "busy"} == {"try_steps"}


def test_refused_steps_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, told = trying(monkeypatch, 2.0)
    wrong = {"primitive": "parallel", "stage": "C", "args": {"axis": "k"}}
    reply = desk.answer("try_steps", {"steps": [REORDER, wrong]})
    assert not reply.ok and reply.refused is not None and "k is a reduce axis" in reply.refused.message
    assert not desk.is_busy and desk.session.journal == () and told == []


def test_a_trial_can_be_stopped_and_is_not_held_against_the_steps() -> None:
    desk, told = Desk(demo_session("matmul", n=16)), []
    desk.listen(told.append)
    began, go_on = threading.Event(), threading.Event()

    def slow(a: Any, b: Any) -> Any:
        began.set()
        go_on.wait(60)
        return a @ b

    desk.session.reference = slow
    desk.answer("try_steps", {"steps": [REORDER]})
    assert began.wait(60)
    desk.answer("stop", {})
    desk.wait()
    go_on.set()
    assert desk.session.tried == [] and desk.session.journal == ()
    assert any(m["kind"] == "done" and m["text"] == "try_steps was stopped" for m in told)


@pytest.mark.parametrize("when", ["sample 1 of 7", "sample 7 of 7"])
def test_a_trial_that_is_stopped_among_its_samples_does_nothing(
    monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    desk, told = trying(monkeypatch, 2.0)
    desk.listen(lambda m: desk.answer("stop", {}) if m.get("note") == when else None)
    desk.answer("try_steps", {"steps": [REORDER]})
    desk.wait()
    assert desk.session.journal == () and desk.session.tried == []
    assert [m["text"] for m in told if m["kind"] == "done"] == ["try_steps was stopped"]


@pytest.mark.parametrize(("gain", "good"), [(2.0, True), (0.5, False)])
def test_it_is_told_whether_steps_were_kept(monkeypatch: pytest.MonkeyPatch, gain: float, good: bool) -> None:
    desk, told = trying(monkeypatch, gain)
    desk.answer("try_steps", {"steps": [REORDER]})
    desk.wait()
    assert [m["good"] for m in told if m["kind"] == "done"] == [good]


def test_a_trial_of_a_schedule_that_was_edited_meanwhile_is_said_to_be_not_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk, told = trying(monkeypatch, 2.0)
    desk.listen(lambda m: desk.session.apply(SPLIT) if m.get("note") == "sample 1 of 7" else None)
    desk.answer("try_steps", {"steps": [REORDER]})
    desk.wait()
    (done,) = [m for m in told if m["kind"] == "done"]
    assert done["text"].startswith("2 times as fast, but not done, as the schedule was edited meanwhile")
    assert not done["good"] and [s.primitive for s in desk.session.journal] == ["split"]


def test_steps_are_not_tried_of_a_schedule_without_loops() -> None:
    session = demo_session("matmul", n=16)
    desk = Desk(Session(session.schedule, session.args[:2]))
    reply = desk.answer("try_steps", {"steps": [REORDER]})
    assert reply.refused is not None and "C is an output and is not among" in reply.refused.message
    assert not desk.is_busy


@pytest.mark.parametrize(
    ("request_", "arguments", "said"),
    [
        ("measure", {"bogus": 1}, "the request measure: got an unexpected keyword argument 'bogus'"),
        ("measure", {"repeat": "9"}, "the request measure: repeat is a whole number, not '9'"),
        ("measure_loops", {"seconds": None}, "seconds is a number, not None"),
        ("try_steps", {}, "the request try_steps: missing a required argument: 'steps'"),
        ("try_steps", {"steps": 5}, "steps is a list, each of whose items is an object, not 5"),
        ("try_steps", {"steps": [5]}, "each of whose items is an object, not [5]"),
        ("try_steps", {"steps": [REORDER], "others": [5]}, "others is a list, each of whose items is a list"),
        ("trace", {"sizes": 5}, "sizes is text, not 5"),
        ("stop", {"now": True}, "the request stop: got an unexpected keyword argument 'now'"),
        ("do", {"steps": 5}, "the request do: steps is a list, each of whose items is an object, not 5"),
    ],
)
def test_wrong_arguments_are_refused(request_: str, arguments: dict[str, Any], said: str) -> None:
    desk = Desk(demo_session("matmul", n=8))
    reply = desk.answer(request_, arguments)
    assert not reply.ok and reply.refused is not None and said in reply.refused.message
    assert not desk.is_busy


def test_a_sweep_is_a_state_and_takes_nothing_by_itself() -> None:
    desk, told = Desk(demo_session("matmul", n=16)), []
    desk.listen(told.append)
    desk.session.apply(SPLIT)
    assert desk.look("swept", {}) is None
    assert desk.answer("sweep", {"seconds": 30}).ok
    desk.wait()
    swept = desk.look("swept", {})
    assert len(desk.session.journal) == 1 and swept["is_current"] and swept["rows"]
    assert desk.answer("take", {"steps": swept["rows"][0]["steps"]}).ok
    assert desk.session.journal[0].args["factor"] != 8 and not desk.look("swept", {})["is_current"]
    desk.session.undo()
    assert desk.session.journal[0].args["factor"] == 8
    assert {m["what"] for m in told if m["kind"] == "busy"} == {"sweep"}


def test_the_session_can_be_edited_while_a_sweep_goes_on() -> None:
    desk = Desk(demo_session("matmul", n=64))
    desk.session.apply(SPLIT)
    desk.answer("sweep", {"seconds": 3})
    assert desk.do(Step("vectorize", "C", {"axis": "j.inner"})).ok
    desk.answer("stop", {})
    desk.wait()
    assert len(desk.session.journal) == 2 and desk.swept is not None
    assert all(len(t.journal) == 1 for t in desk.swept.trials) and not desk.look("swept", {})["is_current"]


def test_a_search_goes_on_while_the_session_is_edited_and_tells_of_trials_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The search begins, waits for an edit, and ends; what it found is of the journal that it began with."""
    began, go_on = threading.Event(), threading.Event()

    def tune(program: Session, *_: Any, progress: Any, stop: Any, **__: Any) -> Any:
        began.set()
        go_on.wait(60)
        trials = (Trial(0, {"1.factor": 8}, "timed", Timing((1e-3,)), steps=(SPLIT,)),)
        result = SimpleNamespace(trials=trials, importances={}, was_stopped=stop())
        progress(trials[0], result)
        return result

    monkeypatch.setattr("tewb.tuning.board.tune", tune)
    desk = Desk(demo_session("matmul", n=16))
    desk.session.apply(SPLIT)
    changes, news, told = [], [], []
    desk.on_change(lambda: changes.append(1))
    leave = desk.on_news(news.append)
    desk.listen(told.append)
    assert desk.answer("knob", {"name": "1.factor"}).ok and news == ["trials", "knobs"]
    assert desk.answer("tune", {"seconds": 5}).said == "tune began"
    assert began.wait(60) and desk.is_busy
    assert "running already" in desk.answer("autoschedule", {}).refused.message  # type: ignore[union-attr]
    assert desk.do(Step("vectorize", "C", {"axis": "j.inner"})).ok and len(changes) == 1
    go_on.set()
    desk.wait()
    state = desk.look("trials", {})
    assert state["rows"][0]["text"] == "ok, best" and len(desk.session.journal) == 2 and len(changes) == 2
    assert state["compared"][0]["changes"] == [{"sign": "-", "text": "vectorize(C, axis=j.inner)"}]
    assert {m["what"] for m in told if m["kind"] == "busy"} == {"tune"} and told[-1]["kind"] == "idle"
    assert [m["text"] for m in told if m["kind"] == "done"] == ["1 trial, the best 1 ms ± 0 ns"]
    leave()
    count = len(news)
    assert desk.answer("pin_trial", {"number": 0}).ok and len(news) == count


def test_a_search_that_cannot_begin_says_so() -> None:
    desk = Desk(demo_session("matmul", n=16))
    for name, arguments, said in (
        ("tune", {}, "the journal has no factors to search over"),
        ("tune", {"seconds": "x"}, "the request tune: seconds is a number"),
        ("autoschedule", {"seconds": -1}, "seconds is a time"),
    ):
        refused = desk.answer(name, arguments).refused
        assert refused is not None and said in refused.message and not desk.is_busy


def test_trials_of_another_day_are_read_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(demo_session("matmul", n=16))
    read = threading.Event()

    def recall(session: Session) -> None:
        assert read.wait(60)
        board_of(session).show(Found("knobs", (Trial(0, {}, "failed"),)))

    monkeypatch.setattr("tewb.workbench.desk.can_recall", lambda session: not board_of(session).was_recalled)
    monkeypatch.setattr("tewb.workbench.desk.recall", recall)

    async def work() -> None:
        news: list[str] = []
        desk.on_news(news.append)
        assert desk.look("trials", {})["kind"] == "" and not desk.is_busy
        read.set()
        while not news:
            await asyncio.sleep(0.01)
        assert desk.look("trials", {})["rows"]

    asyncio.run(work())


def test_full_collections_wait_until_nothing_was_asked_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tewb.workbench.desk.LONG_QUIET", 0.05)
    catch_up_on_collections()  # another test may have put them off
    desk = Desk(demo_session("matmul", n=32))
    usual = gc.get_threshold()

    async def work() -> None:
        desk.session.apply(SPLIT)
        assert gc.get_threshold()[2] > usual[2]
        answer(desk, {"id": 1, "request": "undo"})
        assert gc.get_threshold()[2] > usual[2]
        while gc.get_threshold() != usual:
            await asyncio.sleep(0.01)

    try:
        asyncio.run(work())
    finally:
        gc.set_threshold(*usual)


@pytest.fixture
def waiting() -> Iterator[tuple[Session, threading.Event]]:
    """A session whose kernel calls Python, which waits until the test is over; the event says that it does."""
    began, go_on = threading.Event(), threading.Event()

    def wait(a: Any, b: Any) -> None:
        began.set()
        go_on.wait(200)
        b[:] = a

    tewb.register_func("desk.wait", wait, override=True)
    A = te.placeholder((8,), name="A")
    E = te.extern((8,), [A], lambda i, o: te.call_packed("desk.wait", i[0], o[0]), name="E")
    yield Session(te.create_schedule(E.op), [A, E], reference=lambda a: a), began
    go_on.set()


@pytest.mark.parametrize("request_", ["measure", "verify", "measure_loops", "measure_threads"])
def test_stop_does_not_wait_for_the_users_code_inside_of_a_kernel(
    waiting: tuple[Session, threading.Event], request_: str
) -> None:
    session, began = waiting
    desk, told = Desk(session), []
    desk.listen(told.append)
    assert desk.answer(request_, {}).ok and began.wait(60)
    assert any(m["kind"] == "busy" for m in told)  # a visible sign
    assert desk.answer("stop", {}).said == "stopping"
    desk.wait(60)
    assert not desk.is_busy and told[-1]["kind"] == "idle"
    if request_ != "verify":
        assert "stopped" in told[-2]["text"] and session.thread_times is None is session.loop_times
    if request_ == "verify":
        assert desk.look("checked", {})["found"] == "not checked: it was stopped"


def test_a_check_ends_when_its_time_is_over(
    waiting: tuple[Session, threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tewb.workbench.desk.CHECK_LIMIT", 0.3)
    desk = Desk(waiting[0])
    desk.answer("verify", {})
    desk.wait(60)
    assert not desk.is_busy and desk.look("checked", {})["test"] == "unknown"


def test_a_check_of_what_was_edited_meanwhile_ends(waiting: tuple[Session, threading.Event]) -> None:
    session, began = waiting
    desk = Desk(session)
    desk.answer("verify", {})
    assert began.wait(60)
    session.schedule["E"].set_scope("global")
    desk.wait(20)
    assert not desk._checker.is_busy  # although what it calls has not come back


def test_a_check_gives_way_to_a_request_but_not_for_long() -> None:
    desk = Desk(demo_session("matmul", n=8))
    desk._give_way()
    desk.is_answering = True
    desk._give_way()  # ends, although nobody answers
    assert answer(desk, {"kind": "ask", "id": 1, "request": "nope"})["reply"]["ok"] is False
    assert not desk.is_answering


def test_what_was_measured_stays_when_the_next_measurement_is_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk, told = Desk(demo_session("matmul", n=16)), []
    desk.listen(told.append)
    desk.answer("measure", {"repeat": 2})
    desk.wait()
    measured = desk.measured
    assert any(m["kind"] == "done" and m["text"] == str(measured) for m in told)
    monkeypatch.setattr(desk.session, "measure", lambda *_, **__: Measurement(False, STOPPED))
    desk.answer("measure", {})
    desk.wait()
    assert desk.measured is measured and any(m.get("text") == STOPPED for m in told)


def test_accesses_are_followed_in_the_background() -> None:
    desk = Desk(demo_session("matmul", n=32))
    heard: list[Any] = []
    desk.on_change(lambda: heard.append(desk.look("traced", {})))
    assert desk.look("data", {}) is None and not desk.look("traced", {})["fresh"]
    assert desk.answer("trace", {"limit": 500}).ok
    desk.wait()
    assert heard[0]["running"] and not heard[-1]["running"] and heard[-1]["fresh"]
    assert desk.look("data", {})["count"] <= 500 and desk.is_traced_now
    kept = desk.look("data", {})
    desk.session.apply(SPLIT)
    assert (
        desk.look("data", {}) is kept and not desk.look("traced", {})["fresh"]
    )  # nothing is made at an edit


def test_following_accesses_is_stopped() -> None:
    desk, told = Desk(demo_session("matmul", n=256)), []
    desk.listen(told.append)
    desk.answer("trace", {"sizes": "full", "limit": 100_000_000})
    assert desk.answer("stop", {}).said == "stopping"
    desk.wait(60)
    assert desk.look("data", {}) is None and not desk.look("traced", {})["running"]
    assert "not followed to the end" in told[-1]["text"]


def test_what_a_users_function_raises_while_accesses_are_followed_is_said() -> None:
    desk, told = Desk(demo_session("extern")), []
    desk.listen(told.append)

    def fails(*_: Any) -> None:
        raise ZeroDivisionError("by hand")

    register_func("tewb.demo.triple", fails, override=True)
    desk.answer("trace", {})
    desk.wait()
    assert told[-1] == {
        "kind": "failed",
        "what": "following the accesses",
        "message": "ZeroDivisionError: by hand",
    }
    assert not desk.look("traced", {})["running"]


def test_the_page_of_accesses_has_those_that_are_shown() -> None:
    desk = Desk(demo_session("matmul", n=4))
    assert '"count": 272' in desk.answer("data_page", {}).found
    desk.answer("trace", {"limit": 7, "sizes": "full"})
    desk.wait()
    assert '"count": 7' in desk.answer("data_page", {}).found


def test_what_was_swept_and_traced_with_other_sizes_is_not_current() -> None:
    desk = Desk(symbolic_session(16))
    desk.answer("sweep", {"seconds": 0.5})
    desk.wait()
    desk.answer("trace", {})
    desk.wait()
    assert desk.look("swept", {})["is_current"] and desk.look("traced", {})["fresh"] and desk.is_traced_now
    desk.answer("size", {"name": "n", "value": 32})
    assert not desk.look("swept", {})["is_current"]
    assert not desk.look("traced", {})["fresh"] and not desk.is_traced_now


def test_a_row_of_a_sweep_has_the_recipes_of_its_steps() -> None:
    with recipes():
        desk = Desk(demo_session("matmul", n=16))
        desk.session.apply(SPLIT, {"primitive": "vectorize", "stage": "C", "args": {"axis": "j.inner"}})
        desk.session.make_recipe("lanes", 1, 2)
        journal = desk.session.journal
        desk.swept = Sweep((SweepTrial("as it is", journal, 1.0, 0.1, 1.0),), 0, journal, True)
        desk.session.reset()
        (row,) = desk.look("swept", {})["rows"]
        assert desk.answer("take", {"steps": row["steps"]}).said == "took 2 steps"
        assert [(r.call.recipe, r.first, r.count) for r in desk.session.runs] == [("lanes", 0, 2)]
        assert [r["state"] for r in desk.look("journal", {})["recipes"]] == ["same"]


def test_what_minimise_found_has_the_recipes_of_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    with recipes():
        s = demo_session("matmul", n=16)
        s.apply(SPLIT)
        s.make_recipe("lanes", 1, 1)
        monkeypatch.setattr(Session, "minimise", lambda s, *_: Minimal(s.journal, 1, 1, True))
        found = ask(s, "minimise", {"still": "slow"}).found
        assert [step.get("recipe") for step in found["steps"]] == ["lanes"]


def test_long_work_with_arguments_that_it_does_not_take_is_refused() -> None:
    refused = Desk(demo_session("matmul", n=8)).answer("measure", {"often": 3}).refused
    assert refused is not None and "the request measure: got an unexpected keyword" in refused.message
