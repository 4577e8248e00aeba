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


class Later:
    """Calls `f` on the event loop when nobody has asked for that again for some seconds."""

    def __init__(self, seconds: float, f: Callable[[], None]) -> None:
        self._seconds, self._f = seconds, f
        self._waits: asyncio.TimerHandle | None = None

    @property
    def is_coming(self) -> bool:
        """Whether `f` will be called."""
        return self._waits is not None

    def ask(self) -> bool:
        """Ask for the call, some seconds from now; False where there is no event loop, and it will not come."""
        self.cancel()
        loop = running_loop()
        if loop is not None:
            self._waits = loop.call_later(self._seconds, self._call)
        return loop is not None

    def cancel(self) -> None:
        """Call nothing until somebody asks again."""
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None

    def _call(self) -> None:
        self._waits = None
        self._f()


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
