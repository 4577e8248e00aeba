"""Work in the background: None until it is done, and what it raises is raised."""

from __future__ import annotations

import asyncio
import contextvars
import threading

import pytest

from tewb.workbench.background import Later, in_background

name: contextvars.ContextVar[str] = contextvars.ContextVar("name", default="")


def test_it_gives_way_until_the_work_is_done() -> None:
    gate = threading.Event()
    work = in_background(lambda: gate.wait(60) and name.get())
    name.set("mine")
    assert next(work) is None and next(work) is None
    gate.set()
    with pytest.raises(StopIteration) as done:
        while True:
            next(work)
    assert done.value.value == "mine"


def test_what_it_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        for _ in in_background(lambda: 1 // 0):
            pass


def test_what_is_asked_for_again_comes_once_and_after_the_last_time() -> None:
    calls: list[float] = []

    async def work() -> None:
        loop = asyncio.get_running_loop()
        later = Later(0.05, lambda: calls.append(loop.time()))
        assert later.ask() and later.is_coming
        await asyncio.sleep(0.01)
        again = loop.time()
        assert later.ask()
        while later.is_coming:
            await asyncio.sleep(0.01)
        assert len(calls) == 1 and calls[0] >= again + 0.04
        later.ask()
        later.cancel()
        assert not later.is_coming
        await asyncio.sleep(0.1)
        assert len(calls) == 1

    asyncio.run(work())


def test_without_an_event_loop_it_does_not_come() -> None:
    later = Later(0.0, lambda: None)
    assert not later.ask() and not later.is_coming
    later.cancel()
