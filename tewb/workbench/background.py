"""Work in a thread of its own, while requests go on being answered."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Generator
from typing import TypeVar

from tewb.base import short_turns

T = TypeVar("T")

_LOOK = 0.0005  # seconds: an event loop that looks whether it is done is held up for so long


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop of this thread, if it runs: it goes on while another thread works."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def in_background(work: Callable[[], T], piece: float = _LOOK) -> Generator[None, None, T]:
    """Do `work` in a thread; gives None every `piece` seconds until it is done, and then returns its result or raises what it
    raised.

    What is asked for no longer is not waited for: its thread ends by itself.
    """
    found: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            with short_turns():
                found.append(work())
        except BaseException as e:
            raised.append(e)

    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(run,), name="tewb view", daemon=True)
    thread.start()
    while thread.is_alive():
        yield None
        thread.join(piece)
    if raised:
        raise raised[0]
    return found[0]
