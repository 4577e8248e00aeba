"""Work in the background: None until it is done, and what it raises is raised."""

from __future__ import annotations

import contextvars
import threading

import pytest

from tewb.workbench.background import in_background

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
