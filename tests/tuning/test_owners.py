"""Whose trial it is: a search that goes on, one that has ended, a process that was killed, another machine."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta

from tewb.tuning import owners


def test_a_search_of_this_process() -> None:
    mine = owners.begin()
    assert owners.is_at_work(mine, datetime.now())
    owners.end(mine)
    assert not owners.is_at_work(mine, datetime.now())


def test_another_process_of_this_machine() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        its = {**owners.begin(), "pid": other.pid, "since": owners._started(other.pid)}
        assert owners.is_at_work(its, datetime.now())
        assert not owners.is_at_work(
            {**its, "since": -1}, datetime.now()
        )  # a later process of the same number
        other.communicate(b"\n")
    assert os.name != "posix" or not owners.is_at_work(its, datetime.now())


def test_what_nobody_can_tell_is_taken_for_lost_after_a_while() -> None:
    elsewhere = {**owners.begin(), "host": "another machine"}
    assert owners.is_at_work(elsewhere, datetime.now()) and not owners.is_at_work(
        elsewhere, datetime.now() - 2 * owners.LONG
    )
    assert owners.is_at_work(None, datetime.now()) and not owners.is_at_work(
        None, datetime.now() - timedelta(minutes=5)
    )
    assert not owners.is_at_work({"host": owners.begin()["host"]}, datetime.now()) or os.name != "posix"
