"""Calls of numpy that can be given up: nothing can end them, but nobody has to wait for them either.

Such a call goes on beside, on a thread of its own, until numpy comes back to Python; the next measurement waits for
that, so that its times are not those of a busy machine.
"""

from __future__ import annotations

import contextvars
import ctypes
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from tewb.base import PATIENCE, Stopped, check_stopped
from tewb.workbench.measure.trials import Progress

T = TypeVar("T")

LONG = 0.2  # seconds of a call that somebody might want to end

_given_up: list[threading.Thread] = []


def interruptible(call: Callable[[], T]) -> T:
    """What `call()` returns or raises, on another thread. It is given up when this one is interrupted, or its work
    is not wanted any more (Stopped)."""
    outcome: list[tuple[bool, Any]] = []

    def run() -> None:
        try:
            outcome.append((True, call()))
        except BaseException as e:
            outcome.append((False, e))

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
    thread.start()
    began = time.monotonic()
    try:
        while not outcome and thread.is_alive():
            thread.join(PATIENCE)
            check_stopped(began)
    except BaseException:
        _give_up(thread)
        raise
    worked, value = outcome[0]
    if not worked:
        raise value
    return value  # type: ignore[no-any-return]


def _give_up(thread: threading.Thread) -> None:
    """Let a thread end as soon as it is in Python again."""
    _given_up.append(thread)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Stopped))


def wait_for_given_up(tell: Progress) -> None:
    """Wait until the calls that were given up have ended. Raises Stopped."""
    began = time.monotonic()
    while _given_up:
        if not _given_up[0].is_alive():
            del _given_up[0]
            continue
        tell(0.0, "numpy is still at work on what was stopped")
        _given_up[0].join(PATIENCE)
        check_stopped(began)
