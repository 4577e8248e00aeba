"""States that are made beside the notebook: they may take as long as a compiler does, and nothing waits for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from tewb.workbench.session import Session
from tewb.workbench.states.background import in_background
from tewb.workbench.states.views import look_in_pieces

_GLANCE = 0.001  # seconds of sleep between two looks whether a state is there
_one_at_a_time = threading.Lock()


def look_apart(session: Session, view: str, options: Mapping[str, Any]) -> Iterator[Any]:
    """As `views.look_in_pieces`, but made on a thread, from a copy of the session as it is now; None comes while that goes
    on. Where the state is not wanted any more, nobody asks for the next piece, and the thread ends after the one that it
    is at. Raises what the view does."""
    copy = session.copy()
    copy.timings_by_sizes, copy.tried = session.timings_by_sizes, list(session.tried)
    while not _one_at_a_time.acquire(blocking=False):
        time.sleep(_GLANCE)
        yield None

    abandoned = threading.Event()

    def work() -> Any:
        state = None
        try:
            for piece in look_in_pieces(copy, view, options):
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
