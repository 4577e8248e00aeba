"""Background calls: long calls run on another thread, and the main thread waits, ready to take an interrupt.

A helper is a thread that sleeps between calls. Most programs have one; a call that begins while all are busy (in a
signal handler, say) gets another.
"""

from __future__ import annotations

import _thread
import os
import threading
import time
from collections.abc import Callable

from tewb.base import PATIENCE, check_stopped, may_be_stopped


class _Job:
    """A call, and its result when it is over. Whoever appends to `claims` first decides: the helper runs it, or the
    caller has given it up. (To append twice changes nothing, so that it can be tried again.)"""

    def __init__(self, call: Callable[[], int]) -> None:
        self.call = call  # keeps the arrays alive
        self.claims: list[str] = []
        self.result: int | None = None

    def run(self) -> None:
        self.claims.append("helper")
        if self.claims[0] == "helper":
            self.result = self.call()

    def is_over(self) -> bool:
        """Whether the call has ended, or will never begin."""
        self.claims.append("caller")
        return self.claims[0] == "caller" or self.result is not None


class _Helper:
    """A thread that runs one job at a time: whenever `begin` is released, until it is dismissed."""

    def __init__(self) -> None:
        self.begin, self.end = threading.Lock(), threading.Lock()
        self.begin.acquire()
        self.end.acquire()
        self.job: _Job | None = None
        self.is_dismissed = False
        # threading.Thread begins with a handshake in Python, which an interrupt may leave half done.
        _thread.start_new_thread(self._run, ())

    def _run(self) -> None:
        while not self.is_dismissed:
            self.begin.acquire()
            job, self.job = self.job, None
            if job is None:  # dismissed
                return
            job.run()
            del job  # lets go of the arrays
            self.end.release()

    def dismiss(self) -> None:
        self.is_dismissed = True
        if self.begin.locked():
            self.begin.release()


_idle: list[_Helper] = []


def call_in_background(call: Callable[[], int], cancel: Callable[[], None]) -> int:
    """The result of `call()`, made on another thread. When waiting for it is interrupted, or stopped
    (`base/stopping.py`), `cancel()` must make it end soon (it may be called several times); the exception is raised
    again when the call is over. `call` must not raise."""
    job = _Job(call)
    try:
        helper = _idle.pop()
    except IndexError:
        helper = _Helper()
    try:
        helper.job = job
        helper.begin.release()
        if may_be_stopped():
            began = time.monotonic()
            while not helper.end.acquire(timeout=PATIENCE):
                check_stopped(began)
        else:
            helper.end.acquire()
    except BaseException:
        # The interrupt may come before the helper begins, while it runs, or after its end. A second one
        # changes nothing: the first is already being handled.
        while True:
            try:
                cancel()
                helper.dismiss()
                if job.is_over():
                    break
                time.sleep(0.0005)
            except BaseException:
                continue
        raise
    _idle.append(helper)
    assert job.result is not None
    return job.result


if hasattr(os, "register_at_fork"):  # threads do not survive a fork
    os.register_at_fork(after_in_child=_idle.clear)
