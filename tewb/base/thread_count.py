"""How many threads run parallel loops, for those who fit work to them before there is a kernel."""

from __future__ import annotations

import os
from collections.abc import Callable

from tewb.base.errors import TewbError

_sources: list[Callable[[], int]] = []  # the pool of threads tells, once it is there


def thread_count() -> int:
    """How many threads run parallel loops now; before there is a pool of them, how many it is to have."""
    return _sources[-1]() if _sources else wanted_threads()


def tells_thread_count(source: Callable[[], int]) -> None:
    """Let `source` tell how many there are from now on."""
    _sources.append(source)


def wanted_threads() -> int:
    """TEWB_NUM_THREADS, or one for each processor that this process may use. Raises TewbError."""
    text = os.environ.get("TEWB_NUM_THREADS", "").strip()
    if text:
        if not text.isascii() or not text.isdigit() or int(text) < 1:
            raise TewbError(
                f"TEWB_NUM_THREADS is {text!r}, which is no number of threads", hint="set it to 1 or more"
            )
        return int(text)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
