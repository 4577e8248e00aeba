"""Stopping: long work asks now and then whether it is still wanted.

Work on the main thread ends with KeyboardInterrupt. Work on another thread, which no signal reaches, ends when the
function that `stopped_by` was given says so.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Stop = Callable[[], bool]

PATIENCE = 0.05  # seconds between two questions

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


def stop_of_now() -> Stop | None:
    """What the work of now is stopped by."""
    return _stop.get()


def check_stopped() -> None:
    """Raise Stopped where the work of now is not wanted any more."""
    stop = _stop.get()
    if stop is not None and stop():
        raise Stopped
