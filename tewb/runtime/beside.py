"""Long calls beside the main thread, which waits and can take an interrupt meanwhile.

A helper is a thread that sleeps between calls. There is one in most programs; a call that begins while all
are busy (in a signal handler, say) gets another.
"""

from __future__ import annotations

import _thread
import os
import threading
import time
from collections.abc import Callable

_idle: list[_Helper] = []


class _Helper:
    """A thread that runs one function at a time."""

    def __init__(self) -> None:
        self._begin, self._end = threading.Lock(), threading.Lock()
        self._begin.acquire()
        self._end.acquire()
        self._call: Callable[[], int] | None = None
        self._result: int | None = None
        # threading.Thread begins with a handshake in Python, which an interrupt may leave half done.
        _thread.start_new_thread(self._run, ())

    def _run(self) -> None:
        while True:
            self._begin.acquire()
            call, self._call = self._call, None
            if call is None:
                return
            result = call()
            del call  # lets go of the arrays
            self._result = result
            self._end.release()

    def start(self, call: Callable[[], int]) -> None:
        self._call, self._result = call, None
        self._begin.release()

    def wait(self) -> int:
        """The result. An interrupt may raise from here, and from `start`."""
        self._end.acquire()
        assert self._result is not None
        return self._result

    def outlast(self) -> None:
        """Wait until the call is over, and end the thread. (A second interrupt changes nothing: the first is
        on its way, and the arrays are in use until then.)"""
        while self._result is None:
            try:
                self._wake()  # in case the interrupt came before `start` did; else it ends the thread afterwards
                time.sleep(0.0005)
            except BaseException:
                continue
        self._wake()

    def _wake(self) -> None:
        if self._begin.locked():
            self._begin.release()


def call_beside(call: Callable[[], int], cancel: Callable[[], None]) -> int:
    """What `call()` returns, on another thread. When waiting for it is interrupted, `cancel()` must make it
    end soon; the exception goes on then. `call` must not raise."""
    try:
        helper = _idle.pop()
    except IndexError:
        helper = _Helper()
    try:
        helper.start(call)
        result = helper.wait()
    except BaseException:
        cancel()
        helper.outlast()
        raise
    _idle.append(helper)
    return result


if hasattr(os, "register_at_fork"):  # threads do not survive a fork
    os.register_at_fork(after_in_child=_idle.clear)
