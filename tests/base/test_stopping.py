"""Stopping: who can stop the work, when it ends, and what is always finished."""

from __future__ import annotations

import threading
import time

import pytest

from tewb.base import Stopped, check_stopped, may_be_stopped, stopped_by

LONG_AGO = -1000.0  # on the monotonic clock


def test_work_that_nobody_stops_goes_on() -> None:
    check_stopped(LONG_AGO)
    with stopped_by(lambda: False):
        check_stopped(LONG_AGO)
    with stopped_by(None):
        assert not may_be_stopped()
        check_stopped(LONG_AGO)


def test_unwanted_work_ends() -> None:
    with stopped_by(lambda: True), pytest.raises(Stopped):
        check_stopped(LONG_AGO)


def test_work_of_a_moment_is_finished() -> None:
    with stopped_by(lambda: pytest.fail("nobody asks before a moment has passed")):
        check_stopped(time.monotonic() + 60)


def test_blocks_nest_and_end() -> None:
    with stopped_by(lambda: True):
        with stopped_by(lambda: False):
            check_stopped(LONG_AGO)
        with pytest.raises(Stopped), stopped_by(lambda: True):
            check_stopped(LONG_AGO)
        assert may_be_stopped()
    assert not may_be_stopped()


def test_another_thread_is_not_concerned() -> None:
    seen = []
    with stopped_by(lambda: True):
        thread = threading.Thread(target=lambda: seen.append(may_be_stopped()))
        thread.start()
        thread.join()
    assert seen == [False]
