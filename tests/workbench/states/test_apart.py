"""What is made beside the notebook holds up nobody, and is of the steps that there were."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from tewb.base import TewbError
from tewb.workbench import Session
from tewb.workbench.demos import demo_session
from tewb.workbench.notebook.panes import Pane
from tewb.workbench.states.answers import AdviceList, advice_state
from tewb.workbench.states.apart import apart
from tewb.workbench.states.views import VIEWS, look_in_pieces

T = TypeVar("T")
SPLIT = {"primitive": "split", "stage": "C", "args": {"axis": "j", "factor": 8}}


def advised(monkeypatch: pytest.MonkeyPatch, make: Any) -> None:
    """Let `make` give the advice."""
    view = replace(VIEWS["advice"], make=lambda session: apart(session, lambda copy: iter([make(copy)])))
    monkeypatch.setitem(VIEWS, "advice", view)


def in_a_notebook(work: Callable[[], T]) -> T:
    """What `work` returns where an event loop runs."""

    async def run() -> T:
        return work()

    return asyncio.run(run())


def test_it_is_what_would_be_made_here() -> None:
    s = demo_session("matmul", n=32)
    *waiting, found = in_a_notebook(lambda: list(advice_state(s)))
    *_, made = advice_state(demo_session("matmul", n=32))
    assert found == made and found is not None and found.findings and set(waiting) == {None}


def test_an_edit_meanwhile_changes_nothing_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def steps(session: Session) -> AdviceList:
        go_on.wait(60)
        return AdviceList((), str(len(session.journal)), "", None, (), (), {})

    advised(monkeypatch, steps)
    s = demo_session("matmul", n=32)

    def work() -> list[Any]:
        pieces = look_in_pieces(s, "advice")
        assert next(pieces) is None
        s.apply(SPLIT)  # nothing waits
        go_on.set()
        return list(pieces)

    assert in_a_notebook(work)[-1]["problem"] == "0" and len(s.journal) == 1


def test_what_goes_wrong_is_raised_where_it_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(session: Session) -> AdviceList:
        raise TewbError("no advice today")

    advised(monkeypatch, wrong)
    for _ in range(2):  # and the next one can be asked for
        with pytest.raises(TewbError, match="no advice today"):
            in_a_notebook(lambda: list(look_in_pieces(demo_session("matmul", n=32), "advice")))


def test_a_pane_answers_while_it_is_made_and_sends_only_that_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    first, go_on = threading.Event(), threading.Event()

    def steps(session: Session) -> AdviceList:
        first.set()
        go_on.wait(60)
        return AdviceList((), str(len(session.journal)), "", None, (), (), {})

    async def work() -> list[Any]:
        advised(monkeypatch, steps)
        pane = Pane(demo_session("matmul", n=32), "advice")
        sent: list[Any] = []
        pane.send = lambda message, *_: sent.append(message)
        views = {"advice": {"view": "advice", "options": {}}}
        pane._asked(None, {"kind": "watch", "client": "page", "views": views}, None)
        while not first.is_set():
            await asyncio.sleep(0.001)
        pane._asked(None, {"kind": "ask", "id": 1, "request": "do", "arguments": {"steps": [SPLIT]}}, None)
        assert [m["kind"] for m in sent if m["kind"] == "reply"] == ["reply"]  # before there is any advice
        go_on.set()
        for _ in range(12_000):
            if pane.is_up_to_date:
                break
            await asyncio.sleep(0.005)
        return [m["states"]["advice"]["problem"] for m in sent if m["kind"] == "states" and m["states"]]

    assert asyncio.run(work()) == ["1"]


def test_what_is_not_wanted_any_more_ends_after_the_piece_that_it_is_at() -> None:
    goes_on, pieces = threading.Event(), []

    def make(session: Session) -> Any:
        for n in range(1000):
            pieces.append(n)
            goes_on.wait(60)
            yield None

    async def work() -> threading.Thread:
        looking = apart(demo_session("matmul", n=16), make)
        next(looking)
        thread = next(t for t in threading.enumerate() if t.name == "tewb view")
        looking.close()  # type: ignore[attr-defined]
        return thread

    thread = asyncio.run(work())
    goes_on.set()
    thread.join(60)
    assert not thread.is_alive() and len(pieces) <= 2
