"""States that are made beside the notebook: they may take as long as a compiler does, and nothing waits for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from tewb.workbench.background import in_background, running_loop
from tewb.workbench.session import Session

T = TypeVar("T")
_GLANCE = 0.001  # seconds between two looks whether it is free
_one_at_a_time = threading.Lock()


def apart(session: Session, make: Callable[[Session], Iterator[T | None]]) -> Iterator[T | None]:
    """The state that `make` comes to, made on a thread from a copy of the session as it is now, where there is a notebook;
    None comes while that goes on. Where the state is not wanted any more, nobody asks for the next piece, and the thread
    ends after the one that it is at. Without a notebook `make` does its work here, piece by piece. Raises what `make` does."""
    if running_loop() is None:
        yield from make(session)
        return
    copy = session.copy()
    copy.timings_by_sizes, copy.tried = session.timings_by_sizes, list(session.tried)
    while not _one_at_a_time.acquire(blocking=False):
        time.sleep(_GLANCE)  # another session has its turn
        yield None

    abandoned = threading.Event()

    def work() -> T | None:
        state = None
        try:
            for piece in make(copy):
                if abandoned.is_set():
                    return None
                state = piece
            return state
        finally:
            _one_at_a_time.release()

    try:
        yield (yield from in_background(work))
    finally:
        abandoned.set()
