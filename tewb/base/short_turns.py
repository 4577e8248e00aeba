"""How long a thread keeps Python's lock while another one waits for it: not long while work goes on beside a notebook.

A notebook's thread lets go of the lock with each message that it reads or sends, and waits to have it again: up to 5 ms each time
as Python has it, which a press would meet several times.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tewb.base.once import free_after_fork

TURN = 0.0005  # seconds

_lock = free_after_fork(threading.Lock())
_users = 0  # how many want short turns now
_usual = TURN  # how long turns are otherwise


@contextmanager
def short_turns() -> Iterator[None]:
    """Let threads have short turns until this ends, and as long ones as before after the last of those who asked for it."""
    global _users, _usual
    with _lock:
        if _users == 0:
            _usual = sys.getswitchinterval()
            sys.setswitchinterval(min(TURN, _usual))
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                sys.setswitchinterval(_usual)
