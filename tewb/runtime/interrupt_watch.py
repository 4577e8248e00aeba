"""An interrupt watch: long calls that stay on their own thread, because they call Python back, while another thread
looks for an interrupt or a stop.

An interrupt waits until Python continues, which is after the machine code has returned. But Python writes the numbers
of signals to a file as they come (`signal.set_wakeup_fd`), and the other thread reads that file.
"""

from __future__ import annotations

import _thread
import contextvars
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tewb.base import PATIENCE, Stopped, check_stopped, may_be_stopped


@contextmanager
def watched(cancel: Callable[[], None]) -> Iterator[None]:
    """Call `cancel()` when the block is interrupted or stopped (`base/stopping.py`), and end the block with the
    exception that belongs to it."""
    watch = _Watch(cancel)
    try:
        yield
    finally:
        watch.end()
    if watch.is_stopped:
        raise Stopped


class _Watch:
    """A thread that looks for interrupts and stops, from now until `end`."""

    def __init__(self, cancel: Callable[[], None]) -> None:
        self.cancel = cancel
        self.is_over = self.is_stopped = False
        self.reads, self.writes = socket.socketpair()
        for s in (self.reads, self.writes):
            s.setblocking(False)
        self.before: int | None = None  # the file for signals that was set before
        if _takes_interrupts():
            self.before = signal.set_wakeup_fd(self.writes.fileno(), warn_on_full_buffer=False)
        self.through = threading.Lock()
        self.through.acquire()
        _thread.start_new_thread(contextvars.copy_context().run, (self._look,))

    def end(self) -> None:
        """Stop looking."""
        if self.before is not None:
            signal.set_wakeup_fd(self.before, warn_on_full_buffer=False)
        self.is_over = True
        with suppress(OSError):  # it is full, so there is something to read
            self.writes.send(b"\0")
        self.through.acquire()
        self.reads.close()
        self.writes.close()

    def _look(self) -> None:
        began, patience = time.monotonic(), PATIENCE if may_be_stopped() else None
        try:
            while not self.is_over:
                ready, _, _ = select.select([self.reads], [], [], patience)
                if ready:
                    self._hand_on(self.reads.recv(4096))
                check_stopped(began)
        except Stopped:
            self.is_stopped = True
            self.cancel()
        finally:
            with suppress(OSError):  # what came at the very end; there may be nothing
                self._hand_on(self.reads.recv(4096))
            self.through.release()

    def _hand_on(self, signals: bytes) -> None:
        if signal.SIGINT in signals:
            self.cancel()
        others = signals.replace(b"\0", b"")
        if others and self.before not in (None, -1):
            with suppress(OSError):  # a file that takes nothing more has woken whoever reads it
                os.write(self.before, others)


def _takes_interrupts() -> bool:
    """Whether an interrupt would end the work of this thread."""
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
