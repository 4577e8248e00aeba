"""Long work beside the notebook: on a thread, one piece at a time, with a sign, a stop, and words at its end.

Messages go to `tell` on the notebook's own thread where it has an event loop, and otherwise on the thread that works.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from tewb.base import Stopped, TewbError, short_turns
from tewb.workbench.background import running_loop

Message = dict[str, Any]
Tell = Callable[[Message], None]


class Work:
    """A piece of work that goes on: what it may say, and whether it is to stop."""

    def __init__(self, what: str, tell: Tell) -> None:
        self.what = what
        self._tell, self._loop = tell, running_loop()
        self._stop = threading.Event()

    def stop(self) -> None:
        """Ask it to end."""
        self._stop.set()

    def is_stopped(self) -> bool:
        """Whether it is to end: what functions take as `stop`."""
        return self._stop.is_set()

    def progress(self, done: float, note: str) -> None:
        """Say how far it is (0 to 1): what functions take as `progress`."""
        self.say({"kind": "busy", "what": self.what, "done": done, "note": note})

    def done(self, text: str, **more: Any) -> None:
        """Say what it came to."""
        self.say({"kind": "done", "text": text, **more})

    def say(self, message: Message) -> None:
        """Tell a message."""
        self.then(lambda: self._tell(message))

    def then(self, f: Callable[[], None]) -> None:
        """Call `f` where the session may be changed: on the notebook's thread."""
        if self._loop is None or self._loop.is_closed():
            f()
        else:
            self._loop.call_soon_threadsafe(f)


class LongWork:
    """Does one piece of work at a time. `is_shown` says whether those who listen are told that it ended."""

    def __init__(self, tell: Tell, is_shown: bool = True) -> None:
        self._tell, self._is_shown = tell, is_shown
        self._work: Work | None = None
        self._thread: threading.Thread | None = None

    @property
    def is_busy(self) -> bool:
        """Whether work goes on."""
        return self._thread is not None and self._thread.is_alive()

    def begin(self, what: str, work: Callable[[Work], None]) -> bool:
        """Begin `work`; False, and nothing is begun, while other work goes on. What it raises is told."""
        if self.is_busy:
            return False
        given = Work(what, self._tell)

        def run() -> None:
            try:
                with short_turns():
                    work(given)
            except Stopped:
                given.done(f"{what} was stopped")
            except Exception as e:  # whatever the kernel or the user's numpy program raises is shown
                message = e.message if isinstance(e, TewbError) else f"{type(e).__name__}: {e}"
                given.say({"kind": "failed", "what": what, "message": message})
            finally:
                if self._is_shown:
                    given.say({"kind": "idle", "what": what})

        self._work = given
        self._thread = threading.Thread(target=run, name=f"tewb {what}", daemon=True)
        self._thread.start()
        return True

    def stop(self) -> None:
        """Ask the work to end."""
        if self._work is not None:
            self._work.stop()

    def wait(self, seconds: float) -> None:
        """Wait until it has ended."""
        if self._thread is not None:
            self._thread.join(seconds)
