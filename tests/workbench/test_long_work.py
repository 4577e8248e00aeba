"""Long work: one piece at a time, with words, a stop, and its end told; on the notebook's thread where there is a loop."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from tewb.base import Stopped, TewbError
from tewb.workbench.background import running_loop
from tewb.workbench.long_work import LongWork, Work


def done(work: Any) -> list[Any]:
    """What is told of a piece of work."""
    told: list[Any] = []
    runner = LongWork(told.append)
    assert runner.begin("counting", work)
    runner.wait(60)
    return told


def test_it_says_how_far_it_is_and_what_it_came_to() -> None:
    def work(w: Work) -> None:
        w.progress(0.5, "half")
        w.done("three", code="x")

    assert done(work) == [
        {"kind": "busy", "what": "counting", "done": 0.5, "note": "half"},
        {"kind": "done", "text": "three", "code": "x"},
        {"kind": "idle", "what": "counting"},
    ]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (Stopped(), {"kind": "done", "text": "counting was stopped"}),
        (TewbError("no"), {"kind": "failed", "what": "counting", "message": "no"}),
        (KeyError("k"), {"kind": "failed", "what": "counting", "message": "KeyError: 'k'"}),
    ],
)
def test_what_it_raises_is_told(error: Exception, message: Any) -> None:
    def work(w: Work) -> None:
        raise error

    assert done(work) == [message, {"kind": "idle", "what": "counting"}]


def test_there_is_one_at_a_time_and_it_can_be_stopped() -> None:
    runner, began = LongWork(lambda message: None), threading.Event()

    def work(w: Work) -> None:
        began.set()
        while not w.is_stopped():
            began.wait(0.001)

    assert not runner.is_busy
    assert runner.begin("waiting", work) and began.wait(60)
    assert runner.is_busy and not runner.begin("more", work)
    runner.stop()
    runner.wait(60)
    assert not runner.is_busy and runner.begin("more", work)
    runner.stop()
    runner.wait(60)


def test_work_that_is_not_shown_has_no_end_that_is_told() -> None:
    told: list[Any] = []
    runner = LongWork(told.append, is_shown=False)
    runner.begin("checking", lambda w: None)
    runner.wait(60)
    assert told == []


def test_messages_come_on_the_thread_of_the_loop() -> None:
    threads: list[Any] = []

    async def notebook() -> None:
        runner = LongWork(lambda message: threads.append(threading.current_thread()))
        assert running_loop() is not None
        runner.begin("counting", lambda w: w.done("three"))
        while len(threads) < 2:
            await asyncio.sleep(0.001)

    asyncio.run(notebook())
    assert set(threads) == {threading.current_thread()} and running_loop() is None
