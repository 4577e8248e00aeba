"""Stopping: long work asks now and then whether it is still wanted.

Work on the main thread ends with KeyboardInterrupt. Work on another thread, which no signal reaches, ends when the
function given to `stopped_by` says so.
"""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Stop = Callable[[], bool]

PATIENCE = 0.05  # seconds between two questions
MOMENT = 0.2  # seconds; work that takes less is always finished

_stop: contextvars.ContextVar[Stop | None] = contextvars.ContextVar("tewb_stop", default=None)


class Stopped(Exception):
    """Raised in work that nobody wants any more."""


@contextmanager
def stopped_by(stop: Stop | None) -> Iterator[None]:
    """Long work inside of the block ends with Stopped soon after `stop()` is true."""
    token = _stop.set(stop)
    try:
        yield
    finally:
        _stop.reset(token)


def may_be_stopped() -> bool:
    """Whether somebody can stop the current work: whether it is inside of a `stopped_by`."""
    return _stop.get() is not None


def check_stopped(since: float) -> None:
    """Raise Stopped if work that began at `since` (a time.monotonic()) is no longer wanted. Work that has taken only
    a moment goes on."""
    stop = _stop.get()
    if stop is not None and time.monotonic() - since > MOMENT and stop():
        raise Stopped
