"""Calls of numpy that can be given up, and are waited for before anything is timed again."""

from __future__ import annotations

import contextvars
import threading
import time
from typing import Any

import pytest

from tests.workbench.measure.test_measure import session, stopped_after
from tewb.base import Stopped, stopped_by
from tewb.workbench.measure import interruptible as module
from tewb.workbench.measure.interruptible import interruptible, wait_for_given_up


@pytest.mark.slow
def test_a_reference_that_nothing_ends_is_given_up_and_waited_for_by_the_next_measurement() -> None:
    go_on = threading.Lock()
    go_on.acquire()

    def slow(*arrays: Any) -> Any:
        go_on.acquire()  # as numpy does, it does not look at anything meanwhile

    s = session()
    s.reference = slow
    assert stopped_after(0.5, s).message == "stopped before it was timed"
    told: list[str] = []

    def progress(done: float, what: str) -> None:
        told.append(what)
        if len(told) == 1:
            go_on.release()

    m = session().measure(repeat=1, progress=progress)
    assert m.ok and told[0] == "numpy is still at work on what was stopped"


def test_what_a_reference_raises_comes_out() -> None:
    def reference(*arrays: Any) -> Any:
        raise ZeroDivisionError("mine")

    s = session()
    s.reference = reference
    with pytest.raises(ZeroDivisionError, match="mine"):
        s.measure(repeat=1)


def test_a_call_returns_its_value_and_runs_in_the_context_of_its_caller() -> None:
    setting = contextvars.ContextVar("setting", default="unset")
    setting.set("mine")
    assert interruptible(lambda: (setting.get(), threading.get_ident() == here)) == ("mine", False)
    assert not module._given_up


here = threading.get_ident()


def test_what_is_given_up_ends_when_it_is_in_python_again() -> None:
    ended: list[type[BaseException]] = []

    def for_ever() -> None:
        try:
            while True:
                time.sleep(0.001)
        except BaseException as e:
            ended.append(type(e))
            raise

    with stopped_by(lambda: True), pytest.raises(Stopped):
        interruptible(for_ever)
    told: list[tuple[float, str]] = []
    wait_for_given_up(lambda done, what: told.append((done, what)))
    assert ended == [Stopped] and not module._given_up
    assert all(what == (0.0, "numpy is still at work on what was stopped") for what in told)


def test_waiting_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    thread = threading.Thread(target=go_on.wait)
    thread.start()
    monkeypatch.setattr(module, "_given_up", [thread])
    try:
        with stopped_by(lambda: True), pytest.raises(Stopped):
            wait_for_given_up(lambda done, what: None)
    finally:
        go_on.set()
        thread.join()
    wait_for_given_up(lambda done, what: pytest.fail("it has ended"))


def test_a_call_of_a_moment_is_finished() -> None:
    with stopped_by(lambda: True):
        assert interruptible(lambda: 7) == 7
