"""Stopping: long work asks now and then whether it is still wanted.

Work on the main thread ends with KeyboardInterrupt. Work on another thread, which no signal reaches, ends when the
function that `stopped_by` was given says so.
"""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Stop = Callable[[], bool]

PATIENCE = 0.05  # seconds between two questions
MOMENT = 0.2  # seconds of work that may as well be finished

_stop: contextvars.ContextVar[Stop | None] = contextvars.ContextVar("tewb_stop", default=None)


class Stopped(Exception):
    """Work that nobody wants any more."""


@contextmanager
def stopped_by(stop: Stop | None) -> Iterator[None]:
    """Long work inside of the block ends with Stopped soon after `stop()` is true."""
    token = _stop.set(stop)
    try:
        yield
    finally:
        _stop.reset(token)


def may_be_stopped() -> bool:
    """Whether the work of now has somebody who may stop it."""
    return _stop.get() is not None


def check_stopped(since: float) -> None:
    """Raise Stopped where work that began at `since` (of time.monotonic) is not wanted any more. What takes no more
    than a moment is not stopped."""
    stop = _stop.get()
    if stop is not None and time.monotonic() - since > MOMENT and stop():
        raise Stopped
